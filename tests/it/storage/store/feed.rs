//! The revocation feed: sequence numbers in commit order, without gaps or duplicates.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gatepass::model::{EndReason, FeedEntry, Revocation};
use gatepass::storage::{Database, RevocationFeed as _, SessionStore as _, UserStore as _};

use super::at_once;
use super::sample::{HOUR, NOW, ending, ending_all, redeemed, sign_up, signed_up, update};

async fn all(db: &Database) -> Vec<FeedEntry> {
    db.revocations_after(0).await.unwrap()
}

fn places(entries: &[FeedEntry]) -> Vec<i64> {
    entries.iter().map(|entry| entry.seq).collect()
}

pub(super) async fn an_empty_feed_tells_nothing(db: &Database) {
    signed_up(db, "ada").await;
    assert_eq!(all(db).await, []);
    assert_eq!(db.revocations_after(i64::MAX).await.unwrap(), []);
}

pub(super) async fn each_kind_of_entry_reads_back(db: &Database) {
    let ada = redeemed(db, "ada").await;
    let second = ada.again(db).await;
    for (reason, id) in [(EndReason::Reused, ada.session.id), (EndReason::Denied, second.session.id)] {
        db.end_session(gatepass::storage::commands::EndSession { reason, ..ending(id) })
            .await
            .unwrap()
            .unwrap();
    }
    db.end_user_sessions(ending_all(ada.user.id)).await.unwrap();
    let before = ada.user_now(db).await;
    let mut ban = update(&before, |user| user.epoch += 1);
    ban.end_sessions = Some(EndReason::Banned);
    db.update_user(ban).await.unwrap().unwrap();
    let entry = |seq, revocation| FeedEntry { seq, until: NOW.plus(HOUR), revocation };
    let (id, user) = (ada.session.id, ada.user.id);
    let wanted = [
        entry(1, Revocation::Session { id, reason: EndReason::Reused }),
        entry(2, Revocation::Session { id: second.session.id, reason: EndReason::Denied }),
        entry(3, Revocation::User { id: user, min_epoch: 1, reason: EndReason::Revoked }),
        entry(4, Revocation::UserChanged { id: user }),
        entry(5, Revocation::User { id: user, min_epoch: 2, reason: EndReason::Banned }),
    ];
    assert_eq!(all(db).await, wanted);
}

pub(super) async fn what_is_after_a_place_is_told_in_order(db: &Database) {
    let ada = signed_up(db, "ada").await;
    for _ in 0..5 {
        db.end_user_sessions(ending_all(ada.user.id)).await.unwrap();
    }
    assert_eq!(places(&all(db).await), [1, 2, 3, 4, 5]);
    assert_eq!(places(&db.revocations_after(-1).await.unwrap()), [1, 2, 3, 4, 5]);
    assert_eq!(places(&db.revocations_after(3).await.unwrap()), [4, 5]);
    assert_eq!(places(&db.revocations_after(5).await.unwrap()), [] as [i64; 0]);
}

pub(super) async fn places_rise_without_gaps_under_concurrent_writers(db: &Database) {
    let people = at_once(10, |number| {
        let db = db.clone();
        async move { redeemed(&db, &format!("person-{number}")).await }
    })
    .await;
    let ids: Arc<Vec<_>> = Arc::new(people.iter().map(|it| (it.session.id, it.user.clone())).collect());
    at_once(40, |number| {
        let (db, ids) = (db.clone(), Arc::clone(&ids));
        async move {
            let (session, user) = &ids[number % ids.len()];
            match number / ids.len() {
                0 => drop(db.end_session(ending(*session)).await.unwrap()),
                1 => drop(db.update_user(update(user, |user| user.role = "admin".into())).await.unwrap()),
                _ => drop(db.end_user_sessions(ending_all(user.id)).await.unwrap()),
            }
        }
    })
    .await;
    let seen = places(&all(db).await);
    assert!(seen.len() >= 20, "every end of all tells something: {seen:?}");
    assert_eq!(seen, (1..=i64::try_from(seen.len()).unwrap()).collect::<Vec<_>>());
}

pub(super) async fn a_reader_who_saw_a_place_saw_all_before_it(db: &Database) {
    let ada = redeemed(db, "ada").await;
    let written = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn({
        let (db, written) = (db.clone(), Arc::clone(&written));
        async move {
            let mut last = 0;
            loop {
                let over = written.load(Ordering::SeqCst);
                for entry in db.revocations_after(last).await.unwrap() {
                    assert_eq!(entry.seq, last + 1, "a place came late");
                    last = entry.seq;
                }
                if over {
                    return last;
                }
                tokio::task::yield_now().await;
            }
        }
    });
    at_once(30, |_| {
        let (db, id) = (db.clone(), ada.user.id);
        async move { db.end_user_sessions(ending_all(id)).await.unwrap() }
    })
    .await;
    written.store(true, Ordering::SeqCst);
    assert_eq!(reader.await.unwrap(), 30);
}

pub(super) async fn a_step_that_failed_takes_no_place(db: &Database) {
    let ada = redeemed(db, "ada").await;
    let twice = sign_up(&ada.user, &ada.account, &ada.session);
    db.open_session(twice).await.unwrap();
    assert!(db.end_session(ending(ada.session.id)).await.unwrap().is_some());
    assert!(db.end_session(ending(ada.session.id)).await.unwrap().is_none());
    let stale = update(&ada.user, |_| {});
    db.update_user(stale.clone()).await.unwrap().unwrap();
    assert!(db.update_user(stale).await.unwrap().is_none());
    assert_eq!(places(&all(db).await), [1, 2]);
}
