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
    #[serde(default, deserialize_with = "bearer_unless_told")]
    token_type: Spelled,
    refresh_token: Option<RefreshToken>,
    #[serde(default, skip_serializing, deserialize_with = "secret")]
    id_token: Option<SecretString>,
    /// Seconds, as a number; some providers send text.
    #[serde(default)]
    expires_in: Value,
    #[serde(default)]
    scope: Value,
}

fn secret<'de, D: Deserializer<'de>>(text: D) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(text)?.map(SecretString::from))
}

/// A token type in the provider's spelling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Spelled(String);

impl TokenType for Spelled {}

impl Default for Spelled {
    /// Returns the only type that is used, for providers that do not name it.
    fn default() -> Self {
        Self("Bearer".to_owned())
    }
}

fn bearer_unless_told<'de, D: Deserializer<'de>>(text: D) -> Result<Spelled, D::Error> {
    Ok(Option::deserialize(text)?.unwrap_or_default())
}

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
        let scope = self.scope();
        if !scope.as_deref().is_none_or(are_scopes) {
            return unusable("token: a scope that is none");
        }
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
    fn what_providers_spell_otherwise_is_read() {
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
    fn what_can_not_be_used_is_none() {
        for bad in [
            json!({"token_type": "Bearer"}),
            json!({"access_token": "", "token_type": "Bearer"}),
            json!({"access_token": 7, "token_type": "Bearer"}),
            json!({"access_token": "a", "token_type": "DPoP"}),
            json!({"access_token": "a", "token_type": "mac"}),
            json!({"access_token": "a", "token_type": "Bearer", "id_token": {}}),
            json!({"access_token": "a", "token_type": "Bearer", "scope": "a\u{0}b"}),
            json!({"access_token": "a", "token_type": "Bearer", "scope": "a\nb"}),
            json!({"access_token": "a", "token_type": "Bearer", "scope": "é"}),
            json!({"access_token": "a", "token_type": "Bearer", "scope": "a".repeat(64 * 256 + 1)}),
        ] {
            assert!(tokens(bad.clone()).is_none(), "{bad}");
        }
    }
}
