//! The rows that references name: how often they are read, how old they may be, and when a change becomes visible.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatepass::auth::{ReadSessionRows, RememberedRows, StoredRows};
use gatepass::grpc::proto::v1::{
    GetSessionRequest, GetSessionResponse, IssueTokenResponse, RevokeSessionRequest,
    RevokeUserSessionsRequest, SignOutRequest, User, get_session_request, sign_out_request,
};
use gatepass::model::{Clock as _, SessionId};
use serde_json::json;
use tonic::{Code, Response, Status};

use crate::storage::store::open;
use crate::support::crowd::at_once;
use crate::support::hooks::{claims, on_jwt};
use crate::support::people::proto_time;
use crate::support::{Builder, START, TestApp, builder, reason, refusal};

/// Caches rows for longer than any test runs.
fn remembering() -> Builder {
    builder().config("session: {strategy: database, max_staleness: 1m, stale_limit: 1m}")
}

fn request(token: &str, max_staleness: Option<Duration>) -> GetSessionRequest {
    let credential = Some(get_session_request::Credential::AccessToken(token.to_owned()));
    let max_staleness = max_staleness.map(|limit| prost_types::Duration::try_from(limit).unwrap());
    GetSessionRequest { credential, max_staleness, ..GetSessionRequest::default() }
}

async fn ask(
    app: &TestApp,
    token: &str,
    max_staleness: Option<Duration>,
) -> Result<GetSessionResponse, Status> {
    app.auth.clone().get_session(request(token, max_staleness)).await.map(Response::into_inner)
}

/// Reads the current session, without the cache.
async fn now(app: &TestApp, token: &str) -> Result<GetSessionResponse, Status> {
    ask(app, token, Some(Duration::ZERO)).await
}

fn name(answer: GetSessionResponse) -> Option<String> {
    answer.session.unwrap().user.unwrap().name
}

fn ids(issued: &IssueTokenResponse) -> (String, String) {
    let session = issued.session.clone().unwrap();
    (session.id.unwrap(), session.user.unwrap().id.unwrap())
}

/// Ends every session at the start time, since a session that ended long ago may be swept.
fn ended(reason: &str) -> String {
    format!("UPDATE sessions SET ended_at = {}, end_reason = '{reason}'", START.millis())
}

#[tokio::test]
async fn rows_are_read_once_and_remembered() {
    let app = remembering().start().await;
    let [ada, bob] = [app.tokens("ada").await.access_token, app.tokens("bob").await.access_token];
    app.take_statements();
    for _ in 0..20 {
        app.session(&ada).await.unwrap();
        ask(&app, &ada, Some(Duration::from_hours(1))).await.unwrap();
    }
    assert_eq!(app.take_statements().len(), 1);
    app.session(&bob).await.unwrap();
    assert_eq!(app.take_statements().len(), 1);
}

#[tokio::test]
async fn who_accepts_no_age_has_them_read_each_time() {
    let app = remembering().start().await;
    let token = app.tokens("ada").await.access_token;
    app.take_statements();
    for _ in 0..5 {
        now(&app, &token).await.unwrap();
        assert_eq!(app.take_statements().len(), 1);
    }
    // A cached row also serves later readers.
    app.session(&token).await.unwrap();
    assert_eq!(app.take_statements(), [""; 0]);
}

