//! Used marks: a mark can be used only once, alone, with a sign-in or with a linking.

use std::sync::Arc;
use std::time::Duration;

use gatepass::model::UsedMark;
use gatepass::storage::commands::{RecordOutcome, RecordRequest, RecordedRequest};
use gatepass::storage::{
    Database, Linked, Opened, SessionStore as _, Sweep as _, Sweepable, UsedMarkStore as _, UserStore as _,
};

use super::at_once;
use super::linking::linking;
use super::sample::{
    HOUR, NOW, account, done, recording, redeemed, session, sign_in, sign_up, signed_up, user,
};

fn mark(name: &str) -> UsedMark {
    UsedMark::of_flow(name.as_bytes(), NOW.plus(HOUR))
}

pub(super) async fn a_mark_is_made_once(db: &Database) {
    assert!(db.mark_used(mark("a")).await.unwrap());
    assert!(!db.mark_used(mark("a")).await.unwrap());
    assert!(db.mark_used(mark("b")).await.unwrap());
}

pub(super) async fn of_many_who_mark_the_same_one_does(db: &Database) {
    let db = Arc::new(db.clone());
    let made = at_once(16, |_| {
        let db = Arc::clone(&db);
        async move { db.mark_used(mark("a")).await.unwrap() }
    });
    assert_eq!(made.await.into_iter().filter(|made| *made).count(), 1);
}

pub(super) async fn a_sign_in_that_uses_what_was_used_leaves_nothing(db: &Database) {
    assert!(db.mark_used(mark("b")).await.unwrap());
    let eve = user("eve");
    let account = account(&eve, "github", "eve");
    let mut opening = sign_up(&eve, &account, &session(&eve, &account));
    opening.used = vec![mark("a"), mark("b")];
    assert!(matches!(db.open_session(opening.clone()).await.unwrap(), Opened::Used));
    assert_eq!(db.find_user(eve.id).await.unwrap(), None);
    opening.used = vec![mark("a")];
    done(db.open_session(opening).await.unwrap());
    assert!(!db.mark_used(mark("a")).await.unwrap());
}

pub(super) async fn of_many_sign_ins_by_the_same_marks_one_is_written(db: &Database) {
    let db = Arc::new(db.clone());
    let opened = at_once(8, |number| {
        let db = Arc::clone(&db);
        async move {
            let person = user(&format!("person-{number}"));
            let account = account(&person, "github", &format!("person-{number}"));
            let mut opening = sign_up(&person, &account, &session(&person, &account));
            opening.used = vec![mark("a"), mark("b")];
            if number % 2 == 0 {
                opening.used.reverse();
            }
            // After a conflict the step reads again, as the use case does.
            loop {
                match db.open_session(opening.clone()).await.unwrap() {
                    Opened::Done(_) => return true,
                    Opened::Used => return false,
                    Opened::Conflict | Opened::RequestKnown => {}
                    Opened::OutcomeKnown => unreachable!("no request is recorded"),
                }
            }
        }
    });
    assert_eq!(opened.await.into_iter().filter(|done| *done).count(), 1);
}

pub(super) async fn a_linking_that_uses_what_was_used_leaves_nothing(db: &Database) {
    let ada = redeemed(db, "ada").await;
    let mut step = linking(&ada, "google", "1");
    step.used = vec![mark("a")];
    assert!(db.mark_used(mark("a")).await.unwrap());
    assert_eq!(db.link_account(step).await.unwrap(), Linked::Used);
    assert_eq!(db.linked_providers(ada.user.id).await.unwrap().len(), 1);
}

pub(super) async fn a_sign_in_that_met_another_writer_used_nothing(db: &Database) {
    let ada = signed_up(db, "ada").await;
    let mut renamed = ada.user.clone();
    renamed.name = Some("Ada".to_owned());
    renamed.version += 1;
    let mut opening = sign_in(&renamed, ada.user.version - 1, &session(&ada.user, &ada.account));
    opening.used = vec![mark("a")];
    assert!(matches!(db.open_session(opening.clone()).await.unwrap(), Opened::Conflict));
    opening = sign_in(&renamed, ada.user.version, &opening.session);
    opening.used = vec![mark("a")];
    done(db.open_session(opening).await.unwrap());
}

pub(super) async fn a_mark_is_swept_when_it_is_over_and_not_before(db: &Database) {
    signed_up(db, "ada").await;
    assert!(db.mark_used(mark("a")).await.unwrap());
    let over = NOW.plus(HOUR);
    assert_eq!(db.sweep(Sweepable::UsedMarks(over), 100).await.unwrap(), 0);
    assert!(!db.mark_used(mark("a")).await.unwrap());
    let later = over.plus(Duration::from_millis(1));
    assert_eq!(db.sweep(Sweepable::UsedMarks(later), 100).await.unwrap(), 1);
    assert!(db.mark_used(mark("a")).await.unwrap());
}

