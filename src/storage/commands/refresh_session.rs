//! A session moves on: its grant is redeemed, its refresh token is rotated.

use crate::model::{AuthLogEntry, ClaimMap, RefreshState, RequestMark, SessionId, Timestamp};

/// Redeems a grant.
#[derive(Debug, Clone)]
pub struct RedeemGrant {
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
    /// The audiences of its tokens.
    pub audiences: Vec<String>,
    /// The claims that the `jwt` callbacks added.
    pub claims: ClaimMap,
    /// The role that the claims were made from.
    pub claims_role: String,
    /// The row for the log.
    pub log: Option<AuthLogEntry>,
}

/// Rotates a refresh token.
#[derive(Debug, Clone)]
pub struct RotateRefreshToken {
    /// The session.
    pub session_id: SessionId,
    /// The hash of the live refresh token, as it is expected.
    pub expected_hash: [u8; 32],
    /// When.
    pub at: Timestamp,
    /// The change of the session; none where the same response is given again.
    pub advance: Option<SessionAdvance>,
    /// The present address of the person's client.
    pub ip_address: Option<String>,
    /// The row for the log.
    pub log: Option<AuthLogEntry>,
}

/// The change of a session by a rotation.
#[derive(Debug, Clone)]
pub struct SessionAdvance {
    /// The version the claims were made from.
    pub expected_version: i64,
    /// The refresh token from now on.
    pub refresh: RefreshState,
    /// When the session ends by itself.
    pub expires_at: Timestamp,
    /// The audiences of its tokens.
    pub audiences: Vec<String>,
    /// The claims that the `jwt` callbacks and updates added.
    pub claims: ClaimMap,
    /// The role that the claims were made from.
    pub claims_role: String,
}
