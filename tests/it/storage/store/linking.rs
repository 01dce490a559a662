//! Linking: an account is added only while the session of the signed-in user is live, and only to one user.

use std::sync::Arc;

use gatepass::model::{Account, AccountKey, AuthLogAction, UsedMark};
use gatepass::storage::{Database, Linked, SessionStore as _, UsedMarkStore as _, UserStore as _, commands};

use super::at_once;
use super::sample::{HOUR, NOW, Signed, account, ending, ending_all, log, redeemed, signed_up};

/// Builds the linking of another account to the user of a session.
pub(super) fn linking(signed: &Signed, provider: &str, id: &str) -> commands::LinkAccount {
    let account = account(&signed.user, provider, id);
    commands::LinkAccount {
        again: false,
        session_id: signed.session.id,
        epoch: signed.user.epoch,
        at: NOW,
        used: Vec::new(),
        outcome: None,
        log: Some(log(AuthLogAction::AccountLinked).of_user(signed.user.id, None)),
        account,
    }
}

pub(super) async fn a_linked_account_finds_its_user(db: &Database) {
    let ada = redeemed(db, "ada").await;
    let step = linking(&ada, "google", "1");
    assert_eq!(db.link_account(step.clone()).await.unwrap(), Linked::Done);
    let (user, account) = db.find_user_by_account(AccountKey::from(&step.account)).await.unwrap().unwrap();
    assert_eq!((user.id, account), (ada.user.id, step.account));
    // The access tokens of the user stay unchanged.
    assert_eq!(user.version, ada.user.version);
}

pub(super) async fn an_account_of_another_user_is_not_linked(db: &Database) {
    let (ada, eve) = (redeemed(db, "ada").await, redeemed(db, "eve").await);
    assert_eq!(db.link_account(linking(&ada, "google", "1")).await.unwrap(), Linked::Done);
    assert_eq!(db.link_account(linking(&eve, "google", "1")).await.unwrap(), Linked::Conflict);
    assert_eq!(db.linked_providers(eve.user.id).await.unwrap().len(), 1);
}

pub(super) async fn nothing_is_linked_by_a_session_that_is_not_live(db: &Database) {
    let ada = redeemed(db, "ada").await;
    db.end_session(ending(ada.session.id)).await.unwrap().unwrap();
    assert_eq!(db.link_account(linking(&ada, "google", "1")).await.unwrap(), Linked::SessionOver);
    let eve = redeemed(db, "eve").await;
    db.end_user_sessions(ending_all(eve.user.id)).await.unwrap();
    assert_eq!(db.link_account(linking(&eve, "google", "2")).await.unwrap(), Linked::SessionOver);
    let open_grant = signed_up(db, "bob").await;
    assert_eq!(db.link_account(linking(&open_grant, "google", "3")).await.unwrap(), Linked::SessionOver);
    let mut of_another = linking(&redeemed(db, "eva").await, "google", "4");
    of_another.session_id = redeemed(db, "zoe").await.session.id;
    assert_eq!(db.link_account(of_another).await.unwrap(), Linked::SessionOver);
}

/// Builds the linking of an account that the user already has, which uses up these marks.
fn again(signed: &Signed, account: Account, used: &[UsedMark]) -> commands::LinkAccount {
    commands::LinkAccount { account, again: true, used: used.to_vec(), ..linking(signed, "google", "1") }
}

fn mark(name: &str) -> UsedMark {
    UsedMark::of_flow(name.as_bytes(), NOW.plus(HOUR))
}

pub(super) async fn what_is_linked_again_takes_over_the_scope_and_uses_up_what_is_left(db: &Database) {
    let ada = redeemed(db, "ada").await;
    let mut first = linking(&ada, "google", "1");
    first.used = vec![mark("a")];
    assert_eq!(db.link_account(first.clone()).await.unwrap(), Linked::Done);
    let account = Account { scope: Some("openid calendar".to_owned()), ..first.account };
    for used in [&[][..], &[mark("b"), mark("a")], &[mark("a"), mark("b")]] {
        let step = again(&ada, account.clone(), used);
        assert_eq!(db.link_account(step).await.unwrap(), Linked::Done);
    }
    for used in ["a", "b"] {
        assert!(!db.mark_used(mark(used)).await.unwrap());
    }
    let found = db.find_user_by_account(AccountKey::from(&account)).await.unwrap().unwrap();
    assert_eq!((found.0.id, found.1), (ada.user.id, account));
}

pub(super) async fn nothing_is_linked_again_that_is_not_the_users(db: &Database) {
    let (ada, eve) = (redeemed(db, "ada").await, redeemed(db, "eve").await);
    for account in [account(&ada.user, "google", "1"), Account { user_id: ada.user.id, ..eve.account }] {
        let step = again(&ada, account, &[mark("a")]);
        assert_eq!(db.link_account(step).await.unwrap(), Linked::Conflict);
    }
    assert!(db.mark_used(mark("a")).await.unwrap());
}

pub(super) async fn nothing_is_linked_again_by_a_session_that_is_not_live(db: &Database) {
    let (ada, eve) = (redeemed(db, "ada").await, redeemed(db, "eve").await);
    db.end_session(ending(ada.session.id)).await.unwrap().unwrap();
    db.end_user_sessions(ending_all(eve.user.id)).await.unwrap();
    for over in [ada, eve] {
        let step = again(&over, over.account.clone(), &[mark("a")]);
        assert_eq!(db.link_account(step).await.unwrap(), Linked::SessionOver);
    }
    assert!(db.mark_used(mark("a")).await.unwrap());
}

pub(super) async fn many_who_link_the_same_again_all_do(db: &Database) {
    let ada = redeemed(db, "ada").await;
    let (db, ada) = (Arc::new(db.clone()), Arc::new(ada));
    let linked = at_once(8, |number| {
        let (db, ada) = (Arc::clone(&db), Arc::clone(&ada));
        let mut used = [mark("a"), mark("b")];
        used.rotate_left(number % 2);
        async move {
            // After a conflict the step reads again, as the use case does.
            loop {
                let linked = db.link_account(again(&ada, ada.account.clone(), &used)).await.unwrap();
                if linked != Linked::Conflict {
                    return linked;
                }
            }
        }
    });
    assert_eq!(linked.await, [Linked::Done; 8]);
}

pub(super) async fn of_many_who_link_one_account_one_does(db: &Database) {
    let mut signed = Vec::new();
    for number in 0..8 {
        signed.push(redeemed(db, &format!("person-{number}")).await);
    }
    let (db, signed) = (Arc::new(db.clone()), Arc::new(signed));
    let linked = at_once(8, |number| {
        let (db, signed) = (Arc::clone(&db), Arc::clone(&signed));
        async move { db.link_account(linking(&signed[number], "google", "1")).await.unwrap() }
    });
    let linked = linked.await;
    assert_eq!(linked.iter().filter(|linked| **linked == Linked::Done).count(), 1, "{linked:?}");
}