fn outcome(request: &RecordRequest, text: &str) -> RecordOutcome {
    RecordOutcome { mark: request.mark.key, outcome: text.as_bytes().to_vec() }
}

/// Returns the recorded outcome of a request, as text.
async fn outcome_of(db: &Database, request: &RecordRequest) -> Option<String> {
    let outcome = db.find_request(request.mark.key).await.unwrap().unwrap().outcome;
    outcome.map(|text| String::from_utf8(text).unwrap())
}

pub(super) async fn a_request_is_recorded_with_the_mark_of_its_flow(db: &Database) {
    let request = recording("a");
    assert_eq!(db.find_request(request.mark.key).await.unwrap(), None);
    assert!(db.record_request(request.clone()).await.unwrap());
    let recorded = db.find_request(request.mark.key).await.unwrap().unwrap();
    let RecordRequest { mark, request: of, busy_until, repeat_until } = request;
    assert_eq!(recorded, RecordedRequest { request: of, busy_until, repeat_until, outcome: None });
    // The flow is used, by this request and for any other.
    assert!(!db.mark_used(mark).await.unwrap());
    assert!(!db.record_request(recording("a")).await.unwrap());
    // A mark without a request records nothing, and gets no outcome.
    let plain = recording("b");
    assert!(db.mark_used(plain.mark).await.unwrap());
    assert!(!db.record_request(plain.clone()).await.unwrap());
    assert_eq!(db.find_request(plain.mark.key).await.unwrap(), None);
    assert!(!db.record_outcome(outcome(&plain, "of nothing")).await.unwrap());
    // It is swept with its mark.
    let later = mark.expires_at.plus(Duration::from_millis(1));
    assert_eq!(db.sweep(Sweepable::UsedMarks(later), 100).await.unwrap(), 2);
    assert_eq!(db.find_request(mark.key).await.unwrap(), None);
}

pub(super) async fn of_many_who_record_a_request_or_an_outcome_one_does(db: &Database) {
    let db = Arc::new(db.clone());
    let recorded = at_once(16, |_| {
        let db = Arc::clone(&db);
        async move { db.record_request(recording("a")).await.unwrap() }
    });
    assert_eq!(recorded.await.into_iter().filter(|recorded| *recorded).count(), 1);
    let settled = at_once(16, |number| {
        let db = Arc::clone(&db);
        async move {
            let text = number.to_string();
            db.record_outcome(outcome(&recording("a"), &text)).await.unwrap().then_some(text)
        }
    });
    let winners: Vec<_> = settled.await.into_iter().flatten().collect();
    assert_eq!(winners, [outcome_of(&db, &recording("a")).await.unwrap()]);
}

pub(super) async fn a_sign_in_is_written_with_its_outcome_or_not_at_all(db: &Database) {
    let (first, second) = (recording("a"), recording("b"));
    for request in [&first, &second] {
        assert!(db.record_request(request.clone()).await.unwrap());
    }
    let eve = user("eve");
    let account = account(&eve, "github", "eve");
    let mut opening = sign_up(&eve, &account, &session(&eve, &account));
    // Another call ended the request meanwhile.
    assert!(db.record_outcome(outcome(&first, "ended")).await.unwrap());
    opening.outcome = Some(outcome(&first, "allowed"));
    assert!(matches!(db.open_session(opening.clone()).await.unwrap(), Opened::OutcomeKnown));
    assert_eq!(db.find_user(eve.id).await.unwrap(), None);
    assert_eq!(outcome_of(db, &first).await.as_deref(), Some("ended"));
    opening.outcome = Some(outcome(&second, "allowed"));
    done(db.open_session(opening).await.unwrap());
    assert_eq!(outcome_of(db, &second).await.as_deref(), Some("allowed"));
    assert!(!db.record_outcome(outcome(&second, "ended")).await.unwrap());
}

pub(super) async fn an_account_is_linked_with_its_outcome_or_not_at_all(db: &Database) {
    let ada = redeemed(db, "ada").await;
    let (first, second) = (recording("a"), recording("b"));
    for request in [&first, &second] {
        assert!(db.record_request(request.clone()).await.unwrap());
    }
    assert!(db.record_outcome(outcome(&first, "ended")).await.unwrap());
    let mut step = linking(&ada, "google", "1");
    step.outcome = Some(outcome(&first, "linked"));
    assert_eq!(db.link_account(step.clone()).await.unwrap(), Linked::OutcomeKnown);
    assert_eq!(db.linked_providers(ada.user.id).await.unwrap().len(), 1);
    step.outcome = Some(outcome(&second, "linked"));
    assert_eq!(db.link_account(step).await.unwrap(), Linked::Done);
    assert_eq!(outcome_of(db, &second).await.as_deref(), Some("linked"));
}
