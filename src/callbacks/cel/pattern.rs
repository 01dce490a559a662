//! Patterns of `matches()`, in RE2's syntax, compiled with their expression. Text and pattern together bound the time
//! of the engine, so both are charged for.

use std::any::Any;

use cel::ExecutionError;
use cel::common::types::{CelBool, CelString, Type};
use cel::common::value::{CowVal, StaticVal, Val};
use regex::{Regex, RegexBuilder};

use super::budget::{Budget, text_weight};
use super::fault::failed;
use super::names::PATTERN_TYPE;

/// The maximum size of a compiled pattern, in KiB.
const MAX_KIB: usize = 64;
/// The maximum size of the engine's cache, in bytes.
const MAX_MEMORY: usize = 512 * 1024;
/// The additional cost of a pattern, for each KiB: the engine may have to follow all its states for each byte of the
/// text.
const STATES: u64 = 8;

/// A pattern.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    regex: Regex,
    kib: u64,
}

impl Pattern {
    /// Compiles a pattern. The error describes the fault.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let text = of_ascii(text);
        let build =
            |kib: usize| RegexBuilder::new(&text).size_limit(kib * 1024).dfa_size_limit(MAX_MEMORY).build();
        // The library does not report the size of a pattern, only that it is too large.
        let mut sizes = std::iter::successors(Some(1), |kib| Some(kib * 2)).take_while(|kib| *kib < MAX_KIB);
        let fitting = sizes.find_map(|kib| build(kib).ok().map(|regex| (regex, kib)));
        let (regex, kib) = match fitting {
            Some(found) => found,
            None => (build(MAX_KIB).map_err(|error| told(&error))?, MAX_KIB),
        };
        Ok(Self { regex, kib: u64::try_from(kib).unwrap_or(u64::MAX) })
    }
}

fn told(error: &regex::Error) -> String {
    if let regex::Error::CompiledTooBig(_) = error {
        return "the pattern is too large; use fewer repetitions".to_owned();
    }
    let told = error.to_string();
    let last = told.lines().last().unwrap_or_default();
    format!("invalid pattern: {}", last.trim_start_matches("error: "))
}

/// Returns the pattern with RE2's meaning of `\d`, `\s`, `\w` and `\b`, which is ASCII's.
fn of_ascii(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        match characters.next() {
            Some('d') => text.push_str("[0-9]"),
            Some('D') => text.push_str("[^0-9]"),
            Some('s') => text.push_str(r"[\t\n\f\r ]"),
            Some('S') => text.push_str(r"[^\t\n\f\r ]"),
            Some('w') => text.push_str("[0-9A-Za-z_]"),
            Some('W') => text.push_str("[^0-9A-Za-z_]"),
            Some('b') => text.push_str(r"(?-u:\b)"),
            Some('B') => text.push_str(r"(?-u:\B)"),
            other => text.extend(['\\'].into_iter().chain(other)),
        }
    }
    text
}

/// Implements `text.matches(pattern)`.
pub(super) fn matches<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let wrong = || failed("matches() takes a string and a pattern");
    let [budget, text, pattern] = args.as_slice() else { return Err(wrong()) };
    let budget = budget.downcast_ref::<Budget>().ok_or_else(wrong)?;
    let text = text.downcast_ref::<CelString>().ok_or_else(wrong)?;
    let Pattern { regex, kib } = pattern.downcast_ref::<Pattern>().ok_or_else(wrong)?;
    budget.charge(text_weight(text.len()).saturating_mul(1 + STATES * kib))?;
    Ok(CowVal::owned(CelBool::from(regex.is_match(text))))
}

impl Val for Pattern {
    fn get_type(&self) -> &Type {
        &PATTERN_TYPE
    }

    fn cel_type() -> &'static Type {
        &PATTERN_TYPE
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Pattern {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_ascii() {
        for (pattern, text, is) in [
            (r"^\w+$", "Ada_1", true),
            (r"^\w+$", "Zoë", false),
            (r"^[\w.-]+@\w+\.\w+$", "ada.l-1@example.com", true),
            (r"^\d\D\s\S$", "1a b", true),
            (r"^\d$", "٣", false),
            (r"^\\d$", r"\d", true),
            (r"\bacme\b", "the acme corp", true),
            (r"\bacme\b", "acmes", false),
            (r"^[^\d]$", "x", true),
            ("^.{2}$", "äö", true),
            ("(?i)^ÄÖ$", "äö", true),
        ] {
            assert_eq!(Pattern::new(pattern).unwrap().regex.is_match(text), is, "{pattern} {text}");
        }
    }

    #[test]
    fn usual_patterns_are_below_the_size_limit() {
        for (pattern, kib) in [
            ("^[a-z]+@example[.]com$", 1),
            (r"^[\w.+-]+@[\w-]+\.[\w.-]+$", 2),
            (r"^\d{4}-\d{2}-\d{2}$", 1),
            ("^.{1,32}$", 64),
        ] {
            assert!(
                Pattern::new(pattern).unwrap().kib <= kib,
                "{pattern} {}",
                Pattern::new(pattern).unwrap().kib
            );
        }
    }
}
