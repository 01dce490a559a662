//! The person of a sign-in: a user and its account, as they will be.

use super::sync::EmailFollowed;
use crate::model::{Account, Profile, User, UserId};
use crate::storage::{AccountWrite, UserWrite};

/// A user and its account, as they will be after the sign-in.
pub(super) struct Person {
    pub(super) user: User,
    pub(super) account: Account,
    /// The version at which a known user was read.
    pub(super) known: Option<i64>,
    /// The change of the account's row.
    pub(super) account_write: Option<AccountWrite>,
    /// The change of a known user's e-mail address, for the log.
    pub(super) email_followed: Option<EmailFollowed>,
}

impl Person {
    pub(super) fn is_new(&self) -> bool {
        self.known.is_none()
    }

    pub(super) fn has_new_account(&self) -> bool {
        matches!(self.account_write, Some(AccountWrite::Create(_)))
    }

    /// Returns true if a known user signs in with a new account that was found by its verified e-mail address.
    pub(super) fn is_linked_by_email(&self) -> bool {
        !self.is_new() && self.has_new_account()
    }

    /// Returns the user, if it already exists.
    pub(super) fn known_user(&self) -> Option<UserId> {
        self.known.map(|_| self.user.id)
    }

    pub(super) fn into_writes(self) -> (UserWrite, Option<AccountWrite>) {
        let user = match self.known {
            Some(expected_version) => UserWrite::Update { user: self.user, expected_version },
            None => UserWrite::Create(self.user),
        };
        (user, self.account_write)
    }
}

/// Gives a known account the newly granted scopes; also returns the write for it.
pub(super) fn rescoped(mut account: Account, profile: &Profile) -> (Account, Option<AccountWrite>) {
    let scope = &profile.identity.scope;
    if scope.is_none() || *scope == account.scope {
        return (account, None);
    }
    account.scope.clone_from(scope);
    let write = AccountWrite::Scope { id: account.id, scope: account.scope.clone() };
    (account, Some(write))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::samples;

    #[test]
    fn an_account_is_written_if_other_scopes_were_granted() {
        let account = samples::account(&samples::user());
        let granted = |scope: Option<&str>| {
            let mut profile = samples::profile();
            profile.identity.scope = scope.map(str::to_owned);
            rescoped(Account { scope: Some("a".to_owned()), ..account.clone() }, &profile)
        };
        for (scope, after, written) in
            [(None, "a", false), (Some("a"), "a", false), (Some("a b"), "a b", true)]
        {
            let (account, write) = granted(scope);
            assert_eq!((account.scope.as_deref(), write.is_some()), (Some(after), written), "{scope:?}");
        }
    }
}
