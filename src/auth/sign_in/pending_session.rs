//! Pending sessions: the record that a sign-in writes for the redemption of its grant. Account, profile, and whether
//! the user is new are sealed in the session's row.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::sealed::account_record::AccountRecord;
use crate::auth::error::{Error, Result};
use crate::model::{
    Account, ClaimMap, Clock, Entropy, Grant, Lifetimes, RequestMark, Session, SessionId, SessionLifetime,
    Timestamp, User,
};
use crate::tokens::{GrantToken, Secrets};

/// The lifetime of a grant.
pub(in crate::auth) const GRANT_TTL: Duration = Duration::from_mins(1);

/// The record of a sign-in that is kept until its grant is redeemed.
#[derive(Debug, Clone)]
pub(in crate::auth) struct Pending {
    pub(in crate::auth) account: Account,
    pub(in crate::auth) profile: ClaimMap,
    /// The members of the profile that were left out.
    pub(in crate::auth) profile_omitted: Vec<String>,
    /// The data of the application; empty if none.
    pub(in crate::auth) app_data: ClaimMap,
    pub(in crate::auth) is_new_user: bool,
}

/// Drafts, seals and opens pending sessions.
#[derive(Clone)]
pub struct SessionDrafts {
    /// The operator's secrets, which seal the record and derive grants.
    pub secrets: Arc<Secrets>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The lifetimes of sessions.
    pub lifetimes: Lifetimes,
}

#[derive(Serialize, Deserialize)]
struct Record {
    #[serde(flatten)]
    account: AccountRecord,
    profile: ClaimMap,
    /// Not in the records of older versions.
    #[serde(default)]
    profile_omitted: Vec<String>,
    #[serde(default, skip_serializing_if = "ClaimMap::is_empty")]
    app_data: ClaimMap,
    is_new_user: bool,
}

impl SessionDrafts {
    /// Drafts the session of a sign-in for a group of callers, and its grant.
    pub(super) fn draft(
        &self,
        group: &str,
        request: Option<RequestMark>,
        user: &User,
        pending: &Pending,
        now: Timestamp,
    ) -> Result<(Session, GrantToken)> {
        let id = SessionId::mint(&*self.clock, &*self.entropy);
        let grant = match &request {
            Some(mark) => GrantToken::derived(&self.secrets, mark, id.0.as_bytes()),
            None => GrantToken::random(&*self.entropy),
        };
        let authenticated_at = now.floor_to_second();
        let session = Session {
            id,
            user_id: user.id,
            account_id: pending.account.id,
            provider: pending.account.provider.clone(),
            group: group.to_owned(),
            epoch: user.epoch,
            authenticated_at,
            expires_at: self.lifetimes.session_end(authenticated_at, now),
            ended: None,
            grant: Grant {
                hash: grant.hash(),
                expires_at: now.plus(GRANT_TTL),
                request,
                redeemed_at: None,
                redemption: None,
            },
            refresh: None,
            lifetime: SessionLifetime::default(),
            audiences: Vec::new(),
            granted_audiences: None,
            claims: ClaimMap::new(),
            claims_role: None,
            pending: Some(self.seal(id, pending)?),
            version: 0,
        };
        Ok((session, grant))
    }

    /// Derives the grant of a session again; returns `None` if its secret is no longer configured.
    pub(super) fn grant_again(&self, session: &Session, mark: &RequestMark) -> Option<GrantToken> {
        GrantToken::derived_again(&self.secrets, mark, session.id.0.as_bytes(), &session.grant.hash)
    }

    /// Seals the record for the redemption; only this session's row opens it.
    fn seal(&self, session_id: SessionId, pending: &Pending) -> Result<Vec<u8>> {
        let record = Record {
            account: AccountRecord::of(&pending.account),
            profile: pending.profile.clone(),
            profile_omitted: pending.profile_omitted.clone(),
            app_data: pending.app_data.clone(),
            is_new_user: pending.is_new_user,
        };
        let json = serde_json::to_vec(&record).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(self.secrets.seal_pending(&*self.entropy, session_id.0.as_bytes(), &json))
    }

    /// Opens the record of the sign-in. If no secret opens it, the grant is treated as unknown: its secret was removed
    /// from the configuration.
    pub(in crate::auth) fn open(&self, session: &Session) -> Result<Pending> {
        let sealed = session.pending.as_deref().ok_or(Error::GrantInvalid)?;
        let json = self.secrets.open_pending(session.id.0.as_bytes(), sealed).ok_or(Error::GrantInvalid)?;
        let broken = || Error::Internal("a sealed pending session has invalid contents".to_owned());
        let record: Record = serde_json::from_slice(&json).map_err(|_| broken())?;
        Ok(Pending {
            account: record.account.account(session.user_id).ok_or_else(broken)?,
            profile: record.profile,
            profile_omitted: record.profile_omitted,
            app_data: record.app_data,
            is_new_user: record.is_new_user,
        })
    }
}
