//! Changes on one replica become known to the others, shown by two real programs on one database.
//! `benches/staleness.rs` measures the delay. These tests show that no answer claims a newer time than its data.

use std::path::Path;
use std::time::Duration;

use gatepass::grpc::proto::v1::{
    GetSessionResponse, IssueTokenResponse, RevokeSessionRequest, SignOutRequest, User, sign_out_request,
};
use gatepass::model::{Clock as _, SystemClock, Timestamp};
use serde_json::json;
use tonic::Status;

use crate::support::databases::{Backend, TestDatabase, query};
use crate::support::hooks::{claims, on_jwt};
use crate::support::keys::kid;
use crate::support::program::{Serving, run};
use crate::support::replica::{ENDS, End, Replica, ids};
use crate::support::{TestApp, builder_on, eventually, reason};

/// A timeout that only a stuck test reaches.
const STUCK: Duration = Duration::from_mins(1);

const SECRET: &str = "the one secret of both of these replicas";

/// Starts a replica.
async fn start(folder: &Path, database: &TestDatabase) -> (Serving, Replica) {
    let variables = [
        ("GATEPASS_DATABASE__URL", database.url.as_str()),
        ("GATEPASS_DATABASE__ACQUIRE_TIMEOUT", "20s"),
        ("GATEPASS_SECRETS", SECRET),
    ];
    let program = Serving::ready(folder, &[], &variables).await;
    let replica = Replica::of(&program).await;
    (program, replica)
}

#[tokio::test]
async fn a_reason_that_a_newer_version_writes_ends_a_session_all_the_same() {
    let app = builder_on(Backend::Sqlite).await.start().await;
    let issued = app.tokens("ada").await;
    let session_id = issued.session.unwrap().id.unwrap();
    app.admin.clone().revoke_session(RevokeSessionRequest { session_id }).await.unwrap();
    app.execute("UPDATE sessions SET end_reason = 'OF_TOMORROW'").await;
    app.execute("UPDATE revocations SET reason = 'OF_TOMORROW'").await;
    let other = app.replica(|yaml| yaml).await;
    assert_eq!(reason(other.session(&issued.access_token).await), "SESSION_REVOKED");
    assert_eq!(reason(other.refresh(&issued.refresh_token).await), "SESSION_REVOKED");
    other.stop().await;
}

fn checked_at(answer: &GetSessionResponse) -> Timestamp {
    let at = answer.revocations_checked_at.unwrap();
    Timestamp(at.seconds * 1000 + i64::from(at.nanos / 1_000_000))
}

