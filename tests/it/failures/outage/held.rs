//! A row that is locked for longer than any call waits, for example by an operator's open transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use gatepass::storage::{Database, Observer, Options, SessionStore as _, StoreError};
use sea_orm::{ConnectionTrait as _, IsolationLevel, TransactionTrait as _};

use crate::storage::store::options;
use crate::storage::store::sample::{ending_all, redeemed};
use crate::support::databases::{Backend, TestDatabase};

crate::on_servers! {
    a_locked_row_is_waited_for_once_and_other_rows_stay_available,
}

async fn a_locked_row_is_waited_for_once_and_other_rows_stay_available(backend: Backend) {
    let place = TestDatabase::empty(backend).await;
    let statements = Arc::new(AtomicU32::new(0));
    let counting = Arc::clone(&statements);
    let observer = Observer(Arc::new(move |_: &str| {
        counting.fetch_add(1, Ordering::SeqCst);
    }));
    let counted = Options { observer: Some(observer), ..options(place.url.clone()) };
    let db = Database::connect(&counted).await.unwrap();
    db.migrate().await.unwrap();
    let [ada, bob] = [redeemed(&db, "ada").await.user.id, redeemed(&db, "bob").await.user.id];
    let operator = place.connect().await;
    // At this level MariaDB locks only the found rows, not all scanned rows.
    let level = Some(IsolationLevel::ReadCommitted);
    let holds = operator.begin_with_config(level, None).await.unwrap();
    let found = holds.execute_unprepared("UPDATE users SET name = 'Held' WHERE name = 'ada'").await;
    assert_eq!(found.unwrap().rows_affected(), 1);

    statements.store(0, Ordering::SeqCst);
    let refused = db.end_user_sessions(ending_all(ada)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    assert_eq!(statements.load(Ordering::SeqCst), 1, "who held it then holds it still");
    db.end_user_sessions(ending_all(bob)).await.unwrap();
    holds.rollback().await.unwrap();
    db.end_user_sessions(ending_all(ada)).await.unwrap();
}
