//! The user of a profile: the account's user, or a new one. An e-mail address identifies a user only if the provider
//! has `link_by_verified_email`; otherwise an address that belongs to another user rejects the sign-in.

use std::collections::HashMap;
use std::sync::Arc;

use super::denial::Refusal;
use super::person::{Person, rescoped};
use super::sync::{SyncFacts, depends_on_accounts, may_set_email, synced};
use crate::auth::error::Result;
use crate::auth::rules::ProviderRules;
use crate::model::DenialReason;
use crate::model::{
    Account, AccountId, Ban, Clock, EmailKey, EmailSource, Entropy, Profile, ProviderId, Timestamp, User,
    UserId,
};
use crate::storage::{AccountWrite, UserStore};

/// Finds or drafts the user of a profile.
pub struct ResolveUser {
    /// The store of the users.
    pub users: Arc<dyn UserStore>,
    /// The configured rules of each provider.
    pub providers: Arc<HashMap<ProviderId, ProviderRules>>,
    /// The rules of all other providers, which only callers vouch for.
    pub default_rules: ProviderRules,
    /// The role of a new user.
    pub default_role: String,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// The decision about a profile.
#[derive(Debug, PartialEq, Eq)]
enum UserDecision {
    /// The account is known: its user signs in.
    SignIn(User, Account),
    /// The owner of the verified e-mail signs in and gets the account.
    Link(User),
    /// The person becomes a user.
    SignUp,
    /// The e-mail address belongs to this user, who signs in with another account.
    RefuseNotLinked(UserId),
    /// This user is banned.
    RefuseBanned(UserId, Ban),
}

/// Decides how to handle a profile, by the user of its account or else the owner of its verified e-mail address.
fn decide_user(
    found: Option<(User, Account)>,
    owner: Option<User>,
    profile: &Profile,
    rules: &HashMap<ProviderId, ProviderRules>,
    now: Timestamp,
) -> UserDecision {
    let links_by_email =
        rules.get(&profile.identity.provider).is_some_and(|provider| provider.link_by_verified_email);
    let banned = |user: &User| user.ban_at(now).map(|ban| UserDecision::RefuseBanned(user.id, ban.clone()));
    match (found, owner) {
        (Some((user, account)), _) => banned(&user).unwrap_or(UserDecision::SignIn(user, account)),
        (None, None) => UserDecision::SignUp,
        (None, Some(owner)) if !links_by_email => UserDecision::RefuseNotLinked(owner.id),
        (None, Some(owner)) => banned(&owner).unwrap_or(UserDecision::Link(owner)),
    }
}

impl ResolveUser {
    /// Finds or drafts the person of a profile; rejects a banned user, and an e-mail address that belongs to another
    /// user.
    ///
    /// The first attempt relies on the database's unique key for the address. The address is looked up only after a
    /// conflict.
    pub(super) async fn resolve(
        &self,
        profile: &Profile,
        look_up: bool,
    ) -> Result<std::result::Result<Person, Refusal>> {
        let now = self.clock.now();
        let (found, owner) = self.find(profile).await?;
        let (known, account, account_write) = match decide_user(found, owner, profile, &self.providers, now) {
            UserDecision::SignIn(user, account) => {
                let (account, write) = rescoped(account, profile);
                (user, account, write)
            }
            UserDecision::Link(owner) => {
                let account = self.new_account(owner.id, profile, now);
                (owner, account.clone(), Some(AccountWrite::Create(account)))
            }
            UserDecision::SignUp => return Ok(Ok(self.new_person(profile, now))),
            UserDecision::RefuseNotLinked(owner) => {
                let linked_providers = self.users.linked_providers(owner).await?;
                let refusal = Refusal::by(DenialReason::AccountNotLinked, None);
                return Ok(Err(Refusal { linked_providers, ..refusal }));
            }
            UserDecision::RefuseBanned(user, ban) => {
                let refusal = Refusal::by(DenialReason::UserBanned, Some(user));
                return Ok(Err(Refusal { ban: Some(ban), ..refusal }));
            }
        };
        let rules = self.rules_of(&profile.identity.provider).sync;
        let facts = self.sync_facts(&known, &account, profile, look_up).await?;
        let (user, email_followed) = synced(&known, profile, rules, facts, now);
        Ok(Ok(Person { user, account, known: Some(known.version), account_write, email_followed }))
    }

    /// Returns the rules of a provider: the defaults, if none of this id is configured.
    pub(super) fn rules_of(&self, provider: &ProviderId) -> &ProviderRules {
        self.providers.get(provider).unwrap_or(&self.default_rules)
    }

    /// Drafts an account of a user.
    pub(super) fn new_account(&self, user_id: UserId, profile: &Profile, now: Timestamp) -> Account {
        let identity = &profile.identity;
        Account {
            id: AccountId::mint(&*self.clock, &*self.entropy),
            user_id,
            provider: identity.provider.clone(),
            provider_account_id: identity.provider_account_id.clone(),
            issuer: identity.issuer.clone(),
            kind: identity.kind,
            scope: identity.scope.clone(),
            created_at: now,
        }
    }

