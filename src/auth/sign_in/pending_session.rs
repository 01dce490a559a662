//! What a sign-in leaves for the redemption of its grant: account, profile, and whether the user is new; sealed in
//! the session's row.

use serde::{Deserialize, Serialize};

use crate::auth::error::{Error, Result};
use crate::auth::rules::Auth;
use crate::model::{
    Account, AccountId, AccountKind, ClaimMap, Profile, ProviderId, Session, SessionId, Timestamp, claims,
};
use crate::oauth::{FaultKind, ProviderFault};

/// The most bytes the sealed record has.
pub(in crate::auth) const MAX_PENDING_BYTES: usize = 32 * 1024;

/// What is kept of a sign-in until its grant is redeemed.
#[derive(Debug, Clone)]
pub(in crate::auth) struct Pending {
    pub(in crate::auth) account: Account,
    pub(in crate::auth) profile: ClaimMap,
    pub(in crate::auth) is_new_user: bool,
}

#[derive(Serialize, Deserialize)]
struct Record {
    id: String,
    provider: String,
    provider_account_id: String,
    issuer: String,
    kind: String,
    scope: Option<String>,
    created_at: i64,
    profile: ClaimMap,
    is_new_user: bool,
}

/// Refuses a profile that could not be kept, before any callback has to read it; also where nothing of it will be.
pub(in crate::auth) fn check_size(profile: &Profile) -> Result<()> {
    let fits = claims::check_size(&profile.raw, MAX_PENDING_BYTES);
    fits.map_err(|_| too_large(profile.kind, &profile.provider))
}

fn too_large(kind: AccountKind, provider: &ProviderId) -> Error {
    let limit = format!("the profile has more than {MAX_PENDING_BYTES} bytes when sealed");
    match kind {
        AccountKind::Profile => Error::invalid("credential.profile.raw", limit),
        AccountKind::Oidc | AccountKind::OAuth => {
            Error::of_provider(provider, ProviderFault::new(FaultKind::Profile, limit))
        }
    }
}

impl Auth {
    /// Seals what the redemption will need; only this session's row opens it.
    pub(in crate::auth) fn seal_pending(&self, session_id: SessionId, pending: &Pending) -> Result<Vec<u8>> {
        let account = &pending.account;
        let record = Record {
            id: account.id.to_string(),
            provider: account.provider.to_string(),
            provider_account_id: account.provider_account_id.as_str().to_owned(),
            issuer: account.issuer.clone(),
            kind: account.kind.name().to_owned(),
            scope: account.scope.clone(),
            created_at: account.created_at.millis(),
            profile: pending.profile.clone(),
            is_new_user: pending.is_new_user,
        };
        let json = serde_json::to_vec(&record).map_err(|error| Error::Internal(error.to_string()))?;
        let sealed = self.parts.secrets.seal_pending(&*self.parts.entropy, session_id.0.as_bytes(), &json);
        if sealed.len() > MAX_PENDING_BYTES {
            return Err(too_large(account.kind, &account.provider));
        }
        Ok(sealed)
    }

    /// Opens what the sign-in left. A record that no secret opens is as if the grant were unknown: its secret was
    /// taken out of the configuration.
    pub(in crate::auth) fn open_pending(&self, session: &Session) -> Result<Pending> {
        let sealed = session.pending.as_deref().ok_or(Error::GrantInvalid)?;
        let json =
            self.parts.secrets.open_pending(session.id.0.as_bytes(), sealed).ok_or(Error::GrantInvalid)?;
        let broken = || Error::Internal("a sealed pending session is not what was sealed".to_owned());
        let record: Record = serde_json::from_slice(&json).map_err(|_| broken())?;
        Ok(Pending {
            account: Account {
                id: record.id.parse::<AccountId>().map_err(|_| broken())?,
                user_id: session.user_id,
                provider: record.provider.parse().map_err(|_| broken())?,
                provider_account_id: record.provider_account_id.parse().map_err(|_| broken())?,
                issuer: record.issuer,
                kind: AccountKind::from_name(&record.kind).ok_or_else(broken)?,
                scope: record.scope,
                created_at: Timestamp(record.created_at),
            },
            profile: record.profile,
            is_new_user: record.is_new_user,
        })
    }
}
