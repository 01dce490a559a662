//! The nearest of the names that would have been right, for a name that is not.

/// The known name nearest to `name`, if it is near enough to have been meant.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_ascii_lowercase();
    known
        .into_iter()
        .map(|candidate| (distance(&name, &candidate.to_ascii_lowercase()), candidate))
        .filter(|&(far, candidate)| far <= (candidate.len() / 4).max(1))
        .min_by_key(|&(far, _)| far)
        .map(|(_, candidate)| candidate)
}

/// `; did you mean "grpc_addr"?`, or the known names when none is near.
#[must_use]
pub fn instead(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(candidate) => format!("did you mean \"{candidate}\"?"),
        None => format!("write one of {}", known.join(", ")),
    }
}

/// Levenshtein's distance, in bytes, over at most the 64 bytes that any known name could have.
fn distance(a: &str, b: &str) -> usize {
    if a.len() > 64 {
        return a.len();
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row.first().copied().unwrap_or(0);
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_changed_missing_and_added_letters() {
        for (a, b, far) in
            [("", "", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("grpc_adr", "grpc_addr", 1)]
        {
            assert_eq!((distance(a, b), distance(b, a)), (far, far), "{a} {b}");
        }
    }

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
