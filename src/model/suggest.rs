//! Suggestions for misspelled names: the nearest known name.

use strsim::levenshtein;

/// The longest name that is compared. No known name is longer, and the cost grows with the length.
const MAX_BYTES: usize = 64;

/// Returns the known name nearest to `name`, if it is close enough to be a misspelling.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > MAX_BYTES {
        return None;
    }
    let name = name.to_ascii_lowercase();
    known
        .into_iter()
        .map(|candidate| (levenshtein(&name, &candidate.to_ascii_lowercase()), candidate))
        .filter(|&(far, candidate)| far <= (candidate.len() / 4).max(1))
        .min_by_key(|&(far, _)| far)
        .map(|(_, candidate)| candidate)
}

/// Returns `; did you mean "grpc_addr"?`, or the known names if none is near.
#[must_use]
pub fn instead(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(candidate) => format!("did you mean \"{candidate}\"?"),
        None => format!("write one of {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_near_name_is_suggested() {
        let known = ["grpc_addr", "http_addr", "tls"];
        for (name, wanted) in [
            ("grpc_adr", Some("grpc_addr")),
            ("GRPC_ADDR", Some("grpc_addr")),
            ("grpcaddr", Some("grpc_addr")),
            ("tsl", None),
            ("tl", Some("tls")),
            ("colour", None),
            (&"x".repeat(1000), None),
        ] {
            assert_eq!(nearest(name, known), wanted, "{name}");
        }
        assert_eq!(instead("colour", &known), "write one of grpc_addr, http_addr, tls");
    }
}
