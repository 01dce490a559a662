//! The response of a token endpoint (RFC 6749 section 5.1), read tolerantly: members that providers add, omit or spell
//! differently do no harm.

use std::fmt;
use std::time::Duration;

use oauth2::{AccessToken, RefreshToken, Scope, TokenResponse, TokenType};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::super::characters::are_scopes;
use super::super::fault::{FaultKind, ProviderFault};
use super::super::proof::ProviderTokens;
use crate::model::Timestamp;

/// The members that are used.
#[derive(Serialize, Deserialize)]
pub(super) struct TokenAnswer {
    access_token: AccessToken,
    /// Some providers omit it; every access token is sent as one of this type.
    #[serde(default, deserialize_with = "spelled")]
    token_type: Spelled,
    #[serde(default, deserialize_with = "refresh_token")]
    refresh_token: Option<RefreshToken>,
    #[serde(default, skip_serializing, deserialize_with = "secret")]
    id_token: Option<SecretString>,
    /// Seconds, as a number; some providers send text.
    #[serde(default)]
    expires_in: Value,
    #[serde(default)]
    scope: Value,
}

/// Reads a text. A value of another type is absent: only the access token must be readable.
fn text<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(value)? {
        Value::String(text) => Some(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    })
}

fn secret<'de, D: Deserializer<'de>>(value: D) -> Result<Option<SecretString>, D::Error> {
    Ok(text(value)?.map(SecretString::from))
}

fn refresh_token<'de, D: Deserializer<'de>>(value: D) -> Result<Option<RefreshToken>, D::Error> {
    Ok(text(value)?.map(RefreshToken::new))
}

fn spelled<'de, D: Deserializer<'de>>(value: D) -> Result<Spelled, D::Error> {
    Ok(text(value)?.map(Spelled).unwrap_or_default())
}

/// A token type in the provider's spelling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Spelled(String);

impl Default for Spelled {
    fn default() -> Self {
        Self("Bearer".to_owned())
    }
}

impl TokenType for Spelled {}

impl fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenAnswer(…)")
    }
}

impl TokenResponse for TokenAnswer {
    type TokenType = Spelled;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &Spelled {
        &self.token_type
    }

    fn expires_in(&self) -> Option<Duration> {
        let seconds = match &self.expires_in {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        seconds.map(Duration::from_secs)
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    /// They are passed on as one text.
    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}

impl TokenAnswer {
    /// Returns its scopes, separated by spaces, if any. Twitch sends them as a list.
    fn scope(&self) -> Option<String> {
        match &self.scope {
            Value::String(scope) => Some(scope.clone()),
            Value::Array(scopes) => {
                Some(scopes.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
        }
    }

    /// Returns the tokens, if they are usable: an access token of type Bearer (section 7.1).
    pub(super) fn tokens(self, now: Timestamp) -> Result<ProviderTokens, ProviderFault> {
        let unusable = |cause| Err(ProviderFault::new(FaultKind::Malformed, cause));
        if !self.token_type.0.eq_ignore_ascii_case("bearer") {
            return unusable("token: a token type other than Bearer");
        }
        let secret = |text: &str| (!text.is_empty()).then(|| SecretString::from(text));
        let Some(access_token) = secret(self.access_token.secret()) else {
            return unusable("token: an empty access token");
        };
        let scope = self.scope().filter(|scope| are_scopes(scope));
        Ok(ProviderTokens {
            access_token,
            expires_at: self
                .expires_in()
                .map(|seconds| now.plus(seconds))
                .filter(|at| *at <= Timestamp::LAST),
            refresh_token: self.refresh_token.as_ref().and_then(|token| secret(token.secret())),
            id_token: self.id_token.filter(|token| !token.expose_secret().is_empty()),
            scope,
            token_type: self.token_type.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tokens(answer: Value) -> Option<ProviderTokens> {
        serde_json::from_value::<TokenAnswer>(answer).ok()?.tokens(Timestamp::from_seconds(1000)).ok()
    }

    #[test]
    fn nonstandard_token_responses_are_read() {
        let read = tokens(json!({
            "access_token": "a", "token_type": "bEARER", "expires_in": "60", "refresh_token": "r", "id_token": "i",
            "scope": "read:user,user:email", "ext_expires_in": [], "not_before_policy": 0,
        }))
        .unwrap();
        assert_eq!(read.token_type, "bEARER");
        assert_eq!(read.expires_at, Some(Timestamp::from_seconds(1060)));
        assert_eq!(read.scope.as_deref(), Some("read:user,user:email"));
        let secrets = [&read.access_token, &read.refresh_token.unwrap(), &read.id_token.unwrap()];
        assert_eq!(secrets.map(ExposeSecret::expose_secret), ["a", "r", "i"]);
        for (expires_in, wanted) in [
            (json!(0), Some(1000)),
            (json!(253_402_299_799_u64), Some(253_402_300_799)),
            // Beyond the year 9999, which a Timestamp cannot tell.
            (json!(253_402_299_800_u64), None),
            (json!(1_000_000_000_000_u64), None),
            (json!(u64::MAX), None),
            (json!(-1), None),
            (json!("soon"), None),
            (json!(null), None),
            (json!([60]), None),
        ] {
            let read = tokens(json!({"access_token": "a", "token_type": "bearer", "expires_in": expires_in}));
            assert_eq!(read.unwrap().expires_at.map(Timestamp::seconds), wanted, "{expires_in}");
        }
        assert_eq!(tokens(json!({"access_token": "a"})).unwrap().token_type, "Bearer");
        let bare =
            tokens(json!({"access_token": "a", "token_type": "Bearer", "scope": "", "id_token": null}));
        let bare = bare.unwrap();
        assert!(bare.id_token.is_none() && bare.refresh_token.is_none());
        for untyped in [json!({"access_token": "a"}), json!({"access_token": "a", "token_type": null})] {
            assert_eq!(tokens(untyped).unwrap().token_type, "Bearer");
        }
        for (scope, wanted) in [
            (json!("a b"), Some("a b")),
            (json!(["a", "b"]), Some("a b")),
            // Not as requested, but none.
            (json!(""), Some("")),
            (json!([]), Some("")),
            (json!(null), None),
            (json!(7), None),
        ] {
            let read = tokens(json!({"access_token": "a", "token_type": "bearer", "scope": scope}));
            assert_eq!(read.unwrap().scope.as_deref(), wanted, "{scope}");
        }
    }

    #[test]
    fn unusable_token_responses_are_faults() {
        for bad in [
            json!({"token_type": "Bearer"}),
            json!({"access_token": null, "token_type": "Bearer"}),
            json!({"access_token": "", "token_type": "Bearer"}),
            json!({"access_token": 7, "token_type": "Bearer"}),
            json!({"access_token": "a", "token_type": "DPoP"}),
            json!({"access_token": "a", "token_type": "mac"}),
        ] {
            assert!(tokens(bad.clone()).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_member_besides_the_access_token_harms_nothing() {
        for value in [json!(null), json!(7), json!({}), json!([]), json!(true)] {
            let read = tokens(json!({
                "access_token": "a", "token_type": value, "refresh_token": value, "id_token": value, "expires_in": value,
            }));
            let read = read.unwrap();
            assert_eq!(read.token_type, "Bearer");
            assert!(read.refresh_token.is_none() && read.id_token.is_none());
        }
        for scope in ["a\u{0}b", "a\nb", "é", &"a".repeat(64 * 256 + 1)] {
            let read = tokens(json!({"access_token": "a", "scope": scope})).unwrap();
            assert_eq!(read.scope, None, "{scope}");
        }
    }
}