/// Calls until the change is visible. An answer that was checked after the acknowledgement must show it.
async fn until_known(
    replica: &Replica,
    token: &str,
    acknowledged_at: Timestamp,
    is_there: impl Fn(&Result<GetSessionResponse, Status>) -> bool,
) {
    let begin = std::time::Instant::now();
    loop {
        let answer = replica.session(token).await;
        if is_there(&answer) {
            return;
        }
        let answer = answer.unwrap();
        assert!(checked_at(&answer) <= acknowledged_at, "it says it looked, and it did not see");
        assert!(begin.elapsed() < STUCK, "the other replica never knew");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A change on one replica.
#[derive(Debug, Clone, Copy)]
enum Change {
    Role,
    Ends(End),
}

async fn make(change: Change, replica: &Replica, tokens: &IssueTokenResponse) {
    match change {
        Change::Ends(end) => end.ask(replica, tokens).await.unwrap(),
        Change::Role => {
            let [_, id] = ids(tokens);
            let user = User { id, role: "admin".to_owned(), ..Default::default() };
            replica.update(user, "role").await.unwrap();
        }
    }
}

async fn a_change_on_one_is_known_to_the_other(backend: Backend) {
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::empty(backend).await;
    let (program, one) = start(folder.path(), &database).await;
    let (other_program, other) = start(folder.path(), &database).await;
    for round in 0..3 {
        for (number, change) in ENDS.map(Change::Ends).into_iter().chain([Change::Role]).enumerate() {
            let tokens = one.tokens(&format!("person-{round}-{number}")).await;
            let token = &tokens.access_token;
            other.session(token).await.unwrap();
            make(change, &one, &tokens).await;
            let acknowledged_at = SystemClock.now();
            let is_there = |answer: &Result<GetSessionResponse, Status>| match (change, answer) {
                (Change::Role, Ok(answer)) => {
                    answer.session.as_ref().unwrap().user.as_ref().unwrap().role() == "admin"
                }
                (Change::Role, Err(status)) => panic!("{status:?}"),
                (Change::Ends(end), Err(_)) => reason(answer.clone()) == end.reason(),
                (Change::Ends(_), Ok(_)) => false,
            };
            assert!(is_there(&one.session(token).await), "{change:?} holds at once where it was made");
            until_known(&other, token, acknowledged_at, is_there).await;
        }
    }
    program.stop().await;
    other_program.stop().await;
}

async fn a_replica_that_starts_later_knows_all_before_it_serves(backend: Backend) {
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::empty(backend).await;
    let (_program, one) = start(folder.path(), &database).await;
    let mut ended = Vec::new();
    for person in 0..5 {
        let tokens = one.tokens(&person.to_string()).await;
        End::SignOut.ask(&one, &tokens).await.unwrap();
        ended.push(tokens.access_token);
    }
    let (_later_program, later) = start(folder.path(), &database).await;
    for token in &ended {
        assert_eq!(reason(later.session(token).await), "SESSION_REVOKED");
    }
}

async fn a_key_revoked_by_command_is_refused_by_all_that_looked_since(backend: Backend) {
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::empty(backend).await;
    let (_program, one) = start(folder.path(), &database).await;
    let (_other_program, other) = start(folder.path(), &database).await;
    let token = one.tokens("ada").await.access_token;
    other.session(&token).await.unwrap();
    let variables = [("GATEPASS_DATABASE__URL", database.url.as_str()), ("GATEPASS_SECRETS", SECRET)];
    let revoked = run(folder.path(), &["keys", "revoke", &kid(&token)], &variables).await;
    assert_eq!(revoked.code, Some(0), "{revoked:?}");
    let acknowledged_at = SystemClock.now();
    for replica in [&one, &other] {
        until_known(replica, &token, acknowledged_at, Result::is_err).await;
        assert_eq!(reason(replica.session(&token).await), "TOKEN_SIGNATURE_INVALID");
        let new = replica.tokens("ada").await.access_token;
        assert_ne!(kid(&new), kid(&token));
        replica.session(&new).await.unwrap();
    }
}

/// If a `jwt` callback made claims from another role, every replica rejects them, not only the one that changed the
/// role.
async fn a_token_of_another_role_is_stale_everywhere(backend: Backend) {
    let seats = || on_jwt(|input| Ok(claims(json!({"seat": input.user.role}))));
    let one = builder_on(backend).await.callbacks(seats()).start().await;
    let other = one.beside().callbacks(seats()).start().await;
    let tokens = one.tokens("ada").await;
    other.session(&tokens.access_token).await.unwrap();
    let id = tokens.session.unwrap().user.unwrap().id.unwrap();
    one.update(User { id, role: "admin".to_owned(), ..Default::default() }, &["role"]).await.unwrap();
    assert_eq!(reason(one.session(&tokens.access_token).await), "TOKEN_STALE");
    eventually("the other replica knows", || async { other.session(&tokens.access_token).await.is_err() })
        .await;
    assert_eq!(reason(other.session(&tokens.access_token).await), "TOKEN_STALE");
    let fresh = other.refresh(&tokens.refresh_token).await.unwrap();
    one.session(&fresh.access_token).await.unwrap();
    other.session(&fresh.access_token).await.unwrap();
}

/// The first answer may have been lost, so a repeated call is acknowledged only after the change holds on this replica.
#[tokio::test]
async fn what_had_ended_already_holds_here_before_it_is_acknowledged() {
    // Polls are so rare that none comes before the end of this test.
    let one = builder_on(Backend::Sqlite).await.config("session: {max_staleness: 30s}").start().await;
    let other = one.replica(|yaml| yaml).await;
    let sign_out = async |app: &TestApp, token: &str, everywhere: bool, except_current: bool| {
        let credential = Some(sign_out_request::Credential::AccessToken(token.to_owned()));
        let request = SignOutRequest { credential, everywhere, except_current, ..Default::default() };
        app.auth.clone().sign_out(request).await.unwrap();
    };
    for end in ["sign out", "everywhere", "everywhere else", "revoke", "ban"] {
        let [asks, second] = [one.tokens("ada").await, one.tokens("ada").await];
        let session = asks.session.unwrap();
        let user_id = session.user.unwrap().id.unwrap();
        for app in [&one, &other] {
            match end {
                "sign out" => sign_out(app, &asks.access_token, false, false).await,
                "everywhere" => sign_out(app, &asks.access_token, true, false).await,
                "everywhere else" => sign_out(app, &asks.access_token, true, true).await,
                "revoke" => {
                    let request = RevokeSessionRequest { session_id: session.id.clone().unwrap() };
                    app.admin.clone().revoke_session(request).await.unwrap();
                }
                _ => drop(app.ban(&user_id).await),
            }
        }
        let told = async |token: &str| {
            other.session(token).await.map_or_else(|status| reason::<()>(Err(status)), |_| String::new())
        };
        let wanted = match end {
            "sign out" | "revoke" => ["SESSION_REVOKED", ""],
            "everywhere" => ["SESSION_REVOKED", "SESSION_REVOKED"],
            "everywhere else" => ["", "SESSION_REVOKED"],
            _ => ["USER_BANNED", "USER_BANNED"],
        };
        assert_eq!([told(&asks.access_token).await, told(&second.access_token).await], wanted, "{end}");
    }
}

/// There are more entries than one read returns.
#[tokio::test]
async fn a_long_feed_is_read_to_its_end_before_a_replica_serves() {
    let app = builder_on(Backend::Sqlite).await.start().await;
    let tokens = app.tokens("ada").await;
    let id = tokens.session.unwrap().id.unwrap();
    let until = app.clock.now().plus(Duration::from_hours(1)).millis();
    let (first, last) = (app.place.database.id(crate::support::people::NOBODY), app.place.database.id(&id));
    let entry = |subject: &str| format!("'SESSION', {subject}, NULL, 'REVOKED', {until}");
    app.execute(&format!(
        "INSERT INTO revocations (seq, kind, subject, min_epoch, reason, until) \
         WITH RECURSIVE places(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM places WHERE seq < 20007) \
         SELECT seq, {} FROM places UNION ALL SELECT 20008, {}",
        entry(&first),
        entry(&last)
    ))
    .await;
    let other = app.replica(|yaml| yaml).await;
    assert_eq!(reason(other.session(&tokens.access_token).await), "SESSION_REVOKED");
}

#[tokio::test]
#[ignore = "needs PostgreSQL: just test-databases"]
async fn a_clock_that_is_not_the_databases_keeps_a_replica_from_serving() {
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::empty(Backend::Postgres).await;
    // Two replicas on either side of the database's clock would differ by 12 seconds.
    database.set_clock_ahead("6 seconds").await;
    let variables = [
        ("GATEPASS_DATABASE__URL", database.url.as_str()),
        ("GATEPASS_SECRETS", "the one secret of this replica and no other"),
    ];
    let mut program = Serving::start(folder.path(), &[], &variables).await;
    let waiting = program.until("not ready yet").await;
    let cause = waiting["cause"].as_str().unwrap();
    assert!(cause.starts_with("this machine's clock differs from the database's by -"), "{cause}");
    assert!(cause.ends_with("more than half of tokens.clock_leeway (10s): set the clocks by NTP"), "{cause}");
    // Such a program creates no keys either.
    let made = query(&database.connect().await, "SELECT kid FROM signing_keys").await;
    assert_eq!(made.len(), 0, "a key by a clock that is wrong");
    let rotated = run(folder.path(), &["keys", "rotate"], &variables).await;
    assert_eq!(rotated.code, Some(1));
    assert!(rotated.stderr.contains("this machine's clock differs from the database's by -"), "{rotated:?}");
    database.set_clock_ahead("3.5 seconds").await;
    program.until("ready").await;
    let drifts =
        program.until("this machine's clock drifts from the database's: set the clocks by NTP").await;
    assert_eq!(drifts["leeway_ms"], 10_000, "{drifts}");
    let offset_ms = drifts["offset_ms"].as_i64().unwrap();
    assert!((-5_000..-2_500).contains(&offset_ms), "{drifts}");
    program.stop().await;
}

crate::on_all!(
    a_change_on_one_is_known_to_the_other,
    a_replica_that_starts_later_knows_all_before_it_serves,
    a_key_revoked_by_command_is_refused_by_all_that_looked_since,
    a_token_of_another_role_is_stale_everywhere,
);
