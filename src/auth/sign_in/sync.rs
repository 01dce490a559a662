//! Profile sync: the changes that a sign-in makes to its known user. The address that policy judged and the one that
//! tokens tell then differ only if both are verified, or if the configuration says so.

use crate::auth::rules::{AttributeSync, EmailSync, SyncRules};
use crate::model::{AccountId, Email, EmailSource, Profile, Timestamp, User};

/// The circumstances of a sync that the user and the profile do not tell.
#[derive(Debug, Clone, Copy)]
pub(super) struct SyncFacts {
    /// The account that signs in.
    pub(super) account: AccountId,
    /// True if it is the user's only account.
    pub(super) is_only_account: bool,
    /// True if another user owns the verified address of the profile.
    pub(super) is_email_taken: bool,
}

/// The change of a user's e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EmailChange {
    /// The address stays.
    Keep,
    /// The profile's address replaces it.
    Replace,
    /// It becomes empty: the person has an address that belongs to another user.
    Clear,
}

/// The address that a sync replaced; `None` if there was none.
pub(super) struct EmailFollowed(pub(super) Option<Email>);

/// Decides about the e-mail address.
fn decide_email(known: &User, profile: &Profile, rule: EmailSync, facts: SyncFacts) -> EmailChange {
    if profile.email.is_none() {
        return EmailChange::Keep;
    }
    let is_same = known.email == profile.email && known.email_verified == profile.email_verified;
    let replaceable = match (known.email_verified, profile.email_verified) {
        (true, true) => rule == EmailSync::Follow && is_told_by(known, facts),
        (true, false) => false,
        (false, true) => true,
        (false, false) => known.email_source != Some(EmailSource::Admin),
    };
    match (replaceable && !is_same, profile.email_verified && facts.is_email_taken) {
        (false, _) => EmailChange::Keep,
        (true, false) => EmailChange::Replace,
        (true, true) if known.email_verified || known.email.is_none() => EmailChange::Keep,
        (true, true) => EmailChange::Clear,
    }
}

/// Returns true if this account told the stored address. Users of older versions have no source: it counts as the only
/// account.
fn is_told_by(known: &User, facts: SyncFacts) -> bool {
    match known.email_source {
        Some(EmailSource::Account(account)) => account == facts.account,
        Some(EmailSource::Admin) => false,
        None => facts.is_only_account,
    }
}

/// Returns true if a sign-in may set the profile's verified address, so that the answer depends on its owner.
pub(super) fn may_set_email(known: &User, profile: &Profile, rule: EmailSync, facts: SyncFacts) -> bool {
    let free = SyncFacts { is_email_taken: false, ..facts };
    profile.email_verified && decide_email(known, profile, rule, free) == EmailChange::Replace
}

/// Returns true if the decision depends on the number of the user's accounts.
pub(super) fn depends_on_accounts(known: &User, profile: &Profile, rule: EmailSync) -> bool {
    rule == EmailSync::Follow
        && known.email_source.is_none()
        && known.email_verified
        && profile.email_verified
        && known.email != profile.email
}

/// Makes a known user as it is after this sign-in.
pub(super) fn synced(
    known: &User,
    profile: &Profile,
    rules: SyncRules,
    facts: SyncFacts,
    now: Timestamp,
) -> (User, Option<EmailFollowed>) {
    let mut user = known.clone();
    follow(&mut user.name, profile.name.as_ref(), rules.name);
    follow(&mut user.image, profile.image.as_ref(), rules.image);
    let change = decide_email(known, profile, rules.email, facts);
    match change {
        EmailChange::Keep => {}
        EmailChange::Replace => {
            user.email.clone_from(&profile.email);
            user.email_verified = profile.email_verified;
            user.email_source = Some(EmailSource::Account(facts.account));
        }
        EmailChange::Clear => {
            user.email = None;
            user.email_source = None;
        }
    }
    if user != *known {
        user.version += 1;
        user.updated_at = now;
    }
    user.last_sign_in_at = Some(now);
    let followed = (change != EmailChange::Keep).then(|| EmailFollowed(known.email.clone()));
    (user, followed)
}

