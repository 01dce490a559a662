//! The sealed form of an account.

use serde::{Deserialize, Serialize};

use crate::model::{Account, AccountKind, Timestamp, UserId};

/// An account without its user.
#[derive(Serialize, Deserialize)]
pub(in crate::auth::sign_in) struct AccountRecord {
    id: String,
    provider: String,
    provider_account_id: String,
    issuer: String,
    kind: String,
    scope: Option<String>,
    created_at: i64,
}

impl AccountRecord {
    /// Makes the record of an account.
    pub(in crate::auth::sign_in) fn of(account: &Account) -> Self {
        Self {
            id: account.id.to_string(),
            provider: account.provider.to_string(),
            provider_account_id: account.provider_account_id.as_str().to_owned(),
            issuer: account.issuer.clone(),
            kind: account.kind.name().to_owned(),
            scope: account.scope.clone(),
            created_at: account.created_at.millis(),
        }
    }

    /// Returns the account of this user, or `None` if the record is not one that was sealed.
    pub(in crate::auth::sign_in) fn account(&self, user_id: UserId) -> Option<Account> {
        Some(Account {
            id: self.id.parse().ok()?,
            user_id,
            provider: self.provider.parse().ok()?,
            provider_account_id: self.provider_account_id.parse().ok()?,
            issuer: self.issuer.clone(),
            kind: AccountKind::from_name(&self.kind)?,
            scope: self.scope.clone(),
            created_at: Timestamp(self.created_at),
        })
    }
}
