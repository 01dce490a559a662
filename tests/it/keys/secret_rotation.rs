//! Secret rotation over two replicas that restart one after the other: append, restart, move first, restart, remove,
//! restart. At each mixed stage each replica continues what the other opened.

use std::sync::Arc;
use std::time::Duration;

use gatepass::app::{App, list_keys};
use gatepass::grpc::proto::v1::{IssueTokenRequest, IssueTokenResponse, Rotation, SignInRequest};
use tokio_util::sync::CancellationToken;

use crate::support::crowd::patient_on;
use crate::support::databases::Backend;
use crate::support::{TestApp, allowed, builder, eventually, profile, reason, refusal};

/// The initial secret of every test app.
const A: &str = "the first secret of a test, long enough";
const B: &str = "another secret of a test, long enough";

/// Sets these secrets in the configuration.
fn with(secrets: &[&str]) -> impl FnOnce(String) -> String {
    let line = format!("secrets: ['{}']", secrets.join("', '"));
    move |yaml| {
        let lines = yaml.lines().map(|it| if it.starts_with("secrets:") { line.as_str() } else { it });
        lines.flat_map(|it| [it, "\n"]).collect()
    }
}

/// The tokens of a person's backend.
struct Held {
    /// The refresh token that it used last, as if the answer had been lost.
    spent: String,
    /// The refresh token that it got for that one.
    live: String,
    /// An access token that only the first key has signed.
    access: String,
}

/// An unredeemed grant, and the sign-in and the redemption with their request ids.
struct Opened {
    sign_in: SignInRequest,
    redemption: IssueTokenRequest,
}

fn request_id(of: &str, number: usize) -> String {
    format!("{of}-{number:032}")
}

async fn open(app: &TestApp, number: usize) -> Opened {
    let request_id_of_sign_in = request_id("sign-in", number);
    let sign_in = SignInRequest { request_id: request_id_of_sign_in, ..profile(&format!("person-{number}")) };
    let grant = allowed(app.try_sign_in(sign_in.clone()).await).grant.unwrap();
    let request_id = request_id("issue", number);
    Opened { sign_in, redemption: IssueTokenRequest { grant, request_id, ..Default::default() } }
}

async fn redeem(app: &TestApp, opened: &Opened) -> IssueTokenResponse {
    app.issue_token(opened.redemption.clone()).await.unwrap()
}

/// Checks that everything opened before, and everything opened now, continues on both replicas.
async fn everything_goes_on(replicas: [&TestApp; 2], opened: &mut Vec<Opened>, held: &mut Vec<Held>) {
    for (turn, here) in replicas.into_iter().enumerate() {
        let there = replicas[1 - turn];
        // Few rotations are in one retry window, and grants do not expire.
        here.clock.advance(Duration::from_secs(20));
        // The grants from before the last restart, and a new one. Each call is made twice, once on each replica.
        opened.push(open(here, held.len() + opened.len()).await);
        for opened in opened.drain(..) {
            let signed_in = allowed(there.try_sign_in(opened.sign_in.clone()).await);
            assert_eq!(signed_in.grant.as_ref(), Some(&opened.redemption.grant));
            let issued = redeem(there, &opened).await;
            assert_eq!(redeem(here, &opened).await.refresh_token, issued.refresh_token);
            let first = here.refresh(&issued.refresh_token).await.unwrap();
            let access = issued.access_token;
            held.push(Held { spent: issued.refresh_token, live: first.refresh_token, access });
        }
        for held in held.iter_mut() {
            for replica in replicas {
                replica.session(&held.access).await.unwrap();
                // Each replica returns again the answer that was lost before the restart.
                let again = replica.refresh(&held.spent).await.unwrap();
                assert_eq!((again.rotation(), &again.refresh_token), (Rotation::Replayed, &held.live));
            }
            let next = here.refresh(&held.live).await.unwrap();
            assert_eq!(next.rotation(), Rotation::Rotated);
            let again = there.refresh(&held.live).await.unwrap();
            assert_eq!((again.rotation(), &again.refresh_token), (Rotation::Replayed, &next.refresh_token));
            there.session(&next.access_token).await.unwrap();
            held.spent = std::mem::replace(&mut held.live, next.refresh_token);
        }
    }
    for replica in replicas {
        opened.push(open(replica, 1000 + held.len() + opened.len()).await);
    }
}

/// Checks if every live key opens with these secrets.
async fn opens_with(app: &TestApp, secrets: &[&str]) -> bool {
    let listed = list_keys(&app.config(with(secrets)), Arc::clone(&app.clock) as _).await.unwrap();
    listed.fault.is_none()
}