    /// Finds the user of the profile's account or, if there is none, the owner of its verified e-mail address.
    async fn find(&self, profile: &Profile) -> Result<(Option<(User, Account)>, Option<User>)> {
        let key = profile.identity.account_key();
        let mut found = self.users.find_user_by_account(key).await?;
        let mut owner = None;
        if let Some(email) = profile.verified_email().filter(|_| found.is_none()) {
            owner = self.users.find_user_by_email(EmailKey::from(email)).await?;
            if owner.is_some() {
                // The same person may have signed up between the two reads.
                found = self.users.find_user_by_account(key).await?;
            }
        }
        Ok((found, owner))
    }

    /// Finds out what the sync depends on; the owner of the profile's address only if asked to look it up.
    async fn sync_facts(
        &self,
        known: &User,
        account: &Account,
        profile: &Profile,
        look_up: bool,
    ) -> Result<SyncFacts> {
        let rule = self.rules_of(&profile.identity.provider).sync.email;
        let mut facts = SyncFacts { account: account.id, is_only_account: false, is_email_taken: false };
        if depends_on_accounts(known, profile, rule) {
            let accounts = self.users.accounts_of(known.id).await?;
            facts.is_only_account = accounts.iter().all(|other| other.id == account.id);
        }
        if look_up
            && let Some(email) = profile.verified_email()
            && may_set_email(known, profile, rule, facts)
        {
            let owner = self.users.find_user_by_email(EmailKey::from(email)).await?;
            facts.is_email_taken = owner.is_some_and(|owner| owner.id != known.id);
        }
        Ok(facts)
    }

    fn new_person(&self, profile: &Profile, now: Timestamp) -> Person {
        let id = UserId::mint(&*self.clock, &*self.entropy);
        let account = self.new_account(id, profile, now);
        let user = User {
            id,
            email_source: profile.email.as_ref().map(|_| EmailSource::Account(account.id)),
            email: profile.email.clone(),
            email_verified: profile.verified_email().is_some(),
            name: profile.name.clone(),
            image: profile.image.clone(),
            role: self.default_role.clone(),
            ban: None,
            epoch: 0,
            version: 1,
            created_at: now,
            updated_at: now,
            last_sign_in_at: Some(now),
        };
        let account_write = Some(AccountWrite::Create(account.clone()));
        Person { user, account, known: None, account_write, email_followed: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::samples;

    const NOW: Timestamp = Timestamp(5000);

    fn rules(link_by_verified_email: bool) -> HashMap<ProviderId, ProviderRules> {
        let rules = ProviderRules { link_by_verified_email, ..ProviderRules::default() };
        HashMap::from([("github".parse().unwrap(), rules)])
    }

    fn banned(user: &User, expires_at: Option<Timestamp>) -> User {
        User { ban: Some(Ban { reason: None, expires_at }), ..user.clone() }
    }

    #[test]
    fn a_profile_is_its_accounts_user_or_the_owner_of_its_email_or_a_new_one() {
        let (user, owner) = (samples::user(), samples::user());
        let account = samples::account(&user);
        let found = |user: User| Some((user, account.clone()));
        let over = banned(&user, Some(NOW));
        for (found, owner, links_by_email, decision) in [
            (None, None, false, UserDecision::SignUp),
            (None, None, true, UserDecision::SignUp),
            (found(user.clone()), None, false, UserDecision::SignIn(user.clone(), account.clone())),
            // The account wins: it was written between two reads.
            (
                found(user.clone()),
                Some(owner.clone()),
                true,
                UserDecision::SignIn(user.clone(), account.clone()),
            ),
            (found(banned(&user, None)), None, false, UserDecision::RefuseBanned(user.id, Ban::default())),
            (found(over.clone()), None, false, UserDecision::SignIn(over, account.clone())),
            (None, Some(owner.clone()), false, UserDecision::RefuseNotLinked(owner.id)),
            // Only the owner may learn that an e-mail address belongs to a banned user.
            (None, Some(banned(&owner, None)), false, UserDecision::RefuseNotLinked(owner.id)),
            (None, Some(owner.clone()), true, UserDecision::Link(owner.clone())),
            (None, Some(banned(&owner, None)), true, UserDecision::RefuseBanned(owner.id, Ban::default())),
        ] {
            let what = format!("{found:?} {owner:?} {links_by_email}");
            let decided = decide_user(found, owner, &samples::profile(), &rules(links_by_email), NOW);
            assert_eq!(decided, decision, "{what}");
        }
    }

    #[test]
    fn only_the_rules_of_the_profiles_own_provider_link_by_email() {
        let owner = samples::user();
        let mut profile = samples::profile();
        profile.identity.provider = "other".parse().unwrap();
        let decided = decide_user(None, Some(owner.clone()), &profile, &rules(true), NOW);
        assert_eq!(decided, UserDecision::RefuseNotLinked(owner.id));
    }
}
