//! Users and accounts: values are read as they were written, identities are compared byte by byte, and of two writers
//! of one version one wins.

use gatepass::model::{
    AccountId, AccountKey, Ban, Email, EmailKey, EmailSource, EndReason, ProviderId, Revocation, Timestamp,
    User, UserId,
};
use gatepass::storage::{
    AccountWrite, Database, RevocationFeed as _, SessionStore as _, UserStore as _, UserWrite,
};

use super::at_once;
use super::sample::{
    HOUR, NOW, account, done, ending_all, redeemed, session, sign_in, sign_up, signed_up, told, update, user,
    user_id,
};

async fn find(db: &Database, id: UserId) -> User {
    db.find_user(id).await.unwrap().unwrap()
}

/// Writes a user with an account of the same id, and reads it.
async fn write(db: &Database, user: &User) -> User {
    let account = account(user, "github", &user.id.to_string());
    done(db.open_session(sign_up(user, &account, &session(user, &account))).await.unwrap());
    find(db, user.id).await
}

pub(super) async fn a_user_reads_back_as_it_was_written(db: &Database) {
    let written = User {
        email: Some(Email::parse("josé@bücher.example").unwrap()),
        name: Some("José \u{1f469}\u{200d}\u{1f680} 王小明 \u{202e}\"';--\\".to_owned()),
        image: Some("https://images.example/ada.png?size=1&x=%00".to_owned()),
        ban: Some(Ban { reason: Some("spam — \u{1f6ab}".to_owned()), expires_at: Some(NOW.plus(HOUR)) }),
        email_source: Some(EmailSource::Admin),
        epoch: 7,
        version: 9,
        updated_at: Timestamp(NOW.millis() + 1),
        last_sign_in_at: Some(Timestamp(NOW.millis() + 2)),
        ..user("ada")
    };
    assert_eq!(write(db, &written).await, written);
}

pub(super) async fn a_user_of_nothing_but_an_id_reads_back(db: &Database) {
    let written = User {
        email: None,
        email_verified: false,
        name: None,
        image: None,
        last_sign_in_at: None,
        ban: Some(Ban::default()),
        ..user("nobody")
    };
    assert_eq!(write(db, &written).await, written);
    let empty = User { name: Some(String::new()), ban: None, id: user_id(), ..written };
    assert_eq!(write(db, &empty).await, empty, "an empty name is not a missing one");
}

pub(super) async fn a_user_of_the_largest_values_reads_back(db: &Database) {
    let domain = format!("{0}.{0}.{1}", "d".repeat(63), "d".repeat(61));
    let written = User {
        email: Some(Email::parse(&format!("{}@{domain}", "l".repeat(64))).unwrap()),
        name: Some("é".repeat(4096)),
        image: Some("i".repeat(8192)),
        email_source: Some(EmailSource::Account(
            "019b76da-a800-7fff-bfff-ffffffffffff".parse::<AccountId>().unwrap(),
        )),
        role: "r".repeat(64),
        epoch: i64::MAX,
        version: i64::MAX,
        created_at: Timestamp(0),
        updated_at: Timestamp(i64::MAX),
        last_sign_in_at: Some(Timestamp(i64::MIN)),
        ..user("large")
    };
    assert_eq!(write(db, &written).await, written);
}

pub(super) async fn an_account_reads_back_with_its_user(db: &Database) {
    let ada = user("ada");
    let mut written = account(&ada, &"p".repeat(64), &"é".repeat(127));
    written.issuer = "https://issuer.example/".into();
    written.scope = Some("openid email".to_owned());
    done(db.open_session(sign_up(&ada, &written, &session(&ada, &written))).await.unwrap());
    let found = db.find_user_by_account(AccountKey::from(&written)).await.unwrap();
    assert_eq!(found, Some((ada, written)));
}

pub(super) async fn accounts_that_only_look_alike_are_two(db: &Database) {
    let ids = ["josé", "jose\u{301}", "jose", "JOSE", "jose ", " jose", "ﬁ", "fi", "ß", "ss", "\u{200b}jose"];
    let mut owners = Vec::new();
    for (number, id) in ids.into_iter().enumerate() {
        let owner = user(&format!("person-{number}"));
        let account = account(&owner, "github", id);
        done(db.open_session(sign_up(&owner, &account, &session(&owner, &account))).await.unwrap());
        owners.push((account, owner));
    }
    for (account, owner) in owners {
        let found = db.find_user_by_account(AccountKey::from(&account)).await.unwrap();
        assert_eq!(found, Some((owner, account)));
    }
}

pub(super) async fn accounts_of_another_issuer_are_others(db: &Database) {
    let (ada, eve) = (user("ada"), user("eve"));
    let of_ada = account(&ada, "oidc", "1");
    let mut of_eve = account(&eve, "oidc", "1");
    of_eve.issuer = "https://other.example".into();
    for (user, account) in [(&ada, &of_ada), (&eve, &of_eve)] {
        done(db.open_session(sign_up(user, account, &session(user, account))).await.unwrap());
    }
    let owner =
        async |account| db.find_user_by_account(AccountKey::from(account)).await.unwrap().unwrap().0.id;
    assert_eq!((owner(&of_ada).await, owner(&of_eve).await), (ada.id, eve.id));
}

