//! Managed signing keys: rotation and revocation as seen by two replicas, their callers and readers of the key set.

use std::slice::from_ref;
use std::sync::Arc;
use std::time::Duration;

use gatepass::app::{App, list_keys, revoke_key, rotate_keys};
use gatepass::grpc::proto::v1::{SignOutRequest, sign_out_request};
use gatepass::model::{ManualClock, PUBLISHED_BEFORE};
use tokio_util::sync::CancellationToken;

use crate::support::crowd::{at_once, patient_on};
use crate::support::databases::Backend;
use crate::support::keys::kid;
use crate::support::{KEYS, START, TestApp, app, builder, builder_on, eventually, reason, tokens};

const MILLISECOND: Duration = Duration::from_millis(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
/// The setting `tokens.clock_leeway`.
const LEEWAY: Duration = Duration::from_secs(10);
const INVALID: &str = "TOKEN_SIGNATURE_INVALID";

/// Starts two replicas on one database, with the longest token lifetime.
async fn replicas() -> (TestApp, TestApp) {
    let one = builder().config("tokens: {access_ttl: 1h}").start().await;
    let other = one.replica(|yaml| yaml).await;
    (one, other)
}

/// Creates the next key of a running app, published on both replicas.
async fn next_key(one: &TestApp, other: &TestApp) -> String {
    one.rotate(false).await;
    let next = one.publishes(2).await.remove(0);
    other.publishes(2).await;
    next
}

async fn accepted(apps: [&TestApp; 2], token: &str) {
    for app in apps {
        app.session(token).await.unwrap();
    }
}

async fn refused(apps: [&TestApp; 2], token: &str, why: &str) {
    for app in apps {
        assert_eq!(reason(app.session(token).await), why);
    }
}

/// Waits until a previously valid token is rejected.
async fn is_refused(app: &TestApp, token: &str) {
    eventually("a revoked key is refused", || async { app.session(token).await.is_err() }).await;
    assert_eq!(reason(app.session(token).await), INVALID);
}

#[tokio::test]
async fn every_replica_publishes_uses_and_retires_a_key_at_the_same_time() {
    let (one, other) = replicas().await;
    let first = one.signing().await;
    assert_eq!(one.published().await, from_ref(&first));
    let next = next_key(&one, &other).await;
    let begins = START.plus(PUBLISHED_BEFORE);
    one.clock.set(begins.minus(MILLISECOND));
    assert_eq!([one.signing().await, other.signing().await], [first.clone(), first.clone()]);
    let last_of_first = one.tokens("ada").await.access_token;
    one.clock.advance(MILLISECOND);
    assert_eq!([one.signing().await, other.signing().await], [next.clone(), next.clone()]);
    accepted([&one, &other], &last_of_first).await;
    assert_eq!(other.published().await, [next.clone(), first.clone()]);

    one.clock.set(begins.plus(HOUR + LEEWAY).minus(MILLISECOND));
    refused([&one, &other], &last_of_first, "TOKEN_EXPIRED").await;
    assert_eq!(one.published().await, [next.clone(), first]);
    one.clock.advance(MILLISECOND);
    refused([&one, &other], &last_of_first, INVALID).await;
    assert_eq!([one.published().await, other.published().await], [[next.clone()], [next]]);
    one.clock.advance(HOUR + MINUTE);
    eventually("the retired key is swept", || async { one.keys().await.len() == 1 }).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: just test-databases"]
async fn the_schedule_makes_no_key_by_a_clock_that_jumped() {
    let first = builder_on(Backend::Postgres).await.start().await;
    first.place.database.set_clock_ahead("0 seconds").await;
    let app = first.replica(|yaml| yaml).await;
    first.stop().await;
    app.place.database.set_clock_ahead("-2 hours").await;
    app.clock.advance(100 * DAY);
    // The replica checks the keys in memory before it reads again.
    for _ in 0..2 {
        app.take_readings_of_keys();
        eventually("it looks", || async {
            app.clock.advance(MINUTE);
            app.take_readings_of_keys() > 0
        })
        .await;
    }
    assert_eq!(app.keys().await.len(), 1);
    app.place.database.set_clock_ahead("0 seconds").await;
    eventually("it is made", || async {
        app.clock.advance(MINUTE);
        app.keys().await.len() == 2
    })
    .await;
}

#[tokio::test]
async fn the_schedule_makes_one_next_key_for_any_number_of_replicas() {
    let one = builder().config("tokens: {key_rotation: 2h}").start().await;
    let mut replicas = vec![one];
    for _ in 0..3 {
        replicas.push(replicas[0].replica(|yaml| yaml).await);
    }
    let clock = Arc::clone(&replicas[0].clock);
    for generation in 1..=3 {
        // The first rotation is due at this very millisecond, the later ones long before.
        clock.advance(if generation == 1 { 95 * MINUTE } else { 3 * HOUR });
        let next = replicas[0].publishes(2).await.remove(0);
        for replica in &replicas {
            assert_eq!(replica.publishes(2).await[0], next);
        }
        // Each replica has read the keys again and found nothing else to do.
        for replica in &replicas {
            replica.take_readings_of_keys();
        }
        clock.advance(PUBLISHED_BEFORE);
        for replica in &replicas {
            eventually("it looked", || async { replica.take_readings_of_keys() > 0 }).await;
            assert_eq!(replica.signing().await, next);
        }
        assert_eq!(replicas[0].key_log().await, vec!["SCHEDULED by gatepass serve"; generation]);
    }
    let last = "SELECT CAST(max(generation) AS TEXT) AS g FROM signing_keys";
    assert_eq!(replicas[0].query(last).await.concat(), ["4"]);
}

#[tokio::test]
async fn a_rotation_that_waits_already_is_left_to_wait() {
    let app = app().await;
    let said = app.rotate(false).await;
    let next = app.publishes(2).await.remove(0);
    assert_eq!(said, format!("{next} is published and signs from 2026-01-01T00:25:00Z"));
    let again = app.rotate(false).await;
    let waits = "is waiting already and signs from 2026-01-01T00:25:00Z; nothing was changed";
    assert_eq!(again, format!("{next} {waits}"));
    assert_eq!(app.key_log().await, ["ROTATED by gatepass keys"]);
    app.clock.advance(PUBLISHED_BEFORE);
    app.rotate(false).await;
    app.publishes(3).await;
    assert_eq!(app.key_log().await.len(), 2);
}

#[tokio::test]
async fn a_rotation_without_delay_signs_at_once_and_moves_a_key_that_waits() {
    let (one, other) = replicas().await;
    let before = one.tokens("ada").await.access_token;
    let said = one.rotate(true).await;
    assert!(
        said.contains("signs from now on; who caches the key set may refuse its tokens for up to 25 minutes")
    );
    for replica in [&one, &other] {
        let made = replica.publishes(2).await.remove(0);
        assert_eq!(replica.signing().await, made);
    }
    one.clock.advance(MINUTE);
    one.rotate(false).await;
    let waiting = one.publishes(3).await.remove(0);
    other.publishes(3).await;
    assert!(one.rotate(true).await.starts_with(&format!("{waiting}, which was waiting, signs from now on")));
    for replica in [&one, &other] {
        eventually("it signs", || async { replica.signing().await == waiting }).await;
        assert_eq!(replica.published().await.len(), 3, "it is the same key, moved");
    }
    accepted([&one, &other], &before).await;
}

#[tokio::test]
async fn a_revoked_key_is_refused_on_every_replica_and_a_new_one_signs() {
    let (one, other) = replicas().await;
    let ada = one.tokens("ada").await;
    let first = kid(&ada.access_token);
    // Both have verified the token and cached the result.
    accepted([&one, &other], &ada.access_token).await;
    let said = one.revoke(&first).await;
    assert_eq!(
        said[0],
        format!(
            "{first} is revoked; every replica refuses its tokens within session.max_staleness (1000 ms)"
        )
    );
    is_refused(&one, &ada.access_token).await;
    is_refused(&other, &ada.access_token).await;
    let [made] = one.published().await.try_into().unwrap();
    assert_eq!(said[1..], [format!("{made} signs from now on")]);
    let again = other.refresh(&ada.refresh_token).await.unwrap().access_token;
    assert_eq!(kid(&again), made);
    accepted([&one, &other], &again).await;
    assert_eq!(one.key_log().await, ["REVOKED by gatepass keys"]);
    assert_eq!(one.revoke(&first).await, [format!("{first} was revoked before; nothing was changed")]);
    assert_eq!(one.key_log().await.len(), 1);
    let sealed = "SELECT CAST(length(sealed) AS TEXT) AS n FROM signing_keys ORDER BY generation LIMIT 1";
    assert_eq!(one.query(sealed).await.concat(), ["0"], "both halves are destroyed");

    // A new replica does not know the key either, nor does one that reads and seals again for hours.
    let third = one.replica(|yaml| yaml).await;
    for replica in [&one, &other] {
        replica.take_readings_of_keys();
    }
    assert_eq!(third.published().await, from_ref(&made));
    one.clock.advance(2 * HOUR);
    for replica in [&one, &other, &third] {
        eventually("it reads the keys", || async { replica.take_readings_of_keys() > 0 }).await;
        assert_eq!(replica.published().await, from_ref(&made));
    }
}

async fn the_next_key_takes_over_from_a_revoked_one(backend: Backend) {
    let one = patient_on(backend).await.start().await;
    let other = one.replica(|yaml| yaml).await;
    let ada = one.tokens("ada").await;
    let next = next_key(&one, &other).await;
    one.clock.advance(MINUTE);
    let said = one.revoke(&kid(&ada.access_token)).await;
    assert_eq!(said[1..], [format!("{next} signs from now on")]);
    for replica in [&one, &other] {
        is_refused(replica, &ada.access_token).await;
        assert_eq!(replica.published().await, from_ref(&next));
        assert_eq!(replica.signing().await, next);
    }
}

#[tokio::test]
async fn on_sqlite_the_next_key_takes_over_from_a_revoked_one() {
    the_next_key_takes_over_from_a_revoked_one(Backend::Sqlite).await;
}

crate::on_servers!(the_next_key_takes_over_from_a_revoked_one);

#[tokio::test]
async fn a_key_that_signs_no_more_or_not_yet_is_revoked_alone() {
    let (one, other) = replicas().await;
    let old = one.tokens("ada").await.access_token;
    let second = next_key(&one, &other).await;
    one.clock.advance(PUBLISHED_BEFORE);
    let now = one.tokens("ben").await.access_token;
    assert_eq!(one.revoke(&kid(&old)).await.len(), 1);
    is_refused(&one, &old).await;
    is_refused(&other, &old).await;

    let third = next_key(&one, &other).await;
    assert_eq!(one.revoke(&third).await.len(), 1);
    for replica in [&one, &other] {
        assert_eq!(replica.publishes(1).await, from_ref(&second));
        assert_eq!(replica.signing().await, second);
    }
    accepted([&one, &other], &now).await;
}

#[tokio::test]
async fn a_key_that_is_not_there_is_not_revoked() {
    let app = app().await;
    let there = app.signing().await;
    let config = app.config(|yaml| yaml);
    let fault = revoke_key(&config, Arc::clone(&app.clock) as _, "other").await.unwrap_err();
    assert_eq!(fault.to_string(), format!("no signing key other; there are:\n{there}"));
    assert_eq!(app.signing().await, there);
}

#[tokio::test]
async fn the_list_tells_what_each_key_does_and_which_secret_sealed_it() {
    let app = app().await;
    let first = app.signing().await;
    let line = |kid: &str, rest: &str| format!("{kid} ES256 {rest}");
    let only = line(&first, "signs since 2026-01-01T00:00:00Z sealed by secret 1");
    assert_eq!(app.keys().await, from_ref(&only));
    app.rotate(false).await;
    let second = app.publishes(2).await.remove(0);
    let next = line(&second, "next from 2026-01-01T00:25:00Z sealed by secret 1");
    assert_eq!(app.keys().await, [next, only]);
    app.clock.advance(PUBLISHED_BEFORE);
    let signs = line(&second, "signs since 2026-01-01T00:25:00Z sealed by secret 1");
    let until = "verifies since 2026-01-01T00:00:00Z until 2026-01-01T01:25:10Z sealed by secret 1";
    assert_eq!(app.keys().await, [signs.clone(), line(&first, until)]);
    app.clock.advance(HOUR + LEEWAY);
    let retired = line(&first, "retired since 2026-01-01T00:00:00Z sealed by secret 1");
    assert_eq!(app.keys().await, [signs, retired]);
    app.revoke(&second).await;
    let listed = app.keys().await;
    assert!(listed[0].contains(" signs since 2026-01-01T01:25:10Z "), "{listed:?}");
    assert_eq!(listed[1], line(&second, "revoked since 2026-01-01T00:25:00Z"));

    let append =
        |yaml: String| yaml.replace("secrets: [", "secrets: ['another secret of a test, long enough', ");
    let clock = Arc::clone(&app.clock);
    let listed = list_keys(&app.config(append), clock).await.unwrap();
    assert!(listed.fault.is_none() && listed.lines[0].ends_with("sealed by secret 2"), "{listed:?}");
}

#[tokio::test]
async fn another_algorithm_is_published_before_it_signs_as_any_key_is() {
    let one = app().await;
    let other = one.replica(|yaml| yaml).await;
    let es256 = other.tokens("ada").await.access_token;
    let one = one.restart(|yaml| format!("{yaml}tokens: {{algorithm: EdDSA}}\n")).await;
    let eddsa = one.publishes(2).await.remove(0);
    other.publishes(2).await;
    for replica in [&one, &other] {
        assert_eq!(replica.signing().await, kid(&es256));
        let algorithms = replica.document("/.well-known/openid-configuration").await;
        let wanted = serde_json::json!(["EdDSA", "ES256"]);
        assert_eq!(algorithms["id_token_signing_alg_values_supported"], wanted);
    }
    // While a key is waiting, a replica that restarts with the old configuration makes no change.
    let other = other.restart(|yaml| yaml).await;
    one.clock.advance(PUBLISHED_BEFORE);
    for replica in [&one, &other] {
        assert_eq!(replica.signing().await, eddsa);
        assert_eq!(replica.published().await.len(), 2);
    }
    let fresh = other.tokens("ada").await.access_token;
    accepted([&one, &other], &fresh).await;
}

#[tokio::test]
async fn another_algorithm_waits_for_a_key_that_was_waiting_before() {
    let app = app().await;
    app.rotate(false).await;
    let second = app.publishes(2).await.remove(0);
    let app = app.restart(|yaml| format!("{yaml}tokens: {{algorithm: EdDSA}}\n")).await;
    app.clock.advance(PUBLISHED_BEFORE);
    assert_eq!(app.signing().await, second);
    // The clock moves by one second at a time, since the next read of the keys depends on the last one.
    let made = || async {
        app.clock.advance(Duration::from_secs(1));
        app.published().await.len() == 3
    };
    eventually("a key of the other algorithm is made", made).await;
    app.clock.advance(PUBLISHED_BEFORE);
    let algorithm = app.keys().await.into_iter().find(|line| line.contains(" signs ")).unwrap();
    assert!(algorithm.contains(" EdDSA signs "), "{algorithm}");
}

/// Starts a replica that polls the feed every fifteen seconds.
async fn slow_replica(app: &TestApp) -> TestApp {
    app.replica(|yaml| format!("{yaml}session: {{max_staleness: 1m, stale_limit: 1m}}\n")).await
}

/// Returns a token that another issuer's key signed.
async fn foreign_token() -> String {
    app().await.tokens("eve").await.access_token
}

#[tokio::test]
async fn an_unknown_key_has_the_ring_read_and_its_token_accepted() {
    let one = app().await;
    let slow = slow_replica(&one).await;
    one.rotate(true).await;
    one.publishes(2).await;
    let token = one.tokens("ada").await.access_token;
    slow.take_readings_of_keys();
    slow.session(&token).await.unwrap();
    assert_eq!(slow.take_readings_of_keys(), 1);
    slow.session(&token).await.unwrap();
    assert_eq!(slow.take_readings_of_keys(), 0);

    one.clock.advance(Duration::from_secs(5));
    one.rotate(true).await;
    one.publishes(3).await;
    let token = one.tokens("ben").await.access_token;
    let credential = Some(sign_out_request::Credential::AccessToken(token));
    let request = SignOutRequest { credential, ..Default::default() };
    assert_eq!(slow.auth.clone().sign_out(request).await.unwrap().into_inner().sessions_ended, 1);
    assert_eq!(slow.take_readings_of_keys(), 1);
}

#[tokio::test]
async fn tokens_with_unknown_keys_cause_one_read_of_the_keys_in_five_seconds() {
    let one = app().await;
    let slow = slow_replica(&one).await;
    let forged = foreign_token().await;
    slow.take_readings_of_keys();
    for (passed, readings) in [(Duration::ZERO, 1), (Duration::from_millis(4_999), 0), (MILLISECOND, 1)] {
        slow.clock.advance(passed);
        let answers = at_once(50, |_| {
            let (mut auth, token) = (slow.auth.clone(), forged.clone());
            async move {
                use gatepass::grpc::proto::v1::{GetSessionRequest, get_session_request::Credential};
                let credential = Some(Credential::AccessToken(token));
                auth.get_session(GetSessionRequest { credential, ..Default::default() }).await
            }
        });
        for answer in answers.await {
            assert_eq!(reason(answer), INVALID);
        }
        assert_eq!(slow.take_readings_of_keys(), readings, "after {passed:?}");
    }
}

#[tokio::test]
async fn a_key_that_no_secret_opens_stops_no_replica_that_runs() {
    let (one, other) = replicas().await;
    let first = one.signing().await;
    let clock = || Arc::clone(&one.clock) as _;
    let sealed_elsewhere = one.make_foreign_key().await;
    for replica in [&one, &other] {
        replica.take_readings_of_keys();
    }
    one.clock.advance(PUBLISHED_BEFORE + MINUTE);
    for replica in [&one, &other] {
        eventually("it reads the keys", || async { replica.take_readings_of_keys() > 0 }).await;
        // It continues with the newest key that it can open.
        let token = replica.tokens("ada").await.access_token;
        assert_eq!(kid(&token), first);
        accepted([&one, &other], &token).await;
    }
    // A replica must not start now, since it would reject tokens of the others.
    let starting = App::new(one.config(|yaml| yaml)).clock(clock()).bind().await.unwrap();
    let fault = starting.run(CancellationToken::new()).await.unwrap_err().to_string();
    assert!(
        fault.contains(&format!("signing key {sealed_elsewhere}: no configured secret opens")),
        "{fault}"
    );
    assert!(fault.contains("put the secret that sealed it back into `secrets`"), "{fault}");
    let listed = list_keys(&one.config(|yaml| yaml), clock()).await.unwrap();
    assert!(listed.lines[0].ends_with("sealed by a secret that is not configured"), "{listed:?}");
    assert_eq!(listed.fault.unwrap().to_string(), fault);

    let said = one.revoke(&sealed_elsewhere).await;
    let made = said[1].split(' ').next().unwrap().to_owned();
    for replica in [&one, &other] {
        eventually("another key signs", || async { replica.signing().await == made }).await;
    }
    one.replica(|yaml| yaml).await.stop().await;
}

#[tokio::test]
async fn a_replica_whose_keys_are_all_retired_asks_to_be_tried_again() {
    let app = builder().config("tokens: {access_ttl: 1h}").start().await;
    let ada = app.tokens("ada").await;
    let foreign = app.make_foreign_key().await;
    app.take_readings_of_keys();
    app.clock.advance(PUBLISHED_BEFORE + HOUR + LEEWAY);
    eventually("it reads the keys", || async { app.take_readings_of_keys() > 0 }).await;
    let refused = crate::support::refusal(app.refresh(&ada.refresh_token).await);
    assert_eq!(refused, (tonic::Code::Unavailable, "KEYS_UNAVAILABLE".to_owned()));
    // The failed call spent nothing.
    let said = app.revoke(&foreign).await.pop().unwrap();
    eventually("it signs again", || async { app.refresh(&ada.refresh_token).await.is_ok() }).await;
    assert!(said.contains("signs from now on"), "{said}");
}

#[tokio::test]
async fn a_command_with_other_secrets_makes_no_key_that_replicas_can_not_open() {
    let app = app().await;
    let first = app.signing().await;
    // These secrets are older than those of the replicas, which removed the first one or put another before it.
    for outdated in ["an old secret", "an old secret of a test, long enough', 'the first secret"] {
        let outdated = app.config(|yaml| yaml.replace("the first secret", outdated));
        for at_once in [false, true] {
            let refused = rotate_keys(&outdated, Arc::clone(&app.clock) as _, at_once).await.unwrap_err();
            let wanted = format!("signing key {first} is sealed by another secret than the first");
            assert!(refused.to_string().starts_with(&wanted), "{refused}");
        }
    }
    assert_eq!(app.published().await, [first]);
    app.rotate(false).await;
}

#[tokio::test]
async fn keys_in_files_are_not_changed_by_commands() {
    let app = builder().config(&tokens("")).start().await;
    let (config, clock) = (app.config(|yaml| yaml), Arc::new(ManualClock::default()));
    let wanted = "add or remove a file there and restart every replica";
    let rotated = rotate_keys(&config, Arc::clone(&clock) as _, true).await.unwrap_err().to_string();
    let revoked = revoke_key(&config, clock, "any").await.unwrap_err().to_string();
    assert!(rotated.contains(wanted) && revoked.contains(wanted), "{rotated}");
    let signing = app.signing().await;
    assert_eq!(app.keys().await, [format!("{signing} ES256 signs {KEYS}/es256.pem")]);
    app.clock.advance(200 * DAY);
    assert_eq!(app.signing().await, signing);
}
