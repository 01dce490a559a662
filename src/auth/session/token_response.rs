//! The response of `IssueToken` and `RefreshToken`.

use super::access_token::AccessToken;
use super::view::SessionView;
use crate::model::Timestamp;
use crate::tokens::GenuineRefreshToken;

/// Both tokens of a session.
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// The expiry of the access token; its `exp`.
    pub access_token_expires_at: Timestamp,
    /// The refresh token.
    pub refresh_token: GenuineRefreshToken,
    /// The expiry of the session, unless it is refreshed.
    pub refresh_token_expires_at: Timestamp,
    /// The session as the access token describes it.
    pub session: SessionView,
    /// The origin of the refresh token.
    pub rotation: Rotation,
}

crate::model::name_enum!(
    /// The origin of a refresh token.
    Rotation {
        /// The first of its session.
        Issued = "ISSUED",
        /// The successor of the one presented.
        Rotated = "ROTATED",
        /// The same response, repeated.
        Replayed = "REPLAYED",
        /// A new successor that replaces an unused one.
        Recovered = "RECOVERED",
    }
);

impl TokenResponse {
    pub(super) fn new(token: AccessToken, refresh_token: GenuineRefreshToken, rotation: Rotation) -> Self {
        Self {
            access_token: token.text,
            access_token_expires_at: token.session.access_token_expires_at,
            refresh_token,
            refresh_token_expires_at: token.session.expires_at,
            session: token.session,
            rotation,
        }
    }
}
