//! The recorded form of an outcome. The provider's tokens are never recorded.

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use crate::auth::error::{Error, Result};
use crate::auth::sign_in::outcome::{Denied, SignInOutcome};
use crate::auth::sign_in::sealed::account_record::AccountRecord;
use crate::model::{Account, RedirectUrl, Timestamp, UserId};
use crate::tokens::GrantToken;

/// A recorded outcome.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Record {
    Allowed(Box<AllowedRecord>),
    Denied(DeniedRecord),
    Redirect(String),
    Failed(Failure),
}

/// An allowed sign-in, or a linked account.
#[derive(Serialize, Deserialize)]
pub(super) struct AllowedRecord {
    pub(super) is_new_user: bool,
    /// The grant and its expiry; `None` if the account was linked.
    grant: Option<(String, i64)>,
    pub(super) redirect_to: String,
    user_id: String,
    account: AccountRecord,
}

/// A denied sign-in. The URL of the person follows from the reason.
#[derive(Serialize, Deserialize)]
pub(super) struct DeniedRecord {
    pub(super) reason: String,
    pub(super) detail: Option<String>,
    pub(super) linked_providers: Vec<String>,
    /// The reason of the ban, if the person may know it, and its end.
    pub(super) ban: Option<(Option<String>, Option<i64>)>,
}

impl Record {
    /// Makes the record of an allowed sign-in.
    pub(super) fn allowed(
        account: &Account,
        is_new_user: bool,
        grant: Option<&(GrantToken, Timestamp)>,
        redirect_to: &RedirectUrl,
    ) -> Self {
        Self::Allowed(Box::new(AllowedRecord {
            is_new_user,
            grant: grant.map(|(grant, expires_at)| (grant.encode(), expires_at.millis())),
            redirect_to: redirect_to.as_str().to_owned(),
            user_id: account.user_id.to_string(),
            account: AccountRecord::of(account),
        }))
    }

    /// Makes the record of any outcome.
    pub(super) fn of(outcome: &Result<SignInOutcome>) -> Self {
        match outcome {
            Ok(SignInOutcome::Allowed(allowed)) => {
                let (account, grant) = (&allowed.account, allowed.grant.as_ref());
                Self::allowed(account, allowed.is_new_user, grant, &allowed.redirect_to)
            }
            Ok(SignInOutcome::Denied(denied)) => Self::Denied(DeniedRecord::of(denied)),
            Ok(SignInOutcome::Redirect(url)) => Self::Redirect(url.as_str().to_owned()),
            Err(error) => Self::Failed(Failure::of(error)),
        }
    }
}

impl DeniedRecord {
    fn of(denied: &Denied) -> Self {
        Self {
            reason: denied.denial.reason.name().to_owned(),
            detail: denied.denial.detail.clone(),
            linked_providers: denied.linked_providers.iter().map(ToString::to_string).collect(),
            ban: denied.ban.as_ref().map(|ban| (ban.reason.clone(), ban.expires_at.map(Timestamp::millis))),
        }
    }
}

impl AllowedRecord {
    /// Returns the account.
    pub(super) fn account(&self) -> Result<Account> {
        let user_id = self.user_id.parse::<UserId>().map_err(|_| broken())?;
        self.account.account(user_id).ok_or_else(broken)
    }

    /// Returns the grant and its expiry.
    pub(super) fn grant(&self) -> Result<Option<(GrantToken, Timestamp)>> {
        let Some((grant, expires_at)) = &self.grant else { return Ok(None) };
        Ok(Some((GrantToken::parse(grant).ok_or_else(broken)?, Timestamp(*expires_at))))
    }
}

/// Makes the error for a record that is not what was sealed.
pub(super) fn broken() -> Error {
    Error::Internal("a sealed outcome is not what was sealed".to_owned())
}
