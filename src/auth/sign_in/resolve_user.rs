//! Which user a profile proves: the account's, or a new one. An e-mail finds a user to sign in only where the provider
//! has `link_by_verified_email`; else one that belongs to somebody refuses the sign-in.

use crate::auth::callbacks::{Denial, DenialReason};
use crate::auth::error::Result;
use crate::auth::rules::Auth;
use crate::model::{Account, AccountId, AccountKey, EmailKey, Profile, ProviderId, Timestamp, User, UserId};
use crate::storage::{AccountWrite, UserWrite};

/// A user and the account that proves it, as they will be after the sign-in.
pub(in crate::auth) struct Person {
    pub(in crate::auth) user: User,
    pub(in crate::auth) account: Account,
    /// The version a known user was found at.
    known: Option<i64>,
    /// What becomes of the account's row.
    account_write: Option<AccountWrite>,
}

impl Person {
    /// The refusal of this person.
    pub(in crate::auth) fn refused(&self, denial: Denial) -> Refusal {
        Refusal { denial, linked_providers: Vec::new(), user_id: self.known_user() }
    }

    pub(in crate::auth) fn is_new(&self) -> bool {
        self.known.is_none()
    }

    pub(in crate::auth) fn has_new_account(&self) -> bool {
        matches!(self.account_write, Some(AccountWrite::Create(_)))
    }

    /// Whether a known user signs in by an account that is new, since its verified e-mail is theirs.
    pub(in crate::auth) fn is_linked_by_email(&self) -> bool {
        !self.is_new() && self.has_new_account()
    }

    /// The user, if there is one already.
    pub(in crate::auth) fn known_user(&self) -> Option<UserId> {
        self.known.map(|_| self.user.id)
    }

    pub(in crate::auth) fn into_writes(self) -> (UserWrite, Option<AccountWrite>) {
        let user = match self.known {
            Some(expected_version) => UserWrite::Update { user: self.user, expected_version },
            None => UserWrite::Create(self.user),
        };
        (user, self.account_write)
    }
}

/// Why a person may not sign in.
pub(in crate::auth) struct Refusal {
    pub(in crate::auth) denial: Denial,
    /// How the owner of the e-mail signs in.
    pub(in crate::auth) linked_providers: Vec<ProviderId>,
    /// Whom the account proves, where that is known.
    pub(in crate::auth) user_id: Option<UserId>,
}

impl Auth {
    /// Finds or drafts the person of a profile; refuses a banned one, and an e-mail that is somebody's.
    ///
    /// That an e-mail is free is left to the database's unique key at the first try, and looked up only when
    /// something stood in the way.
    pub(in crate::auth) async fn find_person(
        &self,
        profile: &Profile,
        look_up: bool,
    ) -> Result<std::result::Result<Person, Refusal>> {
        let now = self.now();
        let key = AccountKey::new(&profile.issuer, &profile.provider, &profile.provider_account_id);
        let refuse = |reason, linked_providers, user_id| {
            let denial = Denial { reason, detail: None };
            Ok(Err(Refusal { denial, linked_providers, user_id }))
        };
        let mut found = self.parts.users.find_user_by_account(key).await?;
        let mut owner = None;
        if let Some(email) = profile.verified_email().filter(|_| found.is_none()) {
            owner = self.parts.users.find_user_by_email(EmailKey::from(email)).await?;
            if owner.is_some() {
                // The same person may have signed up between the two looks.
                found = self.parts.users.find_user_by_account(key).await?;
            }
        }
        let links_by_email = self.rules.providers.get(&profile.provider);
        let links_by_email = links_by_email.is_some_and(|provider| provider.link_by_verified_email);
        let linked = found.is_none() && owner.is_some();
        let known = match (found, owner) {
            (Some(known), _) => Some(known),
            (None, Some(owner)) if links_by_email => {
                let account = self.new_account(owner.id, profile, now);
                Some((owner, account))
            }
            (None, Some(owner)) => {
                let linked = self.parts.users.linked_providers(owner.id).await?;
                return refuse(DenialReason::AccountNotLinked, linked, None);
            }
            (None, None) => None,
        };
        let Some((user, account)) = known else {
            let user = self.new_user(profile, now);
            let account = self.new_account(user.id, profile, now);
            let account_write = Some(AccountWrite::Create(account.clone()));
            return Ok(Ok(Person { user, account, known: None, account_write }));
        };
        if user.is_banned(now) {
            return refuse(DenialReason::UserBanned, Vec::new(), Some(user.id));
        }
        let known = Some(user.version);
        let user = self.refreshed(user, profile, now, look_up).await?;
        let (account, account_write) = if linked {
            (account.clone(), Some(AccountWrite::Create(account)))
        } else {
            rescoped(account, profile)
        };
        Ok(Ok(Person { user, account, known, account_write }))
    }

    fn new_user(&self, profile: &Profile, now: Timestamp) -> User {
        User {
            id: UserId::mint(&*self.parts.clock, &*self.parts.entropy),
            email: profile.email.clone(),
            email_verified: profile.verified_email().is_some(),
            name: profile.name.clone(),
            image: profile.image.clone(),
            role: self.rules.sign_in.default_role.clone(),
            ban: None,
            epoch: 0,
            version: 1,
            created_at: now,
            updated_at: now,
            last_sign_in_at: Some(now),
        }
    }

    pub(in crate::auth) fn new_account(&self, user_id: UserId, profile: &Profile, now: Timestamp) -> Account {
        Account {
            id: AccountId::mint(&*self.parts.clock, &*self.parts.entropy),
            user_id,
            provider: profile.provider.clone(),
            provider_account_id: profile.provider_account_id.clone(),
            issuer: profile.issuer.clone(),
            kind: profile.kind,
            scope: profile.scope.clone(),
            created_at: now,
        }
    }

    /// A known user after this sign-in: name and image as told now, the e-mail only if it had none or if its own
    /// was verified.
    async fn refreshed(&self, known: User, profile: &Profile, now: Timestamp, look_up: bool) -> Result<User> {
        let mut user = known.clone();
        if profile.name.is_some() {
            user.name.clone_from(&profile.name);
        }
        if profile.image.is_some() {
            user.image.clone_from(&profile.image);
        }
        self.refresh_email(&mut user, profile, look_up).await?;
        if user != known {
            user.version += 1;
            user.updated_at = now;
        }
        user.last_sign_in_at = Some(now);
        Ok(user)
    }

    async fn refresh_email(&self, user: &mut User, profile: &Profile, look_up: bool) -> Result<()> {
        let had_none = user.email.is_none();
        let newly_verified = user.email == profile.email && !user.email_verified;
        match profile.verified_email() {
            Some(email) if had_none || newly_verified => {
                // Somebody else's verified e-mail stays theirs.
                let taken =
                    look_up && self.parts.users.find_user_by_email(EmailKey::from(email)).await?.is_some();
                if !taken {
                    user.email = Some(email.clone());
                    user.email_verified = true;
                }
            }
            None if had_none => user.email.clone_from(&profile.email),
            Some(_) | None => {}
        }
        Ok(())
    }
}

/// A known account with the scopes that were granted now, and what that writes.
pub(in crate::auth) fn rescoped(mut account: Account, profile: &Profile) -> (Account, Option<AccountWrite>) {
    if profile.scope.is_none() || profile.scope == account.scope {
        return (account, None);
    }
    account.scope.clone_from(&profile.scope);
    let write = AccountWrite::Scope { id: account.id, scope: account.scope.clone() };
    (account, Some(write))
}
