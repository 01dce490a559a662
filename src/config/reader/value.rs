//! Readers of single values: text, numbers, choices, addresses, lists. Each returns the value, or records what to write
//! instead and returns `None`. The file's values must have the right type; a variable's text is parsed as the wanted
//! type.

use super::read::Setting;
use super::tree::{Node, Value};
use super::yaml;
use crate::model::suggest;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

impl<'a> Setting<'a> {
    fn not(&self, wanted: &str) -> String {
        match self.value {
            Value::Null => format!("has no value; give {wanted}, or leave the key out"),
            ref other => format!("must be {wanted}, not {}", other.kind()),
        }
    }

    /// Reads text that is not empty.
    pub(in crate::config) fn text(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) | Value::Variable(text) if text.is_empty() => self.refuse("must not be empty"),
            Value::Text(text) | Value::Variable(text) => Some(text.to_string()),
            Value::Bool(_) | Value::Number(_) => {
                self.refuse(format!("{}; put it in quotes", self.not("text")))
            }
            Value::Null | Value::List(_) | Value::Map(_) => self.refuse(self.not("text")),
        }
    }

    /// Reads `true` or `false`.
    pub(in crate::config) fn boolean(self) -> Option<bool> {
        match &self.value {
            Value::Bool(value) => Some(*value),
            Value::Variable(text) if matches!(text.as_str(), "true" | "false") => {
                Some(text.as_str() == "true")
            }
            Value::Variable(_) => self.refuse("must be true or false"),
            _ => self.refuse(self.not("true or false (without quotes)")),
        }
    }

    /// Reads a whole number within `range`.
    pub(in crate::config) fn integer<T>(self, range: &RangeInclusive<T>) -> Option<T>
    where
        T: std::str::FromStr + PartialOrd + std::fmt::Display,
    {
        let text = match &self.value {
            Value::Variable(text) => text.trim(),
            Value::Number(text) => text.as_str(),
            _ => return self.refuse(self.not("a number (without quotes)")),
        };
        let value = text.parse().ok().filter(|value| range.contains(value));
        value.or_else(|| {
            self.refuse(format!("must be a whole number from {} to {}", range.start(), range.end()))
        })
    }

    /// Reads one of the listed names.
    pub(in crate::config) fn choice<T: Copy>(self, choices: &[(&'static str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = choices.iter().find(|(name, _)| *name == text).map(|&(_, value)| value);
        found.or_else(|| {
            let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            let mut message = format!("must be one of {}", names.join(", "));
            if let Some(meant) = suggest::nearest(&text, names) {
                let _ = write!(message, "; did you mean \"{meant}\"?");
            }
            self.refuse(message)
        })
    }

    /// Reads an address to listen on: an IP address and a port.
    pub(in crate::config) fn address(self) -> Option<SocketAddr> {
        let text = self.text()?;
        text.parse().ok().or_else(|| {
            let port = text.rsplit(':').next().filter(|port| port.parse::<u16>().is_ok()).unwrap_or("8080");
            let host = if text.starts_with(':') { "0.0.0.0" } else { "127.0.0.1" };
            self.refuse(format!(
                "must be an IP address and a port; write \"{host}:{port}\" (IPv6: \"[::1]:{port}\")"
            ))
        })
    }

    /// Reads the path of a PEM file, plain or as `{file: PATH}`.
    pub(in crate::config) fn pem_file(self) -> Option<PathBuf> {
        let setting = self.flow_if("{", "{file: PATH}")?;
        let text = match &setting.value {
            Value::Map(entries) => match entries.as_slice() {
                [(key, node)] if key == "file" => match &node.value {
                    Value::Text(path) | Value::Variable(path) if !path.is_empty() => path.to_string(),
                    _ => return setting.refuse("must be the path of a PEM file"),
                },
                _ => return setting.refuse("must be the path of a PEM file, or {file: PATH}"),
            },
            _ => setting.text()?,
        };
        if text.contains("-----BEGIN") {
            return setting.refuse("must be the path of a PEM file, not what is in it");
        }
        Some(PathBuf::from(text))
    }

    /// Reads a list: in YAML, or in a variable as `a,b` or `[a, b]`. An empty variable is the empty list.
    pub(in crate::config) fn list(self) -> Option<Vec<Self>> {
        let setting = self.flow_if("[", "a list")?;
        let (cx, path) = (setting.cx, &setting.path);
        let at = |index: usize| format!("{path}[{index}]");
        let items: Vec<Node> = match setting.value {
            Value::List(items) => items,
            Value::Variable(ref text) if text.trim().is_empty() => Vec::new(),
            Value::Variable(ref text) => {
                let items = text.split(',').map(|item| Value::Variable(item.trim().to_owned().into()));
                items.map(|value| Node { origin: cx.origin(path), value, first_line: None }).collect()
            }
            ref other => {
                let mut message = setting.not("a list");
                if matches!(other, Value::Text(_)) {
                    message.push_str("; begin it with \"- \"");
                }
                return setting.refuse(message);
            }
        };
        Some(items.into_iter().enumerate().map(|(index, node)| Setting::new(cx, at(index), node)).collect())
    }

    /// Reads the entries of a map with arbitrary keys, in the order written.
    pub(in crate::config) fn entries(self) -> Option<Vec<(String, Self)>> {
        let setting = self.flow_if("{", "a section of keys")?;
        let (cx, path) = (setting.cx, &setting.path);
        let Value::Map(entries) = setting.value else {
            return setting.refuse(setting.not("a section of keys"));
        };
        let mut settings: Vec<(String, Self)> = Vec::with_capacity(entries.len());
        for (key, node) in entries {
            let at = format!("{path}.{key}");
            if settings.iter().any(|(name, _)| *name == key) {
                cx.fault_at(node.origin, &at, "given twice; keep one");
            } else {
                settings.push((key, Setting::new(cx, at, node)));
            }
        }
        Some(settings)
    }

    /// Reads a list of distinct values, as many as `bounds` allow; `read` parses each. `empty` is the fault of an empty
    /// list.
    pub(in crate::config) fn distinct<T: PartialEq>(
        self,
        bounds: RangeInclusive<usize>,
        empty: Option<&str>,
        mut read: impl FnMut(Setting<'a>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let (cx, path) = (self.cx, self.path.clone());
        let items = self.list()?;
        if !bounds.contains(&items.len()) {
            let (least, most) = bounds.into_inner();
            let wanted = if least == most { least.to_string() } else { format!("{least} to {most}") };
            let told = || format!("must have {wanted} entries, not {}", items.len());
            cx.fault(&path, empty.filter(|_| items.is_empty()).map_or_else(told, str::to_owned));
            return None;
        }
        let mut values: Vec<T> = Vec::with_capacity(items.len());
        let mut sound = true;
        for item in items {
            let at = item.path.clone();
            match read(item) {
                Some(value) if values.contains(&value) => {
                    cx.fault(&at, "given twice; keep one");
                    sound = false;
                }
                Some(value) => values.push(value),
                None => sound = false,
            }
        }
        sound.then_some(values)
    }

    /// Parses a variable's text as YAML if it begins with `opening`; otherwise returns the setting unchanged.
    pub(in crate::config) fn flow_if(mut self, opening: &str, wanted: &str) -> Option<Self> {
        if let Value::Variable(text) = &self.value
            && text.trim_start().starts_with(opening)
        {
            let origin = self.cx.origin(&self.path);
            // The parser's message could quote the text, which may hold secrets.
            let Ok(Some(node)) = yaml::parse(text.as_bytes(), &|_| origin.clone()) else {
                return self.refuse(format!("begins with \"{opening}\" and is not YAML for {wanted}"));
            };
            self.value = node.value;
        }
        Some(self)
    }
}
