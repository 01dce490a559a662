//! Sweeping: rows are removed after their expiry, and not at that very moment. A batch respects its limit and does not
//! disturb concurrent steps.

use std::sync::Arc;
use std::time::Duration;

use gatepass::model::{
    AuthLogAction, AuthLogEntry, ManualClock, OsEntropy, Revocation, SessionId, Timestamp,
};
use gatepass::storage::{
    AuthLogStore as _, Database, RevocationFeed as _, SessionStore as _, Sweep as _, Sweepable,
    UserStore as _,
};

use super::at_once;
use super::sample::{
    HOUR, MINUTE, NOW, Signed, account, done, ending, ending_all, log, redeemed, redemption, rotation,
    session, sign_up, signed_up, user,
};

/// More than the number of rows in any of these tests.
const ALL: u64 = 10_000;
const MOMENT: Duration = Duration::from_millis(1);

async fn swept(db: &Database, what: Sweepable) -> u64 {
    db.sweep(what, ALL).await.unwrap()
}

async fn is_there(db: &Database, it: &Signed) -> bool {
    db.find_session(it.session.id).await.unwrap().is_some()
}

/// Opens a session at a time, and redeems it later. It ends an hour after `NOW`.
async fn opened_at(db: &Database, name: &str, at: Timestamp) -> Signed {
    let user = user(name);
    let account = account(&user, "github", name);
    let mut session = session(&user, &account);
    session.id = SessionId::mint(&ManualClock::at(at), &OsEntropy);
    done(db.open_session(sign_up(&user, &account, &session)).await.unwrap());
    assert!(db.redeem_grant(redemption(&session)).await.unwrap());
    Signed { user, account, session }
}

fn outlived(opened_before: Timestamp, expired_before: Timestamp) -> Sweepable {
    Sweepable::Outlived { opened_before, expired_before }
}

pub(super) async fn nothing_is_swept_of_an_empty_database(db: &Database) {
    let far = Timestamp(i64::MAX);
    for what in [
        Sweepable::Unredeemed(far),
        Sweepable::Ended(far),
        outlived(NOW, far),
        Sweepable::Revocations(far),
        Sweepable::AuthLog(far),
        Sweepable::UsedMarks(far),
    ] {
        assert_eq!(swept(db, what).await, 0, "{what:?}");
    }
}

pub(super) async fn a_session_goes_when_its_grant_expired_unredeemed(db: &Database) {
    let (ada, bob) = (signed_up(db, "ada").await, redeemed(db, "bob").await);
    let expiry = ada.session.grant.expires_at;
    assert_eq!(swept(db, Sweepable::Unredeemed(expiry)).await, 0);
    assert!(is_there(db, &ada).await);
    assert_eq!(swept(db, Sweepable::Unredeemed(expiry.plus(MOMENT))).await, 1);
    assert!(!is_there(db, &ada).await && is_there(db, &bob).await);
    assert!(!db.redeem_grant(redemption(&ada.session)).await.unwrap());
    assert_eq!(swept(db, Sweepable::Unredeemed(Timestamp(i64::MAX))).await, 0);
    assert_eq!(db.find_user(ada.user.id).await.unwrap(), Some(ada.user));
}

pub(super) async fn a_session_goes_when_it_was_ended(db: &Database) {
    let (ada, bob) = (redeemed(db, "ada").await, redeemed(db, "bob").await);
    db.end_session(ending(ada.session.id)).await.unwrap().unwrap();
    assert_eq!(swept(db, Sweepable::Ended(NOW)).await, 0);
    assert!(is_there(db, &ada).await);
    assert_eq!(swept(db, Sweepable::Ended(NOW.plus(MOMENT))).await, 1);
    assert!(!is_there(db, &ada).await && is_there(db, &bob).await);
    assert_eq!(swept(db, Sweepable::Ended(Timestamp(i64::MAX))).await, 0);
    assert!(db.end_session(ending(ada.session.id)).await.unwrap().is_none());
}

pub(super) async fn a_session_goes_when_it_was_opened_and_would_have_ended_before(db: &Database) {
    let (ada, bob) = (opened_at(db, "ada", NOW).await, opened_at(db, "bob", NOW.plus(MOMENT)).await);
    let (next, expiry) = (NOW.plus(MOMENT), NOW.plus(HOUR));
    let expired = expiry.plus(MOMENT);
    assert_eq!(swept(db, outlived(NOW, expired)).await, 0, "opened at that time");
    assert_eq!(swept(db, outlived(next, expiry)).await, 0, "expired at that time");
    assert!(is_there(db, &ada).await);
    assert_eq!(swept(db, outlived(next, expired)).await, 1);
    assert!(!is_there(db, &ada).await && is_there(db, &bob).await);
}

pub(super) async fn an_entry_of_the_feed_goes_when_it_need_not_be_remembered(db: &Database) {
    let ada = signed_up(db, "ada").await;
    let until =
        |at| gatepass::storage::commands::EndUserSessions { remember_until: at, ..ending_all(ada.user.id) };
    for minutes in 1..=4 {
        db.end_user_sessions(until(NOW.plus(MINUTE * minutes))).await.unwrap();
    }
    let places = || async {
        let entries = db.revocations_after(0).await.unwrap();
        entries.iter().map(|entry| entry.seq).collect::<Vec<_>>()
    };
    assert_eq!(swept(db, Sweepable::Revocations(NOW.plus(MINUTE))).await, 0);
    assert_eq!(swept(db, Sweepable::Revocations(NOW.plus(MINUTE * 2).plus(MOMENT))).await, 2);
    assert_eq!(places().await, [3, 4]);
    assert_eq!(swept(db, Sweepable::Revocations(Timestamp(i64::MAX))).await, 2);
    assert_eq!(places().await, [] as [i64; 0]);
    db.end_user_sessions(until(NOW.plus(HOUR))).await.unwrap();
    assert_eq!(places().await, [5], "places are never given twice");
}

