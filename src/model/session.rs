//! A session: opened by a sign-in, redeemed by a grant, kept by one live refresh token at a time.

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
    /// Whose it is.
    pub user_id: UserId,
    /// The account that signed in.
    pub account_id: AccountId,
    /// The provider that vouched.
    pub provider: ProviderId,
    /// The group of callers that may use its grant and refresh tokens.
    pub group: String,
    /// The user's epoch when it was opened.
    pub epoch: i64,
    /// When the person proved who they are; whole seconds.
    pub authenticated_at: Timestamp,
    /// When it ends by itself: idle or over age; whole seconds.
    pub expires_at: Timestamp,
    /// When and why it was ended.
    pub ended: Option<(Timestamp, EndReason)>,
    /// The grant that opens it.
    pub grant: Grant,
    /// Its refresh token; none before the grant is redeemed.
    pub refresh: Option<RefreshState>,
    /// What its tokens are for.
    pub audiences: Vec<String>,
    /// What the `jwt` callbacks and updates added.
    pub claims: ClaimMap,
    /// The role that they were made from.
    pub claims_role: Option<String>,
    /// Sealed account, profile and `is_new_user`, until the grant is redeemed.
    pub pending: Option<Vec<u8>>,
    /// Rises with each write; two writers of one row can't both win.
    pub version: i64,
}

/// The grant of a session: single use, short-lived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// SHA-256 of it.
    pub hash: [u8; 32],
    /// Until when it can be redeemed.
    pub expires_at: Timestamp,
    /// The sign-in that made it, when the caller named one.
    pub request: Option<RequestMark>,
    /// When it was redeemed.
    pub redeemed_at: Option<Timestamp>,
    /// The redemption, when the caller named it.
    pub redemption: Option<RequestMark>,
}

/// A request that may be repeated: who named it how, and what it asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestMark {
    /// Digest of the caller and its `request_id`.
    pub key: [u8; 32],
    /// Digest of the request itself.
    pub fingerprint: [u8; 32],
}

/// What the row knows of refresh tokens: hashes only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshState {
    /// SHA-256 of the one live refresh token.
    pub hash: [u8; 32],
    /// SHA-256 of its direct predecessor.
    pub previous_hash: Option<[u8; 32]>,
    /// Counts the tokens; the first is 0.
    pub generation: u64,
    /// What the live token was derived with.
    pub salt: [u8; 32],
    /// When it was made.
    pub rotated_at: Timestamp,
}

name_enum!(
    /// Why a session was ended.
    EndReason {
        /// Its person signed out.
        SignedOut = "SIGNED_OUT",
        /// An administrator, or the person's sign-out everywhere, ended it.
        Revoked = "REVOKED",
        /// Its user was banned.
        Banned = "BANNED",
        /// An old refresh token came back.
        Reused = "REUSED",
        /// The `jwt` callback refused the first token.
        Denied = "DENIED",
    }
);

/// How long sessions and tokens live.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    /// A session nobody refreshes ends after this.
    pub idle_ttl: std::time::Duration,
    /// A session ends this long after its sign-in, whatever happens.
    pub max_age: std::time::Duration,
    /// An access token lives this long, and never longer than its session.
    pub access_ttl: std::time::Duration,
}

impl Lifetimes {
    /// When a session that was last used `now` ends.
    #[must_use]
    pub fn session_end(&self, authenticated_at: Timestamp, now: Timestamp) -> Timestamp {
        now.plus(self.idle_ttl).min(authenticated_at.plus(self.max_age)).floor_to_second()
    }
}
