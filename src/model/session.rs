//! Sessions: a sign-in creates one, a grant opens it, and one live refresh token at a time extends it.

use super::claims::ClaimMap;
use super::id::{AccountId, SessionId, UserId};
use super::name_enum::name_enum;
use super::provider::ProviderId;
use super::time::Timestamp;

/// A session's row.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// The `sid` of its tokens.
    pub id: SessionId,
    /// The user that the session belongs to.
    pub user_id: UserId,
    /// The account that signed in.
    pub account_id: AccountId,
    /// The identity provider of that account.
    pub provider: ProviderId,
    /// The group of callers that may use its grant and refresh tokens.
    pub group: String,
    /// The user's epoch when the session was created.
    pub epoch: i64,
    /// Time of the user's authentication; whole seconds.
    pub authenticated_at: Timestamp,
    /// Time at which the session expires, idle or over its maximum age; whole seconds.
    pub expires_at: Timestamp,
    /// Time and reason of its end, if it was ended.
    pub ended: Option<(Timestamp, EndReason)>,
    /// The grant that opens the session.
    pub grant: Grant,
    /// Its refresh token; `None` before the grant is redeemed.
    pub refresh: Option<RefreshState>,
    /// A shorter lifetime of its own.
    pub lifetime: SessionLifetime,
    /// The audiences of its tokens.
    pub audiences: Vec<String>,
    /// The audiences that `IssueToken` granted; a refresh chooses among them. `None` in a row of version 0.1: those that
    /// its tokens have.
    pub granted_audiences: Option<Vec<String>>,
    /// The claims added by `jwt` callbacks and updates.
    pub claims: ClaimMap,
    /// The user's role when those claims were made.
    pub claims_role: Option<String>,
    /// Sealed account, profile and `is_new_user`, until the grant is redeemed.
    pub pending: Option<Vec<u8>>,
    /// Increases with each write, so that two concurrent writers cannot both succeed.
    pub version: i64,
}

/// The grant of a session: single use, short-lived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// SHA-256 of the grant.
    pub hash: [u8; 32],
    /// Time at which it expires.
    pub expires_at: Timestamp,
    /// The sign-in request that created it, if the caller gave a `request_id`.
    pub request: Option<RequestMark>,
    /// Time of its redemption.
    pub redeemed_at: Option<Timestamp>,
    /// The request that redeemed it, if the caller gave a `request_id`.
    pub redemption: Option<RequestMark>,
}

/// A mark of a request that may be retried: its name and its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestMark {
    /// Digest of the caller and its `request_id`.
    pub key: [u8; 32],
    /// Digest of the request's content.
    pub fingerprint: [u8; 32],
}

/// The refresh token state of a session; it holds only hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshState {
    /// SHA-256 of the one live refresh token.
    pub hash: [u8; 32],
    /// SHA-256 of its direct predecessor.
    pub previous_hash: Option<[u8; 32]>,
    /// The number of tokens before this one; the first has 0.
    pub generation: u64,
    /// The salt from which the live token was derived.
    pub salt: [u8; 32],
    /// Time at which it was created.
    pub rotated_at: Timestamp,
    /// The predecessors before the direct one that were replaced recently; newest first.
    pub older: Vec<Predecessor>,
    /// Time of the last rotation by version 0.1, which keeps only the direct predecessor. The tokens replaced before it
    /// are unknown.
    pub gap_at: Option<Timestamp>,
}

/// A replaced refresh token, as far as its session's row stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predecessor {
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// The salt from which its successor was derived.
    pub salt: [u8; 32],
    /// Time at which its successor replaced it.
    pub replaced_at: Timestamp,
}

impl RefreshState {
    /// Returns the stored predecessors of the live token, newest first.
    pub fn predecessors(&self) -> impl Iterator<Item = Predecessor> {
        let (salt, replaced_at) = (self.salt, self.rotated_at);
        let direct = self.previous_hash.map(|hash| Predecessor { hash, salt, replaced_at });
        direct.into_iter().chain(self.older.iter().cloned())
    }
}

name_enum!(
    /// The reason why a session was ended.
    EndReason {
        /// The user signed out.
        SignedOut = "SIGNED_OUT",
        /// An administrator ended it, or the user signed out everywhere.
        Revoked = "REVOKED",
        /// The user was banned.
        Banned = "BANNED",
        /// A refresh token was reused.
        Reused = "REUSED",
        /// The `jwt` callback denied the first token.
        Denied = "DENIED",
    }
);

/// The lifetime of one session, where it is shorter than the configured one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionLifetime {
    /// The session expires after this time without a refresh.
    pub idle_ttl: Option<std::time::Duration>,
    /// The session expires this long after its sign-in.
    pub max_age: Option<std::time::Duration>,
}

/// The lifetimes of sessions and tokens.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    /// A session expires after this time without a refresh.
    pub idle_ttl: std::time::Duration,
    /// A session expires this long after its sign-in, even if it is used.
    pub max_age: std::time::Duration,
    /// The lifetime of an access token; it never outlives its session.
    pub access_ttl: std::time::Duration,
}

impl Lifetimes {
    /// Returns the expiry of a session last used at `now`.
    #[must_use]
    pub fn session_end(&self, authenticated_at: Timestamp, now: Timestamp) -> Timestamp {
        now.plus(self.idle_ttl).min(authenticated_at.plus(self.max_age)).floor_to_second()
    }

    /// Returns the requested lifetime of a session, without what is not shorter than these.
    #[must_use]
    pub fn shorter(&self, asked: SessionLifetime) -> SessionLifetime {
        SessionLifetime {
            idle_ttl: asked.idle_ttl.filter(|asked| *asked < self.idle_ttl),
            max_age: asked.max_age.filter(|asked| *asked < self.max_age),
        }
    }

    /// Returns these lifetimes for a session with a lifetime of its own.
    #[must_use]
    pub fn of_session(&self, own: SessionLifetime) -> Self {
        Self {
            idle_ttl: own.idle_ttl.map_or(self.idle_ttl, |own| own.min(self.idle_ttl)),
            max_age: own.max_age.map_or(self.max_age, |own| own.min(self.max_age)),
            ..*self
        }
    }
}