#[tokio::test]
async fn it_tells_as_of_when_the_rows_are() {
    let app = remembering().start().await;
    let token = app.tokens("ada").await.access_token;
    let checked_at = |answer: Result<GetSessionResponse, Status>| answer.unwrap().revocations_checked_at;
    let later = START.plus(Duration::from_millis(1500));
    assert_eq!(checked_at(app.session(&token).await), Some(proto_time(START)));
    app.clock.set(later);
    assert_eq!(checked_at(app.session(&token).await), Some(proto_time(START)));
    assert_eq!(checked_at(now(&app, &token).await), Some(proto_time(later)));
    assert_eq!(checked_at(app.session(&token).await), Some(proto_time(later)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_miss_the_same_session_one_reads_it() {
    let app = remembering().start().await;
    let token = app.tokens("ada").await.access_token;
    app.take_statements();
    let answers = at_once(100, |_| {
        let (mut client, request) = (app.auth.clone(), request(&token, None));
        async move { client.get_session(request).await.unwrap() }
    })
    .await;
    assert_eq!(answers.len(), 100);
    assert_eq!(app.take_statements().len(), 1);
}

#[tokio::test]
async fn what_changes_in_the_rows_is_told_or_refused() {
    let unauthenticated = |reason: &str| Some((Code::Unauthenticated, reason.to_owned()));
    let later = START.plus(Duration::from_hours(1)).millis();
    for (change, wanted) in [
        (&*ended("SIGNED_OUT"), "SESSION_REVOKED"),
        (&ended("REUSED"), "SESSION_REVOKED"),
        (&ended("BANNED"), "SESSION_REVOKED"),
        ("UPDATE users SET epoch = epoch + 1", "SESSION_REVOKED"),
        ("UPDATE users SET banned = TRUE, epoch = epoch + 1", "USER_BANNED"),
        (&format!("UPDATE users SET banned = TRUE, ban_expires_at = {later}"), "USER_BANNED"),
        ("UPDATE sessions SET expires_at = 1000", "SESSION_EXPIRED"),
        ("UPDATE sessions SET version = 0", "SESSION_EXPIRED"),
        ("DELETE FROM sessions", "SESSION_EXPIRED"),
        ("DELETE FROM sessions; DELETE FROM users", "SESSION_EXPIRED"),
    ] {
        let app = remembering().start().await;
        let token = app.tokens("ada").await.access_token;
        app.session(&token).await.unwrap();
        for statement in change.split("; ") {
            app.query(statement).await;
        }
        // This replica got no feed entry for the change.
        app.session(&token).await.unwrap();
        let refused = now(&app, &token).await.map(drop).map_err(|status| refusal::<()>(Err(status)));
        assert_eq!(refused.err(), unauthenticated(wanted), "{change}");
        // Later readers get the row that was read last.
        assert_eq!(reason(app.session(&token).await), wanted, "{change}");
    }
}

#[tokio::test]
async fn an_unreadable_row_is_an_internal_error_and_no_session() {
    let app = remembering().start().await;
    let token = app.tokens("ada").await.access_token;
    app.query("UPDATE sessions SET claims = 'nonsense'").await;
    assert_eq!(refusal(now(&app, &token).await), (Code::Internal, "INTERNAL".to_owned()));
    app.query("UPDATE sessions SET claims = '{}'").await;
    app.session(&token).await.unwrap();
}

#[tokio::test]
async fn a_change_by_this_replica_holds_at_once_although_rows_are_cached() {
    let hooks = on_jwt(|input| Ok(claims(json!({"who": input.user.name}))));
    let app = remembering().callbacks(hooks).start().await;
    let mut admin = app.admin.clone();
    let warm = async |who: &str| {
        let issued = app.tokens(who).await;
        app.session(&issued.access_token).await.unwrap();
        issued
    };
    let signed_out = warm("a").await;
    let credential = Some(sign_out_request::Credential::AccessToken(signed_out.access_token.clone()));
    app.auth.clone().sign_out(SignOutRequest { credential, ..Default::default() }).await.unwrap();
    assert_eq!(reason(app.session(&signed_out.access_token).await), "SESSION_REVOKED");

    let revoked = warm("b").await;
    admin.revoke_session(RevokeSessionRequest { session_id: ids(&revoked).0 }).await.unwrap();
    assert_eq!(reason(app.session(&revoked.access_token).await), "SESSION_REVOKED");

    let all = warm("c").await;
    admin.revoke_user_sessions(RevokeUserSessionsRequest { user_id: ids(&all).1 }).await.unwrap();
    assert_eq!(reason(app.session(&all.access_token).await), "SESSION_REVOKED");

    let banned = warm("d").await;
    app.ban(&ids(&banned).1).await;
    assert_eq!(reason(app.session(&banned.access_token).await), "USER_BANNED");
    app.unban(&ids(&banned).1).await;
    assert_eq!(reason(app.session(&banned.access_token).await), "SESSION_REVOKED");

    let issued = warm("e").await;
    let user = User { id: ids(&issued).1, name: Some("Countess".to_owned()), ..User::default() };
    app.update(user.clone(), &["name"]).await.unwrap();
    app.take_statements();
    for _ in 0..3 {
        assert_eq!(name(app.session(&issued.access_token).await.unwrap()).as_deref(), Some("Countess"));
    }
    assert_eq!(app.take_statements().len(), 1);
    app.update(User { role: "admin".to_owned(), ..user }, &["role"]).await.unwrap();
    assert_eq!(reason(app.session(&issued.access_token).await), "TOKEN_STALE");
    // The new token needs a newer row than the cached one.
    let refreshed = app.refresh(&issued.refresh_token).await.unwrap();
    app.take_statements();
    for _ in 0..3 {
        assert_eq!(app.session(&refreshed.access_token).await.unwrap().session, refreshed.session);
        app.session(&issued.access_token).await.unwrap();
    }
    assert_eq!(app.take_statements().len(), 1);
}

#[tokio::test]
async fn a_token_that_was_refreshed_elsewhere_is_read_as_it_was_answered() {
    let app = remembering().start().await;
    let other = app.replica(|yaml| yaml).await;
    let mut issued = app.tokens("ada").await.refresh_token;
    for round in 1..=5 {
        app.clock.advance(Duration::from_mins(1));
        let refreshed = [&app, &other][round % 2].refresh(&issued).await.unwrap();
        for replica in [&app, &other] {
            assert_eq!(replica.session(&refreshed.access_token).await.unwrap().session, refreshed.session);
        }
        issued = refreshed.refresh_token;
    }
    other.stop().await;
}

/// Calls a replica until it gives this answer, and returns the time that it took.
async fn until(
    app: &TestApp,
    token: &str,
    wanted: impl Fn(&Result<GetSessionResponse, Status>) -> bool,
) -> Duration {
    let begin = Instant::now();
    loop {
        let answer = app.session(token).await;
        if wanted(&answer) {
            return begin.elapsed();
        }
        assert!(begin.elapsed() < Duration::from_secs(30), "still {answer:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_change_of_another_replica_is_seen_though_the_rows_are_remembered() {
    const STALENESS: Duration = Duration::from_millis(400);
    let app = builder().config("session: {strategy: database, max_staleness: 400ms}").start().await;
    let other = app.replica(|yaml| yaml).await;
    for how in ["sign out", "revoke", "revoke all", "ban", "rename", "write"] {
        let issued = app.tokens(&how.replace(' ', "-")).await;
        let (session_id, user_id) = ids(&issued);
        let token = issued.access_token;
        other.session(&token).await.unwrap();
        match how {
            "sign out" => {
                let credential = Some(sign_out_request::Credential::AccessToken(token.clone()));
                let request = SignOutRequest { credential, ..SignOutRequest::default() };
                app.auth.clone().sign_out(request).await.unwrap();
            }
            "revoke" => {
                app.admin.clone().revoke_session(RevokeSessionRequest { session_id }).await.unwrap();
            }
            "revoke all" => {
                let request = RevokeUserSessionsRequest { user_id };
                app.admin.clone().revoke_user_sessions(request).await.unwrap();
            }
            "ban" => {
                app.ban(&user_id).await;
            }
            "rename" => {
                let user = User { id: user_id, name: Some("Countess".to_owned()), ..User::default() };
                app.update(user, &["name"]).await.unwrap();
            }
            // The change is made without Gatepass, so that the feed has no entry.
            _ => {
                app.query(&ended("REVOKED")).await;
            }
        }
        let wanted = |answer: &Result<GetSessionResponse, Status>| match (how, answer.clone()) {
            ("rename", Ok(told)) => name(told).as_deref() == Some("Countess"),
            ("ban", Err(status)) => reason::<()>(Err(status)) == "USER_BANNED",
            (_, Err(status)) => reason::<()>(Err(status)) == "SESSION_REVOKED",
            (_, Ok(_)) => false,
        };
        let took = until(&other, &token, wanted).await;
        // The margin covers one call in progress on a busy machine.
        assert!(took < STALENESS + Duration::from_secs(2), "{how} took {took:?}");
    }
    other.stop().await;
}

/// Opens cached rows of a real database, and returns some session ids in it.
async fn remembered(app: &TestApp, bytes: u32) -> (gatepass::storage::Database, RememberedRows) {
    let database = open(app.place.database.url.clone()).await;
    let config = app.config(|yaml| yaml);
    let rows = StoredRows {
        sessions: Arc::new(database.clone()),
        clock: Arc::clone(&app.clock) as _,
        user_claims: config.tokens.user_claims,
    };
    (database, RememberedRows::new(Arc::new(rows), bytes))
}

fn id(text: &str) -> SessionId {
    text.parse().unwrap()
}

#[tokio::test]
async fn without_the_database_rows_are_served_until_the_stale_limit() {
    let app = remembering().start().await;
    let (known, unknown) = (id(&ids(&app.tokens("a").await).0), id(&ids(&app.tokens("b").await).0));
    let (database, rows) = remembered(&app, 1 << 20).await;
    let read = rows.read(known, Duration::ZERO).await;
    assert_eq!(read.rows().unwrap().session.id, known);
    assert_eq!(read.at, app.clock.now());
    database.close().await;
    rows.read(known, Duration::from_hours(1)).await.rows().unwrap();
    let unavailable = async |id, max_age| {
        let error = rows.read(id, max_age).await.rows().map(drop).unwrap_err();
        assert!(matches!(error, gatepass::auth::Error::StoreUnavailable(_)), "{error:?}");
    };
    unavailable(unknown, Duration::from_hours(1)).await;
    unavailable(known, Duration::ZERO).await;
    // The failed read dropped the cached row, which was too old for its caller. The failure itself is not cached.
    unavailable(known, Duration::from_hours(1)).await;
}

#[tokio::test]
async fn the_cache_of_rows_is_bounded() {
    let app = remembering().start().await;
    let mut all = BTreeSet::new();
    for n in 0..40 {
        all.insert(id(&ids(&app.tokens(&format!("p{n}")).await).0));
    }
    let (_database, rows) = remembered(&app, 20 * 1024).await;
    let hour = Duration::from_hours(1);
    let mut first = Vec::new();
    for id in &all {
        first.push(rows.read(*id, hour).await);
    }
    let mut kept = 0;
    for (id, before) in all.iter().zip(&first) {
        kept += usize::from(Arc::ptr_eq(&rows.read(*id, hour).await, before));
    }
    assert!(kept <= 10, "{kept} of some 2 KiB each");
}