pub(super) async fn an_entry_that_must_be_remembered_for_long_holds_up_no_other(db: &Database) {
    let ada = signed_up(db, "ada").await;
    for hours in [9, 1, 9, 1] {
        let remember_until = NOW.plus(HOUR * hours);
        let ending =
            gatepass::storage::commands::EndUserSessions { remember_until, ..ending_all(ada.user.id) };
        db.end_user_sessions(ending).await.unwrap();
    }
    assert_eq!(swept(db, Sweepable::Revocations(NOW.plus(HOUR * 2))).await, 2);
    let left = db.revocations_after(0).await.unwrap();
    assert_eq!(left.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 3]);
    assert!(left.iter().all(|entry| matches!(entry.revocation, Revocation::User { .. })));
}

pub(super) async fn a_row_of_the_log_goes_when_it_is_old(db: &Database) {
    let at = |at| AuthLogEntry { created_at: at, ..log(AuthLogAction::CallerDenied) };
    let (old, new) = (at(NOW), at(NOW.plus(MOMENT)));
    for row in [&old, &new] {
        db.append(row.clone()).await.unwrap();
    }
    assert_eq!(swept(db, Sweepable::AuthLog(NOW)).await, 0);
    assert_eq!(swept(db, Sweepable::AuthLog(NOW.plus(MOMENT))).await, 1);
    db.append(new).await.expect_err("the newer is still there");
    db.append(old).await.expect("the older is not");
}

pub(super) async fn a_batch_is_no_larger_than_asked(db: &Database) {
    let ada = redeemed(db, "ada").await;
    for _ in 0..6 {
        ada.again(db).await;
    }
    db.end_user_sessions(ending_all(ada.user.id)).await.unwrap();
    let ended = Sweepable::Ended(NOW.plus(MOMENT));
    let mut batches = Vec::new();
    for _ in 0..4 {
        batches.push(db.sweep(ended, 3).await.unwrap());
    }
    assert_eq!(batches, [3, 3, 1, 0]);
    let rows = Sweepable::AuthLog(NOW.plus(MOMENT));
    assert_eq!(db.sweep(rows, 2).await.unwrap(), 2);
    assert_eq!(db.sweep(rows, 0).await.unwrap(), 0);
    for _ in 0..4 {
        db.end_user_sessions(ending_all(ada.user.id)).await.unwrap();
    }
    let entries = Sweepable::Revocations(Timestamp(i64::MAX));
    assert_eq!(db.sweep(entries, 2).await.unwrap(), 2);
    assert_eq!(db.revocations_after(0).await.unwrap().len(), 3);
}

pub(super) async fn many_sweepers_at_once_take_each_row_once_and_nothing_else(db: &Database) {
    let over = redeemed(db, "ada").await;
    for _ in 0..59 {
        over.again(db).await;
    }
    db.end_user_sessions(ending_all(over.user.id)).await.unwrap();
    let mut live = vec![redeemed(db, "bob").await];
    for _ in 0..9 {
        live.push(live[0].again(db).await);
    }
    let taken = at_once(8, |_| {
        let db = db.clone();
        async move {
            let mut taken = 0;
            loop {
                match db.sweep(Sweepable::Ended(NOW.plus(MOMENT)), 7).await.unwrap() {
                    0 => return taken,
                    removed => taken += removed,
                }
            }
        }
    })
    .await;
    let left = swept(db, Sweepable::Ended(NOW.plus(MOMENT))).await;
    assert_eq!(taken.iter().sum::<u64>() + left, 60, "{taken:?}, {left}");
    for session in &live {
        assert!(is_there(db, session).await);
    }
}

pub(super) async fn a_refresh_that_was_acknowledged_is_never_swept(db: &Database) {
    let mut people = Vec::new();
    for number in 0..40 {
        people.push(opened_at(db, &format!("person-{number}"), NOW).await);
    }
    let steps = Arc::new({
        let mut steps = Vec::new();
        for person in &people {
            // Each rotation moves the end from one hour to two hours from now.
            steps.push(rotation(&person.now(db).await));
        }
        steps
    });
    let due = outlived(NOW.plus(MOMENT), NOW.plus(HOUR + MOMENT));
    let rotated = at_once(44, |number| {
        let (db, steps) = (db.clone(), Arc::clone(&steps));
        async move {
            if number % 11 == 0 {
                while db.sweep(due, 3).await.unwrap() > 0 {}
                return None;
            }
            let number = number - number / 11 - 1;
            Some((number, db.rotate_refresh_token(steps[number].clone()).await.unwrap()))
        }
    })
    .await;
    swept(db, due).await;
    for (number, rotated) in rotated.into_iter().flatten() {
        assert_eq!(is_there(db, &people[number]).await, rotated, "person {number}");
    }
}