pub(super) async fn many_users_are_found_by_their_ids(db: &Database) {
    let (ada, eve) = (signed_up(db, "ada").await.user, signed_up(db, "eve").await.user);
    let found = db.find_users(&[eve.id, user_id(), ada.id, ada.id]).await.unwrap();
    let mut found: Vec<_> = found.into_iter().map(|(id, user)| (id, user.unwrap())).collect();
    found.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
    assert_eq!(found, [(ada.id, ada), (eve.id, eve)]);
    assert!(db.find_users(&[]).await.unwrap().is_empty());
    let many: Vec<_> = (0..40_000).map(|_| user_id()).collect();
    assert!(db.find_users(&many).await.unwrap().is_empty());
}

pub(super) async fn an_unknown_id_or_email_is_not_found(db: &Database) {
    let nobody = user("nobody");
    let unknown = account(&nobody, "github", "nobody");
    assert_eq!(db.find_user(nobody.id).await.unwrap(), None);
    assert_eq!(db.find_user_by_account(AccountKey::from(&unknown)).await.unwrap(), None);
    let email = EmailKey::from(nobody.email.as_ref().unwrap());
    assert_eq!(db.find_user_by_email(email).await.unwrap(), None);
    assert_eq!(db.linked_providers(nobody.id).await.unwrap(), []);
}

pub(super) async fn only_a_verified_email_finds_its_user(db: &Database) {
    let ada = signed_up(db, "ada").await.user;
    let key = EmailKey::from(ada.email.as_ref().unwrap());
    assert_eq!(db.find_user_by_email(key).await.unwrap(), Some(ada.clone()));
    // The same address, unverified: any number of users may claim it.
    for name in ["one", "two"] {
        write(db, &User { email: ada.email.clone(), email_verified: false, ..user(name) }).await;
    }
    assert_eq!(db.find_user_by_email(key).await.unwrap(), Some(ada));
}

pub(super) async fn emails_that_only_look_alike_are_two(db: &Database) {
    for (number, email) in
        ["josé@example.com", "jose@example.com", "jose+x@example.com"].into_iter().enumerate()
    {
        let email = Email::parse(email).unwrap();
        let written = User { email: Some(email.clone()), ..user(&format!("person-{number}")) };
        write(db, &written).await;
        assert_eq!(db.find_user_by_email(EmailKey::from(&email)).await.unwrap(), Some(written));
    }
}

pub(super) async fn linked_providers_are_told_once_each(db: &Database) {
    let ada = signed_up(db, "ada").await;
    for (provider, id) in [("google", "1"), ("github", "2")] {
        let account = account(&ada.user, provider, id);
        let mut opening = sign_in(&ada.user, ada.user.version, &session(&ada.user, &account));
        opening.account = Some(AccountWrite::Create(account));
        done(db.open_session(opening).await.unwrap());
    }
    signed_up(db, "eve").await;
    let mut linked = db.linked_providers(ada.user.id).await.unwrap();
    linked.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    assert_eq!(linked.iter().map(ProviderId::as_str).collect::<Vec<_>>(), ["github", "google"]);
}

pub(super) async fn an_update_is_written_with_its_log_and_its_place_in_the_feed(db: &Database) {
    let ada = redeemed(db, "ada").await;
    let change = update(&ada.user, |user| {
        user.name = None;
        user.role = "admin".into();
        user.image = Some("https://images.example/new".to_owned());
        user.email = Some(Email::parse("new@example.com").unwrap());
        user.updated_at = NOW.plus(HOUR);
    });
    let wanted = change.user.clone();
    let revoked = db.update_user(change).await.unwrap().unwrap();
    assert_eq!(told(&revoked), (0, vec![Revocation::UserChanged { id: ada.user.id }]));
    assert_eq!(revoked.user, Some(wanted.clone()));
    assert_eq!(find(db, ada.user.id).await, wanted);
    assert!(db.find_user_by_email(EmailKey::from(ada.user.email.as_ref().unwrap())).await.unwrap().is_none());
    assert!(ada.now(db).await.ended.is_none());
}

pub(super) async fn an_update_of_an_old_version_writes_nothing(db: &Database) {
    let ada = redeemed(db, "ada").await;
    db.update_user(update(&ada.user, |user| user.role = "editor".into())).await.unwrap().unwrap();
    let mut ban = update(&ada.user, |user| user.ban = Some(Ban::default()));
    ban.end_sessions = Some(EndReason::Banned);
    assert!(db.update_user(ban).await.unwrap().is_none());
    let now = find(db, ada.user.id).await;
    assert_eq!((now.role.as_str(), now.ban, now.version), ("editor", None, ada.user.version + 1));
    assert!(ada.now(db).await.ended.is_none());
}