async fn a_secret_is_rotated_and_no_session_is_lost(backend: Backend) {
    let mut one = patient_on(backend).await.config("session: {refresh_retry_window: 50s}").start().await;
    let mut other = one.replica(|yaml| yaml).await;
    let asleep = one.tokens("sleeper").await.refresh_token;
    let (mut opened, mut held) = (Vec::new(), Vec::new());
    let kid = one.published().await;
    everything_goes_on([&one, &other], &mut opened, &mut held).await;
    // First all replicas know the second secret, then they use it, and then the old one is removed.
    for secrets in [&[A, B][..], &[B, A], &[B]] {
        one = one.restart(with(secrets)).await;
        everything_goes_on([&one, &other], &mut opened, &mut held).await;
        other = other.restart(with(secrets)).await;
        everything_goes_on([&one, &other], &mut opened, &mut held).await;
        if secrets == [B, A] {
            eventually("keys are sealed by the new secret", || opens_with(&one, &[B])).await;
        }
    }
    assert_eq!(one.published().await, kid, "the keys themselves are the same");
    // Tokens that were not used while both secrets were accepted belong to an unknown secret.
    for replica in [&one, &other] {
        assert_eq!(reason(replica.refresh(&asleep).await), "REFRESH_INVALID");
    }
}

async fn replicas_of_another_first_secret_seal_in_turn_and_both_go_on(backend: Backend) {
    let old = patient_on(backend).await.start().await.restart(with(&[A, B])).await;
    let new = old.replica(with(&[B, A])).await;
    let token = old.tokens("ada").await.access_token;
    eventually("the new one has sealed them", || opens_with(&old, &[B])).await;
    let hour = std::time::Duration::from_hours(1);
    old.clock.advance(hour);
    // Either replica may come last in this hour; both know both secrets.
    for replica in [&old, &new] {
        eventually("it reads the keys", || async { replica.take_readings_of_keys() > 0 }).await;
        assert_eq!(crate::support::keys::kid(&token), replica.signing().await);
    }
    // Once the last replica has the new order, the last seal uses the new secret.
    let old = old.restart(with(&[B, A])).await;
    eventually("keys are sealed by the new secret", || opens_with(&old, &[B])).await;
    new.restart(with(&[B])).await;
}

async fn start_fault(app: &TestApp, secrets: &[&str]) -> String {
    let starting =
        App::new(app.config(with(secrets))).clock(Arc::clone(&app.clock) as _).bind().await.unwrap();
    starting.run(CancellationToken::new()).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_secret_that_is_removed_too_early_stops_the_start_and_says_what_to_do() {
    let app = crate::support::app().await;
    let (kid, refresh_token) = (app.signing().await, app.tokens("ada").await.refresh_token);
    let fault = start_fault(&app, &[B]).await;
    let wanted = format!("signing key {kid}: no configured secret opens this signing key");
    assert!(fault.starts_with(&wanted), "{fault}");
    assert!(fault.contains("restore the secret that sealed it in `secrets`"), "{fault}");
    let app = app.restart(with(&[B, A])).await;
    eventually("keys are sealed by the new secret", || opens_with(&app, &[B])).await;
    let app = app.restart(with(&[B])).await;
    assert_eq!(app.signing().await, kid);
    assert_eq!(reason(app.refresh(&refresh_token).await), "REFRESH_INVALID");
}

/// A replica that switched to the new secret too early: the others cannot repeat its answers.
#[tokio::test]
async fn a_replica_that_lacks_a_secret_of_others_asks_to_be_tried_again() {
    let old = builder().config("session: {refresh_retry_window: 5m}").start().await;
    let new = old.replica(with(&[B, A])).await;
    let opened = open(&old, 1).await;
    let issued = redeem(&new, &opened).await;
    let again = old.issue_token(opened.redemption.clone()).await;
    let wanted = (tonic::Code::Unavailable, "KEYS_UNAVAILABLE".to_owned());
    assert_eq!(refusal(again), wanted);
    let first = old.tokens("ada").await.refresh_token;
    new.refresh(&first).await.unwrap();
    assert_eq!(refusal(old.refresh(&first).await), wanted);
    new.refresh(&issued.refresh_token).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_a_secret_is_rotated_and_no_session_is_lost() {
    a_secret_is_rotated_and_no_session_is_lost(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_replicas_of_another_first_secret_seal_in_turn_and_both_go_on() {
    replicas_of_another_first_secret_seal_in_turn_and_both_go_on(Backend::Sqlite).await;
}

crate::on_servers!(
    a_secret_is_rotated_and_no_session_is_lost,
    replicas_of_another_first_secret_seal_in_turn_and_both_go_on,
);
