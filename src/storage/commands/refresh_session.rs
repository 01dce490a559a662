//! A session moves on: its grant is redeemed, its refresh token is rotated.

use crate::model::{AuthLogEntry, ClaimMap, RefreshState, RequestMark, SessionId, Timestamp};

/// What redeeming a grant writes.
#[derive(Debug, Clone)]
pub struct Redemption {
    /// The session.
    pub session_id: SessionId,
    /// When.
    pub at: Timestamp,
    /// The repeatable request, if the caller named it.
    pub request: Option<RequestMark>,
    /// The first refresh token.
    pub refresh: RefreshState,
    /// When the session ends by itself.
    pub expires_at: Timestamp,
    /// What its tokens are for.
    pub audiences: Vec<String>,
    /// What the `jwt` callbacks added.
    pub claims: ClaimMap,
    /// The role that they were made from.
    pub claims_role: String,
    /// The row for the log.
    pub log: Option<AuthLogEntry>,
}

/// What a refresh writes.
#[derive(Debug, Clone)]
pub struct RotationStep {
    /// The session.
    pub session_id: SessionId,
    /// The hash of the live refresh token, as it is expected.
    pub expected_hash: [u8; 32],
    /// When.
    pub at: Timestamp,
    /// What becomes of the session; nothing, where the same answer is given again.
    pub advance: Option<Advance>,
    /// Where the person is now.
    pub ip_address: Option<String>,
    /// The row for the log.
    pub log: Option<AuthLogEntry>,
}

/// How a refresh moves a session on.
#[derive(Debug, Clone)]
pub struct Advance {
    /// The version the claims were made from.
    pub expected_version: i64,
    /// The refresh token from now on.
    pub refresh: RefreshState,
    /// When the session ends by itself.
    pub expires_at: Timestamp,
    /// What its tokens are for.
    pub audiences: Vec<String>,
    /// What the `jwt` callbacks and updates added.
    pub claims: ClaimMap,
    /// The role that they were made from.
    pub claims_role: String,
}
