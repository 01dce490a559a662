//! Housekeeping: a replica removes expired rows by itself, and the answers to clients stay correct.

use std::time::Duration;

use gatepass::grpc::proto::v1::{
    RefreshTokenRequest, RevokeUserSessionsRequest, SignOutRequest, sign_out_request,
};
use gatepass::storage::{SessionStore as _, Sweep as _, Sweepable};
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use tonic::Response;

use crate::storage::store::open;
use crate::storage::store::sample::{NOW, ending, redeemed, signed_up};
use crate::support::databases::{Backend, TestDatabase};
use crate::support::{TestApp, app, builder, builder_on, reason, tokens};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

async fn rows(app: &TestApp, table: &str) -> usize {
    app.query(&format!("SELECT '' AS row_of FROM {table}")).await.len()
}

/// Waits until a table has this many rows.
async fn until_rows(app: &TestApp, table: &str, wanted: usize) {
    let swept = async {
        while rows(app, table).await != wanted {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(30), swept).await;
    assert!(in_time.is_ok(), "{table} has {} rows, not {wanted}", rows(app, table).await);
}

async fn refresh(app: &TestApp, refresh_token: &str) -> Result<String, String> {
    let request = RefreshTokenRequest { refresh_token: refresh_token.to_owned(), ..Default::default() };
    let answer = app.auth.clone().refresh_token(request).await;
    answer.map(|answer| answer.into_inner().refresh_token).map_err(|status| reason::<()>(Err(status)))
}

async fn sign_out(app: &TestApp, refresh_token: &str) -> i32 {
    let credential = Some(sign_out_request::Credential::RefreshToken(refresh_token.to_owned()));
    let request = SignOutRequest { credential, ..Default::default() };
    app.auth.clone().sign_out(request).await.map(Response::into_inner).unwrap().sessions_ended
}

/// Moves the clock, and starts a replica that sweeps by the new time.
async fn later(app: &TestApp, by: Duration) -> TestApp {
    app.clock.advance(by);
    app.replica(|yaml| yaml).await
}

async fn sweeps_on(backend: Backend) {
    // Keys come from a file, since managed ones would rotate meanwhile and log it.
    let first = builder_on(backend).await.config(&tokens("")).start().await;
    let grant = first.sign_in("pending").await.grant.unwrap();
    let ended = first.tokens("ended").await.refresh_token;
    let user_id = first.tokens("revoked").await.session.unwrap().user.unwrap().id.unwrap();
    let live = first.tokens("live").await.refresh_token;
    let idle = first.tokens("idle").await.refresh_token;
    assert_eq!(sign_out(&first, &ended).await, 1);
    first.admin.clone().revoke_user_sessions(RevokeUserSessionsRequest { user_id }).await.unwrap();
    assert_eq!((rows(&first, "sessions").await, rows(&first, "revocations").await), (5, 2));

    let second = later(&first, HOUR + 2 * MINUTE).await;
    until_rows(&second, "sessions", 4).await;
    until_rows(&second, "revocations", 0).await;
    assert_eq!(reason(second.issue(&grant).await), "GRANT_INVALID");
    assert_eq!(refresh(&second, &ended).await, Err("SESSION_REVOKED".to_owned()));

    let third = later(&first, DAY).await;
    until_rows(&third, "sessions", 2).await;
    assert_eq!(refresh(&third, &ended).await, Err("SESSION_EXPIRED".to_owned()));
    assert_eq!(sign_out(&third, &ended).await, 0);

    let live = refresh(&third, &live).await.unwrap();
    third.clock.advance(20 * DAY);
    let live = refresh(&third, &live).await.unwrap();
    let log = rows(&third, "auth_logs").await;
    let fourth = later(&first, 70 * DAY).await;
    until_rows(&fourth, "sessions", 0).await;
    for token in [live, idle] {
        assert_eq!(refresh(&fourth, &token).await, Err("SESSION_EXPIRED".to_owned()));
    }
    assert_eq!(rows(&fourth, "auth_logs").await, log, "nothing was an alarm, and the log is kept for longer");
    assert_eq!(rows(&fourth, "users").await, 5);

    let fifth = later(&first, 400 * DAY).await;
    until_rows(&fifth, "auth_logs", 0).await;
    fifth.tokens("ended").await;
    for app in [first, second, third, fourth, fifth] {
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_sweeps_expired_rows_and_answers_as_before() {
    sweeps_on(Backend::Sqlite).await;
}

#[tokio::test]
async fn an_expired_grant_is_told_as_such_for_an_hour() {
    let app = app().await;
    let grant = app.sign_in("ada").await.grant.unwrap();
    let later = later(&app, HOUR).await;
    assert_eq!(reason(later.issue(&grant).await), "GRANT_EXPIRED");
}

#[tokio::test]
async fn an_old_token_of_a_swept_session_is_no_alarm() {
    let app = app().await;
    let first = app.tokens("ada").await.refresh_token;
    let second = refresh(&app, &first).await.unwrap();
    app.clock.advance(MINUTE);
    assert_eq!(refresh(&app, &first).await, Err("REFRESH_REUSED".to_owned()));
    let later = later(&app, DAY + MINUTE).await;
    until_rows(&later, "sessions", 0).await;
    for token in [first, second] {
        assert_eq!(refresh(&later, &token).await, Err("SESSION_EXPIRED".to_owned()));
    }
    let alarms = later.log().await.iter().filter(|line| line.contains("REUSED")).count();
    assert_eq!(alarms, 1);
}

#[tokio::test]
async fn the_log_is_kept_for_as_long_as_configured() {
    let app = builder().config("auth_log: {retention: 2d}").start().await;
    app.tokens("ada").await;
    app.clock.advance(DAY);
    app.tokens("bob").await;
    assert_eq!(rows(&app, "auth_logs").await, 4);
    let later = later(&app, DAY + MINUTE).await;
    until_rows(&later, "auth_logs", 2).await;
    let kept = later.query("SELECT email AS email FROM auth_logs").await;
    assert!(kept.iter().flatten().all(|email| email == "bob@example.com"), "{kept:?}");
}

/// A locked row is left for later, and no call waits.
async fn waits_for_nobody(backend: Backend) {
    let kept = TestDatabase::empty(backend).await;
    let database = open(kept.url.clone()).await;
    database.migrate().await.unwrap();
    let (ada, bob) = (redeemed(&database, "ada").await, redeemed(&database, "bob").await);
    for person in [&ada, &bob] {
        database.end_session(ending(person.session.id)).await.unwrap().unwrap();
    }
    signed_up(&database, "carl").await;
    let other = kept.connect().await;
    let held = other.begin().await.unwrap();
    let id = hex::encode(ada.session.id.0.as_bytes());
    let id = if backend == Backend::Postgres { format!("'{id}'") } else { format!("X'{id}'") };
    held.execute_unprepared(&format!("UPDATE sessions SET version = version + 1 WHERE id = {id}"))
        .await
        .unwrap();
    let over = Sweepable::Ended(NOW.plus(MINUTE));
    let sweep = tokio::time::timeout(Duration::from_secs(5), database.sweep(over, 100));
    assert_eq!(sweep.await.expect("it does not wait").unwrap(), 1);
    assert!(database.find_session(bob.session.id).await.unwrap().is_none());
    assert!(database.find_session(ada.session.id).await.unwrap().is_some());
    held.commit().await.unwrap();
    assert_eq!(database.sweep(over, 100).await.unwrap(), 1);
}

crate::on_servers!(sweeps_on, waits_for_nobody);
