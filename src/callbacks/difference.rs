//! The difference that a callback's answer would make, without values: kinds of decisions and names of claims.

use crate::auth::{Answer, CallbackResult, JwtDecision, Question, SignInDecision};
use crate::model::ClaimMap;

/// The maximum number of claims that are named.
const NAMED: usize = 16;

/// The changes that an answer would make; empty if it agrees.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference(pub(super) Vec<String>);

fn one(word: &str) -> Difference {
    Difference(vec![word.to_owned()])
}

impl Difference {
    /// Compares an answer with the decision that was made without it.
    pub(super) fn of(question: Question<'_>, answer: Answer) -> CallbackResult<Self> {
        Ok(match question {
            Question::SignIn(_) => of_sign_in(&answer.sign_in()?),
            Question::Jwt(input) => of_jwt(input.claims, &answer.jwt()?),
            Question::Session(input) => of_claims(input.claims, &answer.session()?),
            Question::Redirect(input) => of_redirect(input.url, answer.redirect()?.as_deref()),
        })
    }
}

/// Compares a decision with a sign-in that continues.
fn of_sign_in(decision: &SignInDecision) -> Difference {
    match decision {
        SignInDecision::Allow => Difference(Vec::new()),
        SignInDecision::Deny(_) => one("deny"),
        SignInDecision::Redirect(_) => one("redirect"),
    }
}

/// Compares a decision with a token with these claims.
fn of_jwt(claims: &ClaimMap, decision: &JwtDecision) -> Difference {
    match decision {
        JwtDecision::Claims(additions) => of_claims(claims, additions),
        JwtDecision::Deny(_) => one("deny"),
    }
}

/// Compares additions with these claims: `+name` would be added, `~name` changed, `-name` removed.
fn of_claims(claims: &ClaimMap, additions: &ClaimMap) -> Difference {
    let mut changes = additions.iter().filter_map(|(name, value)| {
        let sign = match claims.get(name) {
            Some(_) if value.is_null() => '-',
            Some(before) if before != value => '~',
            None if !value.is_null() => '+',
            Some(_) | None => return None,
        };
        Some(format!("{sign}{}", name.escape_debug()))
    });
    let mut named: Vec<String> = changes.by_ref().take(NAMED).collect();
    let more = changes.count();
    if more > 0 {
        named.push(format!("and {more} more"));
    }
    Difference(named)
}

/// Compares an answer with a redirect to this URL.
fn of_redirect(url: &str, answer: Option<&str>) -> Difference {
    if answer.is_none_or(|answer| answer == url) { Difference(Vec::new()) } else { one("url") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: &serde_json::Value) -> ClaimMap {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn claims_that_would_be_otherwise_are_named_without_their_values() {
        let claims = map(&json!({"kept": 1, "changed": "a", "gone": true}));
        let additions = map(&json!({"kept": 1, "changed": "b", "gone": null, "new": [1], "never": null}));
        let Difference(mut named) = of_claims(&claims, &additions);
        named.sort();
        assert_eq!(named, ["+new", "-gone", "~changed"]);
        assert_eq!(of_claims(&claims, &ClaimMap::new()), Difference(Vec::new()));
    }

    #[test]
    fn names_are_few_and_on_one_line() {
        let many: ClaimMap = (0..20).map(|n| (format!("n{n}"), json!(1))).collect();
        let Difference(named) = of_claims(&ClaimMap::new(), &many);
        assert_eq!((named.len(), named[NAMED].as_str()), (NAMED + 1, "and 4 more"));
        let odd = map(&json!({"a\nb": 1}));
        assert_eq!(of_claims(&ClaimMap::new(), &odd), Difference(vec!["+a\\nb".to_owned()]));
    }

    #[test]
    fn differing_decisions_are_named_by_their_kind() {
        let told = |Difference(told): Difference| told.join(" ");
        assert_eq!(told(of_sign_in(&SignInDecision::Allow)), "");
        assert_eq!(told(of_sign_in(&SignInDecision::deny("why"))), "deny");
        assert_eq!(told(of_sign_in(&SignInDecision::Redirect("/x".to_owned()))), "redirect");
        assert_eq!(told(of_jwt(&ClaimMap::new(), &JwtDecision::Deny(None))), "deny");
        for (answer, wanted) in [(None, ""), (Some("/x"), ""), (Some("/y"), "url")] {
            assert_eq!(told(of_redirect("/x", answer)), wanted);
        }
    }
}
