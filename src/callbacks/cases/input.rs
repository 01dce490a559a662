//! The inputs of cases, by callback. All faults of an input are found when it is read.

use serde::Deserialize;
use serde_json::Value;

use super::written::{self, When};
use crate::auth::{SessionView, Trigger};
use crate::model::{Account, ClaimMap, Origin, SessionId, Timestamp, User};

/// The input of one callback.
pub(super) enum Input {
    SignIn(Box<OfSignIn>),
    Jwt(Box<OfJwt>),
    Session(Box<OfSession>),
    Redirect(OfRedirect),
}

/// The input of `sign_in`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OfSignIn {
    user: Value,
    account: Value,
    pub(super) profile: ClaimMap,
    pub(super) profile_omitted: Vec<String>,
    pub(super) app_data: ClaimMap,
    pub(super) is_new_user: bool,
    client: Value,
    pub(super) now: When,
}

/// The input of `jwt`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OfJwt {
    user: Value,
    account: Value,
    pub(super) profile: Option<ClaimMap>,
    pub(super) profile_omitted: Vec<String>,
    pub(super) app_data: ClaimMap,
    pub(super) token: ClaimMap,
    trigger: Option<String>,
    pub(super) update: ClaimMap,
    session_id: Option<String>,
    client: Value,
    pub(super) now: When,
}

/// The input of `session`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OfSession {
    session: Value,
    user: Value,
    token: ClaimMap,
    pub(super) now: When,
}

/// The input of `redirect`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OfRedirect {
    pub(super) url: String,
    pub(super) base_url: String,
    pub(super) now: When,
}

impl Input {
    pub(super) fn sign_in(input: &Value) -> Result<Self, String> {
        let input: OfSignIn = written::part("input", input)?;
        input.asked(Timestamp::default(), "")?;
        Ok(Self::SignIn(Box::new(input)))
    }

    pub(super) fn jwt(input: &Value) -> Result<Self, String> {
        let input: OfJwt = written::part("input", input)?;
        let first = !(input.account.is_null()
            && input.profile.is_none()
            && input.profile_omitted.is_empty()
            && input.app_data.is_empty());
        let refused = match (input.trigger()?, first, input.update.is_empty()) {
            (Trigger::Update, true, _) => Some("account, profile and app_data are not available at UPDATE"),
            (Trigger::SignIn | Trigger::SignUp, _, false) => Some("update is only available at UPDATE"),
            (Trigger::Update | Trigger::SignIn | Trigger::SignUp, ..) => None,
        };
        if let Some(why) = refused {
            return Err(format!("input: {why}"));
        }
        input.asked(Timestamp::default(), "")?;
        input.session_id(Timestamp::default())?;
        Ok(Self::Jwt(Box::new(input)))
    }

    pub(super) fn session(input: &Value) -> Result<Self, String> {
        let input: OfSession = written::part("input", input)?;
        input.asked(Timestamp::default())?;
        Ok(Self::Session(Box::new(input)))
    }

    pub(super) fn redirect(input: &Value) -> Result<Self, String> {
        Ok(Self::Redirect(written::part("input", input)?))
    }
}

/// A user, an account and a client, as a sign-in or a token has them.
pub(super) struct Asked {
    pub(super) user: User,
    pub(super) account: Account,
    pub(super) origin: Origin,
}

impl OfSignIn {
    /// Reads the person, at this time and with this role for new users.
    pub(super) fn asked(&self, now: Timestamp, role: &str) -> Result<Asked, String> {
        let user = written::user(&self.user, &self.profile, now, role)?;
        let account = written::account(&self.account, &self.profile, &user)?;
        Ok(Asked { user, account, origin: written::origin(&self.client)? })
    }
}

impl OfJwt {
    pub(super) fn trigger(&self) -> Result<Trigger, String> {
        let Some(name) = &self.trigger else { return Ok(Trigger::SignIn) };
        Trigger::from_name(name).ok_or_else(|| "input.trigger: must be SIGN_IN, SIGN_UP or UPDATE".to_owned())
    }

    pub(super) fn session_id(&self, now: Timestamp) -> Result<SessionId, String> {
        written::parsed("input.session_id", self.session_id.as_deref(), SessionId::least_of(now))
    }

    pub(super) fn asked(&self, now: Timestamp, role: &str) -> Result<Asked, String> {
        let nothing = ClaimMap::new();
        let profile = self.profile.as_ref().unwrap_or(&nothing);
        let user = written::user(&self.user, profile, now, role)?;
        let account = written::account(&self.account, profile, &user)?;
        Ok(Asked { user, account, origin: written::origin(&self.client)? })
    }
}

impl OfSession {
    pub(super) fn asked(&self, now: Timestamp) -> Result<SessionView, String> {
        written::session(&self.session, &self.user, &self.token, now)
    }
}
