//! Both tokens of a session, as `IssueToken` and `RefreshToken` issue them.

use std::sync::Arc;

use super::access_token::AccessTokens;
use super::audiences::choose_audiences;
use crate::auth::error::{Error, Result};
use crate::model::{Entropy, RefreshState, RequestMark, SessionId, Timestamp, digest_of, random};
use crate::tokens::{GenuineRefreshToken, Secrets};

/// Issues the tokens of sessions.
pub struct TokenIssuer {
    /// Issues access tokens.
    pub access: AccessTokens,
    /// The operator's secrets, from which refresh tokens are derived.
    pub secrets: Arc<Secrets>,
    /// The source of randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Every configured audience.
    pub audiences: Vec<String>,
}

/// A refresh token, and the part of it that the row of its session stores.
pub(super) struct NextRefreshToken {
    pub(super) token: GenuineRefreshToken,
    pub(super) state: RefreshState,
}

impl TokenIssuer {
    /// Chooses the audiences of a token: the requested ones, or else those that the session has.
    pub(super) fn choose_audiences(&self, asked: &[String], held: &[String]) -> Result<Vec<String>> {
        choose_audiences(asked, held, &self.audiences)
    }

    /// Verifies that Gatepass issued this refresh token.
    pub(super) fn verify(&self, refresh_token: &str) -> Result<GenuineRefreshToken> {
        Ok(GenuineRefreshToken::verify(&self.secrets, refresh_token)?)
    }

    /// Makes the first refresh token of a session; a repeatable redemption can derive it again.
    pub(super) fn first(
        &self,
        session_id: SessionId,
        request: Option<&RequestMark>,
        now: Timestamp,
    ) -> NextRefreshToken {
        let salt = random(&*self.entropy);
        let token = match request {
            Some(mark) => {
                GenuineRefreshToken::first_of(&self.secrets, session_id, &redemption_of(mark), &salt)
            }
            None => GenuineRefreshToken::first(&self.secrets, &*self.entropy, session_id),
        };
        NextRefreshToken::new(token, None, salt, now)
    }

    /// Derives the first refresh token of a session again.
    pub(super) fn first_again(
        &self,
        session_id: SessionId,
        request: &RequestMark,
        row: &RefreshState,
    ) -> Result<GenuineRefreshToken> {
        let redemption = redemption_of(request);
        GenuineRefreshToken::first_again(&self.secrets, session_id, &redemption, &row.salt, &row.hash)
            .ok_or(Error::SuccessorUnknown)
    }

    /// Makes a successor of a refresh token.
    pub(super) fn successor(&self, presented: &GenuineRefreshToken, now: Timestamp) -> NextRefreshToken {
        let salt = random(&*self.entropy);
        let token = presented.successor(&self.secrets, &salt);
        NextRefreshToken::new(token, Some(presented.hash()), salt, now)
    }

    /// Derives the successor that this row stores again.
    pub(super) fn successor_again(
        &self,
        presented: &GenuineRefreshToken,
        row: &RefreshState,
    ) -> Result<NextRefreshToken> {
        let token = presented.successor_again(&self.secrets, &row.salt, &row.hash);
        Ok(NextRefreshToken { token: token.ok_or(Error::SuccessorUnknown)?, state: row.clone() })
    }
}

impl NextRefreshToken {
    fn new(
        token: GenuineRefreshToken,
        previous_hash: Option<[u8; 32]>,
        salt: [u8; 32],
        now: Timestamp,
    ) -> Self {
        let (hash, generation) = (token.hash(), token.generation());
        Self { token, state: RefreshState { hash, previous_hash, generation, salt, rotated_at: now } }
    }
}

fn redemption_of(mark: &RequestMark) -> [u8; 32] {
    digest_of(b"gatepass redemption", &[&mark.key, &mark.fingerprint])
}
