//! The typed claims of an access token: those of RFC 9068 section 2.2, and those of Gatepass. They contain only values
//! that the verifier has checked.

use std::sync::Arc;

use serde_json::Value;

use crate::model::{ClaimMap, SessionId, Timestamp, TokenId, UserId};

/// The claims of an access token.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessClaims {
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub user_id: UserId,
    /// `aud`; always an array.
    pub audiences: Vec<String>,
    /// `exp`; whole seconds.
    pub expires_at: Timestamp,
    /// `iat`; whole seconds.
    pub issued_at: Timestamp,
    /// `jti`.
    pub token_id: TokenId,
    /// `sid`.
    pub session_id: SessionId,
    /// `auth_time`; whole seconds.
    pub authenticated_at: Timestamp,
    /// `client_id`: the group of callers that holds the session.
    pub client_id: String,
    /// `epoch`: the user's epoch when the session was created.
    pub epoch: i64,
    /// `provider`.
    pub provider: String,
    /// `session_exp`: expiry of the session; whole seconds.
    pub session_expires_at: Timestamp,
    /// `name`, `email`, `email_verified`, `picture`, `role`: those selected in the configuration.
    pub user: UserClaims,
    /// The claims added by `jwt` callbacks.
    pub added: Arc<ClaimMap>,
}

/// The claims about the user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserClaims {
    /// `name`.
    pub name: Option<String>,
    /// `email`.
    pub email: Option<String>,
    /// `email_verified`.
    pub email_verified: Option<bool>,
    /// `picture`.
    pub picture: Option<String>,
    /// `role`.
    pub role: Option<String>,
}

impl AccessClaims {
    /// Returns the claims as a JSON object.
    pub(super) fn to_json(&self) -> ClaimMap {
        let mut map = (*self.added).clone();
        let mut set = |name: &str, value: Value| {
            map.insert(name.to_owned(), value);
        };
        set("iss", self.issuer.as_str().into());
        set("sub", self.user_id.to_string().into());
        set("aud", self.audiences.clone().into());
        set("exp", self.expires_at.seconds().into());
        set("iat", self.issued_at.seconds().into());
        set("jti", self.token_id.to_string().into());
        set("sid", self.session_id.to_string().into());
        set("auth_time", self.authenticated_at.seconds().into());
        set("client_id", self.client_id.as_str().into());
        set("epoch", self.epoch.into());
        set("provider", self.provider.as_str().into());
        set("session_exp", self.session_expires_at.seconds().into());
        let user = &self.user;
        let texts =
            [("name", &user.name), ("email", &user.email), ("picture", &user.picture), ("role", &user.role)];
        for (name, value) in texts {
            if let Some(value) = value {
                set(name, value.as_str().into());
            }
        }
        if let Some(verified) = user.email_verified {
            set("email_verified", verified.into());
        }
        map
    }

    /// Parses claims, each of its type and with all required ones present. The remaining claims are those added by
    /// callbacks.
    pub(super) fn from_json(mut map: ClaimMap) -> Option<Self> {
        let claims = Self {
            issuer: text(&mut map, "iss")?,
            user_id: text(&mut map, "sub")?.parse().ok()?,
            audiences: texts(&mut map, "aud")?,
            expires_at: date(&mut map, "exp")?,
            issued_at: date(&mut map, "iat")?,
            token_id: text(&mut map, "jti")?.parse().ok()?,
            session_id: text(&mut map, "sid")?.parse().ok()?,
            authenticated_at: date(&mut map, "auth_time")?,
            client_id: text(&mut map, "client_id")?,
            epoch: map.remove("epoch")?.as_i64().filter(|epoch| *epoch >= 0)?,
            provider: text(&mut map, "provider")?,
            session_expires_at: date(&mut map, "session_exp")?,
            user: UserClaims {
                name: optional(&mut map, "name", text)?,
                email: optional(&mut map, "email", text)?,
                email_verified: optional(&mut map, "email_verified", |map, name| {
                    map.remove(name)?.as_bool()
                })?,
                picture: optional(&mut map, "picture", text)?,
                role: optional(&mut map, "role", text)?,
            },
            added: Arc::default(),
        };
        Some(Self { added: Arc::new(map), ..claims })
    }
}

fn text(map: &mut ClaimMap, name: &str) -> Option<String> {
    match map.remove(name)? {
        Value::String(text) => Some(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn texts(map: &mut ClaimMap, name: &str) -> Option<Vec<String>> {
    match map.remove(name)? {
        Value::Array(items) if !items.is_empty() => {
            items.into_iter().map(|item| item.as_str().map(str::to_owned)).collect()
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => None,
    }
}

/// Reads a `NumericDate` that is a whole number of seconds and not before the epoch.
fn date(map: &mut ClaimMap, name: &str) -> Option<Timestamp> {
    map.remove(name)?.as_i64().filter(|seconds| *seconds >= 0).map(Timestamp::from_seconds)
}

#[expect(clippy::option_option, reason = "missing is fine, of the wrong type is not")]
/// Reads an optional claim: `Some(None)` if it is missing, `None` if it has the wrong type.
fn optional<T>(
    map: &mut ClaimMap,
    name: &str,
    read: impl Fn(&mut ClaimMap, &str) -> Option<T>,
) -> Option<Option<T>> {
    if map.contains_key(name) { read(map, name).map(Some) } else { Some(None) }
}
