//! The claims about one person from several sources: the ID token, the userinfo endpoint, and Apple's page.

use serde_json::Value;

use crate::model::claims::member;
use crate::model::{ClaimMap, parse_object_leniently};

/// The maximum size of the JSON that Apple posts, in bytes.
const MAX_USER: usize = 4096;

/// Merges all claims; those of the ID token win. `email_verified` is used only from the source of the e-mail address:
/// otherwise one source would verify the address of the other.
pub(in crate::oauth) fn merge(mut userinfo: ClaimMap, mut id_token: ClaimMap) -> ClaimMap {
    match (member(&id_token, "email"), member(&userinfo, "email")) {
        (Some(email), Some(other)) if email == other => {}
        (Some(_), _) => drop(userinfo.remove("email_verified")),
        (None, Some(_)) => drop(id_token.remove("email_verified")),
        (None, None) => {}
    }
    // A null is absent: it replaces nothing.
    id_token.retain(|name, value| !value.is_null() || !userinfo.contains_key(name));
    userinfo.extend(id_token);
    userinfo
}

/// Adds the name from the JSON that Apple posts at the first sign-in, if the ID token has none. The JSON comes through
/// the browser unsigned: nothing else of it is used, and invalid JSON is ignored.
pub(in crate::oauth) fn with_name_of_apple(claims: &mut ClaimMap, user: &str) {
    if user.len() > MAX_USER
        || claims.get("name").and_then(Value::as_str).is_some_and(|name| !name.is_empty())
    {
        return;
    }
    let Ok(user) = parse_object_leniently(user.as_bytes()) else { return };
    let part =
        |part: &str| user.get("name")?.get(part)?.as_str().map(str::trim).filter(|part| !part.is_empty());
    let parts: Vec<&str> = ["firstName", "lastName"].into_iter().filter_map(part).collect();
    if !parts.is_empty() {
        claims.insert("name".to_owned(), parts.join(" ").into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: &Value) -> ClaimMap {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn the_id_token_wins_and_its_verification_covers_only_its_own_email() {
        let (a, b) = ("a@example.com", "b@example.com");
        for (userinfo, id_token, wanted) in [
            (
                json!({"sub": "1", "name": "u"}),
                json!({"sub": "1", "name": "i"}),
                json!({"sub": "1", "name": "i"}),
            ),
            (json!({"email": a}), json!({}), json!({"email": a})),
            (
                json!({"email": a, "email_verified": true}),
                json!({"email": null, "email_verified": false}),
                json!({"email": a, "email_verified": true}),
            ),
            (json!({"email": null}), json!({"email": a, "name": null}), json!({"email": a, "name": null})),
            (json!({"email": b, "email_verified": true}), json!({"email": a}), json!({"email": a})),
            (json!({"email_verified": true}), json!({"email": a}), json!({"email": a})),
            (json!({"email": a}), json!({"email_verified": true}), json!({"email": a})),
            (
                json!({"email": a, "email_verified": false}),
                json!({"email_verified": true}),
                json!({"email": a, "email_verified": false}),
            ),
            (
                json!({"email": a, "email_verified": true}),
                json!({"email": a}),
                json!({"email": a, "email_verified": true}),
            ),
            (
                json!({"email": a, "email_verified": true}),
                json!({"email": a, "email_verified": false}),
                json!({"email": a, "email_verified": false}),
            ),
        ] {
            assert_eq!(Value::Object(merge(map(&userinfo), map(&id_token))), wanted, "{userinfo} {id_token}");
        }
    }

    #[test]
    fn only_the_name_is_used_of_apples_posted_user() {
        let long = format!(r#"{{"name":{{"firstName":"{}"}}}}"#, "x".repeat(MAX_USER));
        for (claims, user, wanted) in [
            (
                json!({"sub": "1"}),
                r#"{"name":{"firstName":" Ada ","lastName":"Lovelace"},"email":"eve@example.com","sub":"2"}"#,
                json!({"sub": "1", "name": "Ada Lovelace"}),
            ),
            (json!({}), r#"{"name":{"lastName":"Lovelace"}}"#, json!({"name": "Lovelace"})),
            (json!({"name": ""}), r#"{"name":{"firstName":"Ada"}}"#, json!({"name": "Ada"})),
            (json!({"name": "Ada"}), r#"{"name":{"firstName":"Eve"}}"#, json!({"name": "Ada"})),
            (json!({}), r#"{"name":{"firstName":["Ada"]}}"#, json!({})),
            (json!({}), r#"{"name":"Ada"}"#, json!({})),
            (json!({}), "Ada", json!({})),
            (json!({}), &long, json!({})),
        ] {
            let mut told = map(&claims);
            with_name_of_apple(&mut told, user);
            assert_eq!(Value::Object(told), wanted, "{claims} {user}");
        }
    }
}
