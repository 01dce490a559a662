//! The auth log: one row for each thing that happened to a session or a user.

use super::entropy::Entropy;
use super::id::{AuthLogId, SessionId, UserId};
use super::name_enum::name_enum;
use super::reasons::LogReason;
use super::time::{Clock, Timestamp};

name_enum!(
    /// What happened.
    AuthLogAction {
        /// A known person signed in.
        SignIn = "SIGN_IN",
        /// A new person signed in.
        SignUp = "SIGN_UP",
        /// A sign-in was denied, redirected or failed; the outcome says which.
        SignInDenied = "SIGN_IN_DENIED",
        /// A signed-in user added an account, or linked one again that was theirs.
        AccountLinked = "ACCOUNT_LINKED",
        /// A grant was redeemed.
        TokenIssued = "TOKEN_ISSUED",
        /// The `jwt` callback refused a token.
        TokenDenied = "TOKEN_DENIED",
        /// A refresh token was rotated.
        TokenRefreshed = "TOKEN_REFRESHED",
        /// An answer was given a second time.
        TokenReplayed = "TOKEN_REPLAYED",
        /// An old refresh token came back; its session was ended.
        RefreshReused = "REFRESH_REUSED",
        /// A session was ended by its own token.
        SignOut = "SIGN_OUT",
        /// A session was ended by an administrator.
        SessionRevoked = "SESSION_REVOKED",
        /// An administrator made a user.
        UserCreated = "USER_CREATED",
        /// An administrator changed a user.
        UserUpdated = "USER_UPDATED",
        /// An administrator banned a user.
        UserBanned = "USER_BANNED",
        /// An administrator lifted a ban.
        UserUnbanned = "USER_UNBANNED",
        /// An administrator deleted a user.
        UserDeleted = "USER_DELETED",
        /// A signing key was rotated or revoked.
        KeyRotated = "KEY_ROTATED",
        /// A caller was refused; sampled.
        CallerDenied = "CALLER_DENIED",
    }
);

name_enum!(
    /// How it ended.
    AuthLogOutcome {
        /// It was done.
        Success = "SUCCESS",
        /// A rule said no.
        Denied = "DENIED",
        /// A callback sent the person elsewhere.
        Redirected = "REDIRECTED",
        /// The credential was bad, or something broke.
        Failed = "FAILED",
    }
);

/// One row of the log.
#[derive(Clone)]
pub struct AuthLogEntry {
    /// The row's id; its order is the order of time.
    pub id: AuthLogId,
    /// When.
    pub created_at: Timestamp,
    /// What.
    pub action: AuthLogAction,
    /// How it ended.
    pub outcome: AuthLogOutcome,
    /// Why; empty when there is nothing to say.
    pub reason: Option<LogReason>,
    /// Whose user.
    pub user_id: Option<UserId>,
    /// The e-mail of the attempt, or of the user.
    pub email: Option<String>,
    /// The provider that vouched.
    pub provider: Option<String>,
    /// Which session.
    pub session_id: Option<SessionId>,
    /// The caller's id.
    pub caller: String,
    /// The person's address, as the caller told it.
    pub ip_address: Option<String>,
    /// The person's user agent, as the caller told it.
    pub user_agent: Option<String>,
    /// `x-request-id` of the call.
    pub request_id: String,
}

impl std::fmt::Debug for AuthLogEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Its e-mail and address are for the table alone.
        write!(f, "AuthLogEntry({} {} {:?})", self.action.name(), self.outcome.name(), self.reason)
    }
}

/// Who asked, for whom: what every row of the log says besides what happened.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The caller's id.
    pub caller: String,
    /// The person's address, as the caller told it.
    pub ip_address: Option<String>,
    /// The person's user agent, as the caller told it.
    pub user_agent: Option<String>,
    /// `x-request-id` of the call.
    pub request_id: String,
}

impl AuthLogEntry {
    /// A row of success that names nobody yet.
    #[must_use]
    pub fn new(clock: &dyn Clock, entropy: &dyn Entropy, action: AuthLogAction, origin: &Origin) -> Self {
        let now = clock.now();
        Self {
            id: AuthLogId::mint_at(now, entropy),
            created_at: now,
            action,
            outcome: AuthLogOutcome::Success,
            reason: None,
            user_id: None,
            email: None,
            provider: None,
            session_id: None,
            caller: origin.caller.clone(),
            ip_address: origin.ip_address.clone(),
            user_agent: origin.user_agent.clone(),
            request_id: origin.request_id.clone(),
        }
    }

    /// The same row, of this user.
    #[must_use]
    pub fn of_user(mut self, id: UserId, email: Option<&str>) -> Self {
        self.user_id = Some(id);
        self.email = email.map(str::to_owned);
        self
    }

    /// The same row, of this session.
    #[must_use]
    pub fn of_session(mut self, id: SessionId, provider: &str) -> Self {
        self.session_id = Some(id);
        self.provider = Some(provider.to_owned());
        self
    }

    /// The same row with another outcome and its reason.
    #[must_use]
    pub fn ended(mut self, outcome: AuthLogOutcome, reason: impl Into<LogReason>) -> Self {
        self.outcome = outcome;
        self.reason = Some(reason.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;
    use crate::model::OsEntropy;

    /// A clock that moves on by an hour at each reading.
    struct Hasty(AtomicI64);

    impl Clock for Hasty {
        fn now(&self) -> Timestamp {
            Timestamp(self.0.fetch_add(3_600_000, Ordering::Relaxed))
        }
    }

    #[test]
    fn id_and_time_of_an_entry_come_from_one_reading_of_the_clock() {
        let clock = Hasty(AtomicI64::new(1_767_225_600_000));
        let entry = AuthLogEntry::new(&clock, &OsEntropy, AuthLogAction::SignIn, &Origin::default());
        assert!(entry.id >= AuthLogId::least_of(entry.created_at));
        assert!(entry.id < AuthLogId::least_of(Timestamp(entry.created_at.millis() + 1)));
    }
}
