//! Rows of the auth log without any other change.

use gatepass::model::{AuthLogAction, AuthLogOutcome, Reason};
use gatepass::storage::{AuthLogStore as _, Database, StoreError};

use super::at_once;
use super::sample::{log, session_id, user_id};

pub(super) async fn a_row_is_added(db: &Database) {
    let plain = log(AuthLogAction::CallerDenied);
    db.append(plain.ended(AuthLogOutcome::Denied, Reason::CallerUnknown)).await.unwrap();
    let mut full = log(AuthLogAction::SignInDenied)
        .of_user(user_id(), Some("josé@example.com"))
        .of_session(session_id(), &"p".repeat(64));
    full.user_agent = Some("é".repeat(256));
    full.ip_address = Some("2001:db8:1234:5678:9abc:def0:1234:5678%an-interface-name".to_owned());
    full.request_id = "r".repeat(128);
    full.caller = "c".repeat(64);
    db.append(full).await.unwrap();
}

pub(super) async fn a_row_of_the_same_id_is_refused(db: &Database) {
    let row = log(AuthLogAction::SignIn);
    db.append(row.clone()).await.unwrap();
    assert!(matches!(db.append(row).await, Err(StoreError::Broken(_))));
}

pub(super) async fn many_rows_are_added_at_once(db: &Database) {
    let added = at_once(50, |_| {
        let db = db.clone();
        async move { db.append(log(AuthLogAction::TokenReplayed)).await }
    });
    assert!(added.await.iter().all(Result::is_ok));
}
