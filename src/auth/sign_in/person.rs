//! The person of a sign-in: a user and its account, as they will be.

use crate::model::{Account, Profile, Timestamp, User, UserId};
use crate::storage::{AccountWrite, UserWrite};

/// A user and its account, as they will be after the sign-in.
pub(super) struct Person {
    pub(super) user: User,
    pub(super) account: Account,
    /// The version at which a known user was read.
    pub(super) known: Option<i64>,
    /// The change of the account's row.
    pub(super) account_write: Option<AccountWrite>,
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

/// Returns true if a known user takes over the profile's verified e-mail address: it had none, or has the same
/// unverified.
pub(super) fn takes_verified_email(known: &User, profile: &Profile) -> bool {
    known.email.is_none() || (known.email == profile.email && !known.email_verified)
}

/// Makes a known user as it is after this sign-in. Name and image are updated. A verified e-mail address is taken over
/// if the user had none or the same unverified; an unverified one only if the user had none.
pub(super) fn refreshed(known: &User, profile: &Profile, email_taken: bool, now: Timestamp) -> User {
    let mut user = known.clone();
    if profile.name.is_some() {
        user.name.clone_from(&profile.name);
    }
    if profile.image.is_some() {
        user.image.clone_from(&profile.image);
    }
    match profile.verified_email() {
        Some(email) if takes_verified_email(known, profile) && !email_taken => {
            user.email = Some(email.clone());
            user.email_verified = true;
        }
        None if known.email.is_none() => user.email.clone_from(&profile.email),
        Some(_) | None => {}
    }
    if user != *known {
        user.version += 1;
        user.updated_at = now;
    }
    user.last_sign_in_at = Some(now);
    user
}

/// Gives a known account the newly granted scopes; also returns the write for it.
pub(super) fn rescoped(mut account: Account, profile: &Profile) -> (Account, Option<AccountWrite>) {
    if profile.scope.is_none() || profile.scope == account.scope {
        return (account, None);
    }
    account.scope.clone_from(&profile.scope);
    let write = AccountWrite::Scope { id: account.id, scope: account.scope.clone() };
    (account, Some(write))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::samples;

    const NOW: Timestamp = Timestamp(5000);

    #[test]
    fn a_user_adopts_a_verified_email_if_it_has_none_or_the_same_unverified() {
        let (ada, eve) = (samples::email("ada@example.com"), samples::email("eve@example.com"));
        for (own, own_verified, told, told_verified, taken, email, verified) in [
            (None, false, Some(&ada), true, false, Some(&ada), true),
            (None, false, Some(&ada), true, true, None, false),
            (None, false, Some(&ada), false, false, Some(&ada), false),
            (None, false, None, false, false, None, false),
            (Some(&ada), false, Some(&ada), true, false, Some(&ada), true),
            (Some(&ada), false, Some(&ada), true, true, Some(&ada), false),
            (Some(&ada), false, Some(&eve), true, false, Some(&ada), false),
            (Some(&ada), true, Some(&eve), true, false, Some(&ada), true),
            (Some(&ada), true, Some(&ada), false, false, Some(&ada), true),
        ] {
            let user = User { email: own.cloned(), email_verified: own_verified, ..samples::user() };
            let profile =
                Profile { email: told.cloned(), email_verified: told_verified, ..samples::profile() };
            let after = refreshed(&user, &profile, taken, NOW);
            assert_eq!((after.email.as_ref(), after.email_verified), (email, verified), "{own:?} {told:?}");
        }
    }

    #[test]
    fn only_a_changed_user_gets_a_new_version() {
        let (user, profile) = (samples::user(), samples::profile());
        let same = refreshed(&user, &profile, false, NOW);
        assert_eq!(same, User { last_sign_in_at: Some(NOW), ..user.clone() });
        let told = Profile { name: Some("Countess".to_owned()), image: Some("/a.png".to_owned()), ..profile };
        let changed = refreshed(&user, &told, false, NOW);
        assert_eq!((changed.name.as_deref(), changed.image.as_deref()), (Some("Countess"), Some("/a.png")));
        assert_eq!((changed.version, changed.updated_at), (user.version + 1, NOW));
    }

    #[test]
    fn an_account_is_written_if_other_scopes_were_granted() {
        let account = samples::account(&samples::user());
        let granted = |scope: Option<&str>| {
            let profile = Profile { scope: scope.map(str::to_owned), ..samples::profile() };
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
