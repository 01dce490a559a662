//! People, accounts, clients and sessions as cases write them. A field that is left out is a sample id or time, the
//! value of the profile, or not set.

use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::auth::{SessionUser, SessionView};
use crate::model::{
    Account, AccountId, AccountKind, ClaimMap, Email, Origin, SessionId, Timestamp, User, UserId,
};

/// The provider of cases that name none.
const PROVIDER: &str = "example";

/// An optional time.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct When(Option<Timestamp>);

impl When {
    pub(super) fn or(self, other: Timestamp) -> Timestamp {
        self.0.unwrap_or(other)
    }
}

impl TryFrom<String> for When {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let time = chrono::DateTime::parse_from_rfc3339(&text);
        let time =
            time.map_err(|_| "must be an RFC 3339 time such as \"2026-01-31T12:00:00Z\"".to_owned())?;
        Ok(Self(Some(Timestamp(time.timestamp_millis()))))
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenUser {
    id: Option<String>,
    email: Option<String>,
    email_verified: Option<bool>,
    name: Option<String>,
    image: Option<String>,
    role: Option<String>,
    created_at: When,
    updated_at: When,
    last_sign_in_at: When,
}

/// Reads a user; by default the one that a first sign-in makes of the profile, now and with this role.
pub(super) fn user(written: &Value, profile: &ClaimMap, now: Timestamp, role: &str) -> Result<User, String> {
    let written: WrittenUser = part("input.user", written)?;
    let told = |name: &str| profile.get(name).and_then(Value::as_str).map(str::to_owned);
    let email = written.email.or_else(|| told("email"));
    let email = email.map(|text| Email::parse(&text)).transpose();
    let email = email.map_err(|fault| format!("input.user.email: {fault}"))?;
    let verified = profile.get("email_verified") == Some(&Value::Bool(true));
    Ok(User {
        id: parsed("input.user.id", written.id.as_deref(), UserId::least_of(now))?,
        email_verified: email.is_some() && written.email_verified.unwrap_or(verified),
        email,
        email_source: None,
        name: written.name.or_else(|| told("name")),
        image: written.image.or_else(|| told("picture")),
        role: written.role.unwrap_or_else(|| role.to_owned()),
        ban: None,
        epoch: 0,
        version: 1,
        created_at: written.created_at.or(now),
        updated_at: written.updated_at.or(now),
        last_sign_in_at: Some(written.last_sign_in_at.or(now)),
    })
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenAccount {
    id: Option<String>,
    provider: Option<String>,
    provider_account_id: Option<String>,
    r#type: Option<String>,
    scope: Option<String>,
    created_at: When,
}

/// Reads an account of this user, who is the profile's subject.
pub(super) fn account(written: &Value, profile: &ClaimMap, user: &User) -> Result<Account, String> {
    let written: WrittenAccount = part("input.account", written)?;
    let subject = profile.get("sub").and_then(Value::as_str).unwrap_or("1");
    let kind = written
        .r#type
        .as_deref()
        .map(|name| AccountKind::from_name(name).ok_or("input.account.type: must be oidc, oauth or profile"));
    let at = |name: &str| format!("input.account.{name}");
    let (provider, subject) = (
        written.provider.as_deref().unwrap_or(PROVIDER),
        written.provider_account_id.as_deref().unwrap_or(subject),
    );
    Ok(Account {
        id: parsed(&at("id"), written.id.as_deref(), AccountId::least_of(user.created_at))?,
        user_id: user.id,
        provider: read(&at("provider"), provider)?,
        provider_account_id: read(&at("provider_account_id"), subject)?,
        issuer: String::new(),
        kind: kind.transpose()?.unwrap_or(AccountKind::Profile),
        scope: written.scope,
        created_at: written.created_at.or(user.created_at),
    })
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenClient {
    ip_address: Option<String>,
    user_agent: Option<String>,
}

/// Reads the client that a call comes from.
pub(super) fn origin(written: &Value) -> Result<Origin, String> {
    let WrittenClient { ip_address, user_agent } = part("input.client", written)?;
    Ok(Origin { ip_address, user_agent, ..Origin::default() })
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenSession {
    id: Option<String>,
    expires_at: When,
    access_token_expires_at: When,
    authenticated_at: When,
    provider: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenSessionUser {
    id: Option<String>,
    email: Option<String>,
    email_verified: bool,
    name: Option<String>,
    image: Option<String>,
    role: Option<String>,
}

/// Reads a session; by default one that began now and lasts as long as an access token does by default.
pub(super) fn session(
    written: &Value,
    user: &Value,
    token: &ClaimMap,
    now: Timestamp,
) -> Result<SessionView, String> {
    let session: WrittenSession = part("input.session", written)?;
    let user: WrittenSessionUser = part("input.user", user)?;
    let later = now.plus(Duration::from_mins(15));
    Ok(SessionView {
        id: session.id.unwrap_or_else(|| SessionId::least_of(now).to_string()),
        user: SessionUser {
            id: user.id.unwrap_or_else(|| UserId::least_of(now).to_string()),
            name: user.name,
            email: user.email,
            email_verified: user.email_verified,
            image: user.image,
            role: user.role,
        },
        expires_at: session.expires_at.or(later),
        access_token_expires_at: session.access_token_expires_at.or(later),
        authenticated_at: session.authenticated_at.or(now),
        provider: session.provider.unwrap_or_else(|| PROVIDER.to_owned()),
        claims: std::sync::Arc::new(token.clone()),
    })
}

/// Reads a part of the input; a missing part is an empty one.
pub(super) fn part<T: DeserializeOwned + Default>(at: &str, value: &Value) -> Result<T, String> {
    if value.is_null() {
        return Ok(T::default());
    }
    T::deserialize(value).map_err(|error| format!("{at}: {error}"))
}

/// Parses an optional value.
pub(super) fn parsed<T: FromStr<Err: ToString>>(
    at: &str,
    written: Option<&str>,
    other: T,
) -> Result<T, String> {
    written.map_or(Ok(other), |text| read(at, text))
}

fn read<T: FromStr<Err: ToString>>(at: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|fault: T::Err| format!("{at}: {}", fault.to_string()))
}
