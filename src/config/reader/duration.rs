//! Durations: one whole number and one unit (`500ms`, `15m`, `90d`), within the bounds of its setting.

use super::read::Setting;
use super::tree::Value;
use std::ops::RangeInclusive;
use std::time::Duration;

const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Returns `n` days.
pub(in crate::config) const fn days(n: u64) -> Duration {
    Duration::from_secs(n * 86_400)
}

/// Parses `text` as a duration: digits and a unit, nothing between.
fn parse(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*millis).map(Duration::from_millis)
}

/// Spells a duration as the configuration does, in the largest unit that leaves no remainder.
pub(in crate::config) fn spell(duration: Duration) -> String {
    let millis = duration.as_millis();
    let fits = |&&(_, unit): &&(&str, u64)| millis.is_multiple_of(u128::from(unit));
    match UNITS.iter().find(fits) {
        Some(&(unit, length)) if millis > 0 => format!("{}{unit}", millis / u128::from(length)),
        _ => "0s".to_owned(),
    }
}

impl Setting<'_> {
    /// Reads a duration within `range`.
    pub(in crate::config) fn duration(self, range: &RangeInclusive<Duration>) -> Option<Duration> {
        let bare = match &self.value {
            Value::Number(number) => Some(number.as_str()),
            Value::Variable(text) if text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty() => {
                Some(text.as_str())
            }
            _ => None,
        };
        if let Some(number) = bare {
            return self.refuse(format!("a duration needs its unit; write \"{number}s\" for seconds"));
        }
        let text = self.text()?;
        let Some(duration) = parse(text.trim()) else {
            return self.refuse(
                "must be a number with one unit of ms, s, m, h, d; write \"500ms\", \"15m\" or \"90d\"",
            );
        };
        if range.contains(&duration) {
            return Some(duration);
        }
        self.refuse(format!("must be from {} to {}", spell(*range.start()), spell(*range.end())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_one_number_and_one_unit() {
        for (text, millis) in [
            ("500ms", 500),
            ("0s", 0),
            ("15s", 15_000),
            ("15m", 900_000),
            ("1h", 3_600_000),
            ("90d", 7_776_000_000),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in
            ["", "5", "s", "1h30m", "5 s", "-5s", "+5s", "1.5h", "5S", "5min", "5us", "99999999999999999999d"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_duration_is_spelt_as_it_is_read() {
        for text in ["0s", "1ms", "1500ms", "90s", "15m", "36h", "90d"] {
            assert_eq!(parse(text).map(spell).as_deref(), Some(text));
        }
    }
}
