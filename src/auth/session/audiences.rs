//! Audiences: the services that a token is for.

use crate::auth::error::{Error, Result};

/// Chooses the audiences of a token: the requested ones, if all are granted and configured. If none is requested, it
/// chooses the held ones that are.
pub(super) fn choose_audiences(
    asked: &[String],
    held: &[String],
    granted: &[String],
    configured: &[String],
) -> Result<Vec<String>> {
    if asked.is_empty() {
        let is_kept = |audience: &&String| configured.contains(audience) && granted.contains(audience);
        let kept: Vec<_> = held.iter().filter(is_kept).cloned().collect();
        if kept.is_empty() {
            let none_left = "none of the session's audiences is still configured";
            return Err(Error::invalid("audiences", none_left));
        }
        return Ok(kept);
    }
    if !asked.iter().all(|audience| configured.contains(audience)) {
        return Err(Error::invalid("audiences", "must be among the configured tokens.audiences"));
    }
    if !asked.iter().all(|audience| granted.contains(audience)) {
        return Err(Error::invalid("audiences", "must be among those that IssueToken granted"));
    }
    let mut chosen: Vec<String> = Vec::new();
    for audience in asked {
        if !chosen.contains(audience) {
            chosen.push(audience.clone());
        }
    }
    Ok(chosen)
}

/// Rejects a token if its audiences include neither the requested one nor, if none is requested, a configured one.
pub(super) fn check_audience(audiences: &[String], asked: &str, configured: &[String]) -> Result<()> {
    let meant = if asked.is_empty() {
        audiences.iter().any(|audience| configured.contains(audience))
    } else {
        audiences.iter().any(|audience| audience == asked)
    };
    if meant { Ok(()) } else { Err(Error::TokenAudienceMismatch) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn audiences_are_the_requested_ones_or_else_those_of_the_session() {
        let configured = list(&["a", "b", "c", "d"]);
        let granted = list(&["a", "b", "c", "gone"]);
        for (asked, held, chosen) in [
            (&["b"][..], &["a"][..], Some(&["b"][..])),
            (&["b", "a", "b"], &[], Some(&["b", "a"])),
            (&["a", "other"], &["a"], None),
            (&["a", "d"], &["a"], None),
            (&["d"], &["d"], None),
            (&["gone"], &["gone"], None),
            (&[], &["c", "a"], Some(&["c", "a"])),
            (&[], &["gone", "a"], Some(&["a"])),
            // An older version lets a refresh ask for more than was granted.
            (&[], &["d", "a"], Some(&["a"])),
            (&[], &["d"], None),
            (&[], &["gone"], None),
            (&[], &[], None),
        ] {
            let found = choose_audiences(&list(asked), &list(held), &granted, &configured).ok();
            assert_eq!(found, chosen.map(list), "{asked:?} {held:?}");
        }
    }

    #[test]
    fn a_token_must_have_the_requested_audience_or_any_configured_one() {
        let configured = list(&["a", "b"]);
        for (audiences, asked, meant) in [
            (&["a"][..], "", true),
            (&["other", "b"], "", true),
            (&["other"], "", false),
            (&["a"], "a", true),
            (&["a"], "b", false),
            // A caller may request an audience that is no longer configured.
            (&["other"], "other", true),
        ] {
            let checked = check_audience(&list(audiences), asked, &configured);
            assert_eq!(checked.is_ok(), meant, "{audiences:?} {asked:?}");
        }
    }
}
