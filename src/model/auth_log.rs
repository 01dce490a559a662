//! The auth log: one row for each event of a session or a user.

use super::entropy::Entropy;
use super::id::{AuthLogId, SessionId, UserId};
use super::name_enum::name_enum;
use super::reasons::LogReason;
use super::time::{Clock, Timestamp};

name_enum!(
    /// The event that a row records.
    AuthLogAction {
        /// An existing user signed in.
        SignIn = "SIGN_IN",
        /// A new user signed in.
        SignUp = "SIGN_UP",
        /// A sign-in was denied, redirected or failed; the outcome tells these apart.
        SignInDenied = "SIGN_IN_DENIED",
        /// A signed-in user linked an account, or linked their own account again.
        AccountLinked = "ACCOUNT_LINKED",
        /// A grant was redeemed.
        TokenIssued = "TOKEN_ISSUED",
        /// The `jwt` callback denied a token.
        TokenDenied = "TOKEN_DENIED",
        /// A refresh token was rotated.
        TokenRefreshed = "TOKEN_REFRESHED",
        /// A response was replayed.
        TokenReplayed = "TOKEN_REPLAYED",
        /// A refresh token was reused, so its session was ended.
        RefreshReused = "REFRESH_REUSED",
        /// A session was ended with its own token.
        SignOut = "SIGN_OUT",
        /// A session was ended by an administrator.
        SessionRevoked = "SESSION_REVOKED",
        /// An administrator created a user.
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
        /// A caller was denied; these rows are sampled.
        CallerDenied = "CALLER_DENIED",
    }
);

name_enum!(
    /// The outcome of an event.
    AuthLogOutcome {
        /// The request succeeded.
        Success = "SUCCESS",
        /// A rule denied the request.
        Denied = "DENIED",
        /// A callback redirected the user to another page.
        Redirected = "REDIRECTED",
        /// The credential was invalid, or an internal error occurred.
        Failed = "FAILED",
    }
);

/// A row of the auth log.
#[derive(Clone)]
pub struct AuthLogEntry {
    /// The row's id; ids are ordered by time.
    pub id: AuthLogId,
    /// Time of the event.
    pub created_at: Timestamp,
    /// The event.
    pub action: AuthLogAction,
    /// Its outcome.
    pub outcome: AuthLogOutcome,
    /// The reason; empty if the outcome needs none.
    pub reason: Option<LogReason>,
    /// The user concerned.
    pub user_id: Option<UserId>,
    /// The e-mail address used in the attempt, or that of the user.
    pub email: Option<String>,
    /// The identity provider.
    pub provider: Option<String>,
    /// The session concerned.
    pub session_id: Option<SessionId>,
    /// The caller's id.
    pub caller: String,
    /// The end user's IP address, as reported by the caller.
    pub ip_address: Option<String>,
    /// The end user's user agent, as reported by the caller.
    pub user_agent: Option<String>,
    /// The `x-request-id` of the call.
    pub request_id: String,
}

impl std::fmt::Debug for AuthLogEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The e-mail and IP address may appear only in the table.
        write!(f, "AuthLogEntry({} {} {:?})", self.action.name(), self.outcome.name(), self.reason)
    }
}

/// The origin of a request: the caller and the end user it acts for. Every row of the log records it.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The caller's id.
    pub caller: String,
    /// The end user's IP address, as reported by the caller.
    pub ip_address: Option<String>,
    /// The end user's user agent, as reported by the caller.
    pub user_agent: Option<String>,
    /// The `x-request-id` of the call.
    pub request_id: String,
}

impl AuthLogEntry {
    /// Creates a row with outcome `SUCCESS` that has no user and no session yet.
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

    /// Sets the row's user.
    #[must_use]
    pub fn of_user(mut self, id: UserId, email: Option<&str>) -> Self {
        self.user_id = Some(id);
        self.email = email.map(str::to_owned);
        self
    }

    /// Sets the row's session.
    #[must_use]
    pub fn of_session(mut self, id: SessionId, provider: &str) -> Self {
        self.session_id = Some(id);
        self.provider = Some(provider.to_owned());
        self
    }

    /// Sets the row's outcome and reason.
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

    /// A clock that advances by an hour at each reading.
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
