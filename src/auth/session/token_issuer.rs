//! Both tokens of a session, as `IssueToken` and `RefreshToken` issue them.

use std::sync::Arc;

use super::access_token::AccessTokens;
use super::audiences::choose_audiences;
use super::rotation::KeptPredecessors;
use crate::auth::error::{Error, Result};
use crate::model::{
    Entropy, Predecessor, RefreshState, RequestMark, Session, SessionId, Timestamp, digest_of, random,
};
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
    /// Chooses the audiences of a first token: the requested ones, or else every configured one.
    pub(super) fn first_audiences(&self, asked: &[String]) -> Result<Vec<String>> {
        choose_audiences(asked, &self.audiences, &self.audiences, &self.audiences)
    }

    /// Chooses the audiences of a refreshed token: the requested ones of those granted, or else those that the session
    /// has.
    pub(super) fn next_audiences(&self, asked: &[String], session: &Session) -> Result<Vec<String>> {
        let granted = session.granted_audiences.as_ref().unwrap_or(&session.audiences);
        choose_audiences(asked, &session.audiences, granted, &self.audiences)
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
        let state = RefreshState {
            hash: token.hash(),
            previous_hash: None,
            generation: token.generation(),
            salt,
            rotated_at: now,
            older: Vec::new(),
            gap_at: None,
        };
        NextRefreshToken { token, state }
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

    /// Makes a successor of a refresh token with this hash; of its predecessors these are kept.
    pub(super) fn successor(
        &self,
        (presented, hash): (&GenuineRefreshToken, [u8; 32]),
        kept: KeptPredecessors,
        now: Timestamp,
    ) -> NextRefreshToken {
        let salt = random(&*self.entropy);
        let token = presented.successor(&self.secrets, &salt);
        let state = RefreshState {
            hash: token.hash(),
            previous_hash: Some(hash),
            generation: token.generation(),
            salt,
            rotated_at: now,
            older: kept.older,
            gap_at: kept.gap_at,
        };
        NextRefreshToken { token, state }
    }

    /// Derives the live token again from a predecessor: from the one at this place, each from the one before.
    pub(super) fn live_again(
        &self,
        presented: &GenuineRefreshToken,
        place: usize,
        row: &RefreshState,
    ) -> Result<GenuineRefreshToken> {
        let successors = std::iter::once(row.hash).chain(row.predecessors().map(|it| it.hash));
        let steps: Vec<_> = row.predecessors().zip(successors).take(place + 1).collect();
        let derive = |token: GenuineRefreshToken, (predecessor, hash): &(Predecessor, [u8; 32])| {
            token.successor_again(&self.secrets, &predecessor.salt, hash)
        };
        steps.iter().rev().try_fold(presented.clone(), derive).ok_or(Error::SuccessorUnknown)
    }
}

fn redemption_of(mark: &RequestMark) -> [u8; 32] {
    digest_of(b"gatepass redemption", &[&mark.key, &mark.fingerprint])
}
