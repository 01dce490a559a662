//! The YAML parser: text becomes a tree of nodes that know their line. The parser limits depth, size and aliases; merge
//! keys and tags are rejected, and only `true` and `false` are booleans. Duplicate keys stay in the tree: the reader of
//! the section reports them with both lines.

use super::fault::Origin;
use super::tree::{Node, Value};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};
use serde_saphyr::{Error, Spanned};
use std::fmt;
use zeroize::Zeroizing;

/// A text that can't be parsed, and the line of the fault (0: unknown).
pub(in crate::config) struct NotYaml {
    pub(in crate::config) line: u64,
    pub(in crate::config) message: String,
}

/// Parses one YAML document; returns `None` if it holds only white space and comments.
pub(in crate::config) fn parse(
    text: &[u8],
    origin: &dyn Fn(u64) -> Option<Origin>,
) -> Result<Option<Node>, NotYaml> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: 16, max_nodes: 20_000, max_aliases: 100 },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 2_000 },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::Error,
        reject_unsupported_tags: true,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
    };
    match serde_saphyr::from_slice_with_options::<Spanned<Raw>>(text, options) {
        Ok(raw) => Ok(Some(node(raw, &Source { lines: lines(text), origin }))),
        Err(Error::Eof { .. }) => Ok(None),
        Err(error) => {
            Err(NotYaml { line: error.location().map_or(0, |at| at.line()), message: tell(&error) })
        }
    }
}

const TOO_LARGE: &str = "is too large, too deep or has too many aliases";

/// Returns the message for an error of the parser, whose own messages would quote the text or name Rust types.
fn tell(error: &Error) -> String {
    let own = match error {
        // A fault in the copy that an alias stands for.
        Error::AliasError { error, .. } => return tell(error),
        Error::MultipleDocuments { .. } => "holds more than one YAML document; keep one",
        Error::InvalidUtf8Input => "is not UTF-8 text",
        Error::UnsupportedTag { .. } => {
            "YAML tags are not supported; put text that begins with \"!\" in quotes"
        }
        Error::UnknownAnchor { .. } => {
            "an alias without its anchor; put text that begins with \"*\" in quotes"
        }
        Error::MergeKeyNotAllowed { .. } => "merge keys (<<) are not supported; write the keys out",
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => TOO_LARGE,
        // The scanner's own limit of nesting, which it reports only as text.
        Error::Message { msg, .. } | Error::ExternalMessage { msg, .. }
            if msg == "recursion limit exceeded" =>
        {
            TOO_LARGE
        }
        _ => {
            let told = plain(error);
            // For example an expression with `a ? b : c`.
            let colon = told.contains("mapping values are not allowed");
            let hint = if colon { "; put text with \": \" in it in quotes" } else { "" };
            return format!("is not valid YAML for a configuration: {told}{hint}");
        }
    };
    own.to_owned()
}

/// Returns the parser's message on one line and without its place, which is reported separately.
fn plain(error: &Error) -> String {
    let message = match error {
        Error::Message { msg, .. } | Error::ExternalMessage { msg, .. } => msg.clone(),
        other => other.without_snippet().to_string(),
    };
    message.lines().next().unwrap_or_default().to_owned()
}

enum Raw {
    Null,
    Bool(bool),
    Number(String),
    Text(Zeroizing<String>),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

/// The text that was parsed.
struct Source<'a> {
    lines: Vec<&'a str>,
    origin: &'a dyn Fn(u64) -> Option<Origin>,
}

fn lines(text: &[u8]) -> Vec<&str> {
    std::str::from_utf8(text).map(|text| text.lines().collect()).unwrap_or_default()
}

impl Source<'_> {
    /// Returns the line of the file on which a scalar begins that is written there line by line, without folding or
    /// escapes. The parser reports the first line that is not empty.
    fn first_line(&self, scalar: &str, line: u64) -> Option<u64> {
        let blank = scalar.len() - scalar.trim_start_matches('\n').len();
        let first = usize::try_from(line).ok()?.checked_sub(1)?.checked_sub(blank)?;
        let written = self.lines.get(first..)?;
        let same = |(place, text): (usize, &str)| {
            written.get(place).is_some_and(|written| written.contains(text.trim_end()))
        };
        scalar.lines().enumerate().all(same).then_some(u64::try_from(first).ok()? + 1)
    }
}

fn node(raw: Spanned<Raw>, source: &Source) -> Node {
    let mut first_line = None;
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Bool(value) => Value::Bool(value),
        Raw::Number(text) => Value::Number(text),
        Raw::Text(text) => {
            first_line = source.first_line(&text, raw.referenced.line());
            Value::Text(text)
        }
        Raw::List(items) => Value::List(items.into_iter().map(|item| node(item, source)).collect()),
        Raw::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(key, value)| {
                    // The key's line: a block value begins on the line after it.
                    let line = key.referenced.line();
                    (key.value.into_key(), Node { origin: (source.origin)(line), ..node(value, source) })
                })
                .collect(),
        ),
    };
    Node { origin: (source.origin)(raw.referenced.line()), value, first_line }
}

impl Raw {
    fn into_key(self) -> String {
        match self {
            Self::Text(text) => text.to_string(),
            Self::Number(text) => text,
            Self::Bool(value) => value.to_string(),
            // YAML's own sign for a key that is no name; no setting has that name.
            Self::Null | Self::List(_) | Self::Map(_) => "?".to_owned(),
        }
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Number(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Raw, E> {
        Ok(Raw::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Number(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Raw, E> {
        Ok(Raw::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(Zeroizing::new(value.to_owned())))
    }

    fn visit_string<E>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::Text(Zeroizing::new(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = map.next_entry::<Spanned<Raw>, Spanned<Raw>>()? {
            entries.push((key, value));
        }
        Ok(Raw::Map(entries))
    }
}
