//! Changes of a live session: its grant is redeemed, or its refresh token is rotated.

use crate::model::{
    AuthLogEntry, ClaimMap, RefreshState, RequestMark, SessionId, SessionLifetime, Timestamp,
};

/// Redeems a grant.
#[derive(Debug, Clone)]
pub struct RedeemGrant {
    /// The session.
    pub session_id: SessionId,
    /// The time of the change.
    pub at: Timestamp,
    /// The mark of the request, if it may be repeated.
    pub request: Option<RequestMark>,
    /// The first refresh token.
    pub refresh: RefreshState,
    /// The expiry of the session.
    pub expires_at: Timestamp,
    /// A shorter lifetime of the session.
    pub lifetime: SessionLifetime,
    /// The audiences of its tokens, from which refreshes may choose.
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
    /// The expected hash of the live refresh token.
    pub expected_hash: [u8; 32],
    /// The time of the change.
    pub at: Timestamp,
    /// The change of the session; `None` if the same response is repeated.
    pub advance: Option<SessionAdvance>,
    /// The current address of the person's client.
    pub ip_address: Option<String>,
    /// The row for the log.
    pub log: Option<AuthLogEntry>,
}

/// The change of a session by a rotation.
#[derive(Debug, Clone)]
pub struct SessionAdvance {
    /// The version that the claims were made from.
    pub expected_version: i64,
    /// The refresh token after the rotation.
    pub refresh: RefreshState,
    /// The expiry of the session.
    pub expires_at: Timestamp,
    /// The audiences of its tokens.
    pub audiences: Vec<String>,
    /// The audiences that `IssueToken` granted, if the row does not store them yet.
    pub granted_audiences: Option<Vec<String>>,
    /// The claims that the `jwt` callbacks and updates added.
    pub claims: ClaimMap,
    /// The role that the claims were made from.
    pub claims_role: String,
}
