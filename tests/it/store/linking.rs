//! Linking: an account is added while the session that shows who is signed in is live, and to one user.

use std::sync::Arc;

use gatepass::model::{AccountKey, AuthLogAction};
use gatepass::storage::{Database, Linked, Linking, SessionStore as _, UserStore as _};

use super::at_once;
use super::sample::{NOW, Signed, account, ending, ending_all, log, redeemed, signed_up};

/// The linking of another account to a user by their session.
pub(super) fn linking(signed: &Signed, provider: &str, id: &str) -> Linking {
    let account = account(&signed.user, provider, id);
    Linking {
        session_id: signed.session.id,
        epoch: signed.user.epoch,
        at: NOW,
        used: Vec::new(),
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
    // Nobody's tokens tell anything else by it.
    assert_eq!(user.version, ada.user.version);
}

pub(super) async fn an_account_of_somebody_else_is_not_linked(db: &Database) {
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
    db.end_sessions_of(ending_all(eve.user.id)).await.unwrap();
    assert_eq!(db.link_account(linking(&eve, "google", "2")).await.unwrap(), Linked::SessionOver);
    let open_grant = signed_up(db, "bob").await;
    assert_eq!(db.link_account(linking(&open_grant, "google", "3")).await.unwrap(), Linked::SessionOver);
    let mut of_another = linking(&redeemed(db, "eva").await, "google", "4");
    of_another.session_id = redeemed(db, "zoe").await.session.id;
    assert_eq!(db.link_account(of_another).await.unwrap(), Linked::SessionOver);
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