fn follow(stored: &mut Option<String>, told: Option<&String>, rule: AttributeSync) {
    if told.is_some() && (rule == AttributeSync::Follow || stored.is_none()) {
        *stored = told.cloned();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::samples;
    use crate::model::{Account, OsEntropy, SystemClock};

    const NOW: Timestamp = Timestamp(5000);

    /// The stored address of a case: none, or its text, its flag and its source.
    type Stored = Option<(&'static str, bool, Source)>;

    #[derive(Debug, Clone, Copy)]
    enum Source {
        Same,
        Other,
        Admin,
        Unknown,
    }

    fn stored(user: &User, account: &Account, stored: Stored) -> User {
        let Some((email, email_verified, source)) = stored else {
            return User { email: None, email_verified: false, email_source: None, ..user.clone() };
        };
        let email_source = match source {
            Source::Same => Some(EmailSource::Account(account.id)),
            Source::Other => Some(EmailSource::Account(AccountId::mint(&SystemClock, &OsEntropy))),
            Source::Admin => Some(EmailSource::Admin),
            Source::Unknown => None,
        };
        User { email: Some(samples::email(email)), email_verified, email_source, ..user.clone() }
    }

    #[test]
    fn an_address_follows_by_three_rules() {
        use EmailChange::{Clear, Keep, Replace};
        use Source::{Admin, Other, Same, Unknown};
        let (user, account) = (samples::user(), samples::account(&samples::user()));
        let (old, new) = ("old@example.com", "new@example.com");
        // Stored, told, taken, then the change under `keep`, and under `follow`.
        for (has, told, taken, keep, follow) in [
            // An absent address changes nothing.
            (None, None, false, Keep, Keep),
            (Some((old, false, Same)), None, false, Keep, Keep),
            (Some((old, true, Same)), None, false, Keep, Keep),
            // 1. Verified, and no other user's.
            (None, Some((new, true)), false, Replace, Replace),
            (Some((old, false, Same)), Some((new, true)), false, Replace, Replace),
            (Some((old, false, Other)), Some((new, true)), false, Replace, Replace),
            (Some((old, false, Admin)), Some((new, true)), false, Replace, Replace),
            (Some((old, false, Unknown)), Some((new, true)), false, Replace, Replace),
            (Some((old, false, Other)), Some((old, true)), false, Replace, Replace),
            (Some((old, true, Same)), Some((new, true)), false, Keep, Replace),
            (Some((old, true, Other)), Some((new, true)), false, Keep, Keep),
            (Some((old, true, Admin)), Some((new, true)), false, Keep, Keep),
            (Some((old, true, Unknown)), Some((new, true)), false, Keep, Replace),
            (Some((old, true, Same)), Some((old, true)), false, Keep, Keep),
            // 2. Verified, but another user's.
            (None, Some((new, true)), true, Keep, Keep),
            (Some((old, false, Same)), Some((new, true)), true, Clear, Clear),
            (Some((old, false, Admin)), Some((new, true)), true, Clear, Clear),
            (Some((new, false, Same)), Some((new, true)), true, Clear, Clear),
            (Some((old, true, Same)), Some((new, true)), true, Keep, Keep),
            // 3. Unverified.
            (None, Some((new, false)), false, Replace, Replace),
            (Some((old, false, Same)), Some((new, false)), false, Replace, Replace),
            (Some((old, false, Other)), Some((new, false)), false, Replace, Replace),
            (Some((old, false, Same)), Some((old, false)), false, Keep, Keep),
            (Some((old, false, Admin)), Some((new, false)), false, Keep, Keep),
            (Some((old, true, Same)), Some((new, false)), false, Keep, Keep),
            (Some((old, true, Same)), Some((old, false)), false, Keep, Keep),
        ] {
            let known = stored(&user, &account, has);
            let (email, email_verified) = told.unzip();
            let profile = Profile {
                email: email.map(samples::email),
                email_verified: email_verified.unwrap_or(false),
                ..samples::profile()
            };
            let facts = SyncFacts { account: account.id, is_only_account: true, is_email_taken: taken };
            for (rule, wanted) in [(EmailSync::Keep, keep), (EmailSync::Follow, follow)] {
                let what = format!("{has:?} {told:?} {taken} {rule:?}");
                assert_eq!(decide_email(&known, &profile, rule, facts), wanted, "{what}");
                let rules = SyncRules { email: rule, ..SyncRules::default() };
                let (after, followed) = synced(&known, &profile, rules, facts, NOW);
                assert_eq!(followed.is_some(), wanted != Keep, "{what}");
                assert_eq!(after.version - known.version, i64::from(wanted != Keep), "{what}");
                match wanted {
                    Keep => assert_eq!(after, User { last_sign_in_at: Some(NOW), ..known.clone() }, "{what}"),
                    Replace => {
                        assert_eq!(
                            (&after.email, after.email_verified),
                            (&profile.email, profile.email_verified)
                        );
                        assert_eq!(after.email_source, Some(EmailSource::Account(account.id)), "{what}");
                    }
                    Clear => assert_eq!((after.email, after.email_verified), (None, false), "{what}"),
                }
            }
        }
    }

    #[test]
    fn a_user_of_an_older_version_follows_only_its_one_account() {
        let (user, account) = (samples::user(), samples::account(&samples::user()));
        let known = stored(&user, &account, Some(("old@example.com", true, Source::Unknown)));
        let profile = Profile { email: Some(samples::email("new@example.com")), ..samples::profile() };
        assert!(depends_on_accounts(&known, &profile, EmailSync::Follow));
        assert!(!depends_on_accounts(&known, &profile, EmailSync::Keep));
        for is_only_account in [true, false] {
            let facts = SyncFacts { account: account.id, is_only_account, is_email_taken: false };
            let change = decide_email(&known, &profile, EmailSync::Follow, facts);
            assert_eq!(change == EmailChange::Replace, is_only_account);
        }
    }

    #[test]
    fn only_a_user_that_changed_has_another_version() {
        let (user, profile) = (samples::user(), samples::profile());
        let facts =
            SyncFacts { account: samples::account(&user).id, is_only_account: true, is_email_taken: false };
        let rules = SyncRules::default();
        let (same, _) = synced(&user, &profile, rules, facts, NOW);
        assert_eq!(same, User { last_sign_in_at: Some(NOW), ..user.clone() });
        let told = Profile { name: Some("Countess".to_owned()), image: Some("/a.png".to_owned()), ..profile };
        let (changed, _) = synced(&user, &told, rules, facts, NOW);
        assert_eq!((changed.name.as_deref(), changed.image.as_deref()), (Some("Countess"), Some("/a.png")));
        assert_eq!((changed.version, changed.updated_at), (user.version + 1, NOW));
        let first = SyncRules { name: AttributeSync::First, image: AttributeSync::First, ..rules };
        let (changed, _) = synced(&user, &told, first, facts, NOW);
        assert_eq!((changed.name.as_deref(), changed.image.as_deref()), (Some("Ada"), Some("/a.png")));
    }
}