pub(super) async fn an_update_of_an_unknown_user_writes_nothing(db: &Database) {
    assert!(db.update_user(update(&user("nobody"), |_| {})).await.unwrap().is_none());
}

pub(super) async fn of_many_updates_of_one_version_one_is_written(db: &Database) {
    let ada = signed_up(db, "ada").await.user;
    let written = at_once(50, |number| {
        let (db, change) = (db.clone(), update(&ada, |user| user.role = format!("role-{number}")));
        async move { db.update_user(change).await.unwrap().is_some() }
    })
    .await;
    let winner = written.iter().position(|won| *won).unwrap();
    assert_eq!(written.iter().filter(|won| **won).count(), 1);
    let now = find(db, ada.id).await;
    assert_eq!((now.role, now.version), (format!("role-{winner}"), ada.version + 1));
}

pub(super) async fn an_update_never_lowers_an_epoch_that_rose_meanwhile(db: &Database) {
    let ada = redeemed(db, "ada").await;
    db.end_user_sessions(ending_all(ada.user.id)).await.unwrap();
    assert!(db.update_user(update(&ada.user, |user| user.name = None)).await.unwrap().is_none());
    let now = find(db, ada.user.id).await;
    assert_eq!((now.epoch, now.name), (1, ada.user.name.clone()));
    // A sign-in that was decided before the change fails too.
    let late = sign_in(&ada.user, ada.user.version, &session(&ada.user, &ada.account));
    assert!(matches!(db.open_session(late).await.unwrap(), gatepass::storage::Opened::Conflict));
    assert_eq!(find(db, ada.user.id).await.epoch, 1);
}

pub(super) async fn an_update_never_takes_back_a_sign_in(db: &Database) {
    let ada = signed_up(db, "ada").await;
    let later = User { last_sign_in_at: Some(NOW.plus(HOUR)), ..ada.user.clone() };
    done(db.open_session(sign_in(&later, ada.user.version, &session(&later, &ada.account))).await.unwrap());
    db.update_user(update(&ada.user, |user| user.role = "admin".into())).await.unwrap().unwrap();
    let now = find(db, ada.user.id).await;
    assert_eq!((now.role.as_str(), now.last_sign_in_at), ("admin", later.last_sign_in_at));
}

pub(super) async fn an_update_never_moves_the_time_of_creation(db: &Database) {
    let ada = signed_up(db, "ada").await;
    db.update_user(update(&ada.user, |user| user.created_at = NOW.plus(HOUR))).await.unwrap().unwrap();
    assert_eq!(find(db, ada.user.id).await.created_at, ada.user.created_at);
}

pub(super) async fn an_update_that_ends_sessions_ends_those_with_an_open_grant_too(db: &Database) {
    let live = redeemed(db, "ada").await;
    let pending = live.again(db).await;
    let other = redeemed(db, "eve").await;
    let mut ban = update(&live.user, |user| {
        user.ban = Some(Ban::default());
        user.epoch += 1;
    });
    ban.end_sessions = Some(EndReason::Banned);
    let id = live.user.id;
    let revoked = db.update_user(ban).await.unwrap().unwrap();
    let entries = vec![
        Revocation::UserChanged { id },
        Revocation::User { id, min_epoch: 1, reason: EndReason::Banned },
    ];
    assert_eq!(told(&revoked), (1, entries));
    for ended in [&live, &pending] {
        assert_eq!(ended.now(db).await.ended, Some((NOW, EndReason::Banned)));
    }
    assert_eq!(other.now(db).await.ended, None);
}

pub(super) async fn a_verified_email_of_another_user_is_refused(db: &Database) {
    let (ada, eve) = (signed_up(db, "ada").await.user, signed_up(db, "eve").await.user);
    let change = update(&eve, |user| user.email.clone_from(&ada.email));
    assert!(db.update_user(change).await.is_err());
    assert_eq!(find(db, eve.id).await, eve);
    let unverified = update(&eve, |user| {
        user.email.clone_from(&ada.email);
        user.email_verified = false;
    });
    assert!(db.update_user(unverified).await.unwrap().is_some());
}

pub(super) async fn a_freed_email_can_be_another_users(db: &Database) {
    let ada = signed_up(db, "ada").await.user;
    db.update_user(update(&ada, |user| user.email = None)).await.unwrap().unwrap();
    let eve = User { email: ada.email.clone(), ..user("eve") };
    let account = account(&eve, "github", "eve");
    let mut opening = sign_up(&eve, &account, &session(&eve, &account));
    opening.user = UserWrite::Create(eve.clone());
    done(db.open_session(opening).await.unwrap());
    assert_eq!(db.find_user_by_email(EmailKey::from(ada.email.as_ref().unwrap())).await.unwrap(), Some(eve));
}
