//! The session that a token names, even if the token has expired.

use std::sync::Arc;

use crate::auth::error::Result;
use crate::auth::reload_keys::{ReloadKeys, verify_again};
use crate::model::{Clock, SessionId};
use crate::tokens::{GenuineRefreshToken, References, Secrets, Verifier};

/// Reads the session that a genuine token names.
pub struct TokenNames {
    /// The verifier of JWTs.
    pub verifier: Verifier,
    /// The verifier of references.
    pub references: References,
    /// Reloads the keys if one is unknown.
    pub keys: Arc<dyn ReloadKeys>,
    /// The operator's secrets, which verify refresh tokens.
    pub secrets: Arc<Secrets>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

impl TokenNames {
    /// Reads the session of an access token of either kind.
    pub(super) async fn of_access_token(&self, token: &str) -> Result<SessionId> {
        if References::are_meant_by(token) {
            return Ok(self.references.verify_genuine(token, self.clock.now())?.session_id);
        }
        let verify = || self.verifier.verify_genuine(token, self.clock.now());
        Ok(verify_again(&*self.keys, verify).await?.0.session_id)
    }

    /// Reads the session of a refresh token.
    pub(super) fn of_refresh_token(&self, token: &str) -> Result<SessionId> {
        Ok(GenuineRefreshToken::verify(&self.secrets, token)?.session_id())
    }
}
