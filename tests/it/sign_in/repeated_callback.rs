//! `request_id` with `oauth_callback`: the browser requests the callback route twice, and both calls get one outcome.
//! `races/callback.rs` has two processes on each database, and a first call that is killed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gatepass::auth::{Callback, SignInDecision};
use gatepass::grpc::proto::v1::{
    BeginSignInRequest, Client, DenialReason, IssueTokenRequest, OAuthCallbackCredential, Rotation,
    SignInAllowed, SignInRequest, SignInResponse, sign_in_request, sign_in_response,
};
use tokio::sync::Semaphore;
use tonic::{Code, Request, Response, Status};
use tonic_types::StatusExt as _;

use crate::support::callers::{caller, callers, key};
use crate::support::hooks::on_sign_in;
use crate::support::provider::{Endpoint, Fault, Forgery, Person, TestProvider};
use crate::support::signing_in::{app_with, begin, come_back, entry, with_providers};
use crate::support::{TestApp, allowed, refusal, with_key};
use crate::support::{denied, fields};

/// A request id as an application would derive it from `state`.
const ID: &str = "derived-from-the-state-of-the-flow";

fn aborted(reason: &str) -> (Code, String) {
    (Code::Aborted, reason.to_owned())
}

fn used() -> (Code, String) {
    (Code::Unauthenticated, "FLOW_USED".to_owned())
}

/// Lets a person log in, and returns the repeatable request of the browser.
async fn log_in(app: &TestApp, provider: &TestProvider) -> SignInRequest {
    SignInRequest { request_id: ID.to_owned(), ..app.log_in(provider, Person::named("ada")).await }
}

fn callback(request: &mut SignInRequest) -> &mut OAuthCallbackCredential {
    match &mut request.credential {
        Some(sign_in_request::Credential::OauthCallback(callback)) => callback,
        other => panic!("{other:?}"),
    }
}

/// Returns an answer without the provider's tokens.
fn without_tokens(answer: Result<Response<SignInResponse>, Status>) -> SignInAllowed {
    SignInAllowed { provider_tokens: None, ..allowed(answer) }
}

async fn start() -> (TestProvider, TestApp) {
    let provider = TestProvider::start().await;
    let app = app_with(&provider).await;
    (provider, app)
}

#[tokio::test]
async fn a_repeated_callback_gets_the_same_answer_for_a_minute() {
    let (provider, app) = start().await;
    let other = app.replica(|yaml| yaml).await;
    let request = log_in(&app, &provider).await;
    let first = allowed(app.try_sign_in(request.clone()).await);
    assert!(first.is_new_user && first.provider_tokens.is_some());
    let asked = provider.all_requests();
    app.clock.advance(Duration::from_millis(59_999));
    for replica in [&app, &other] {
        let again = allowed(replica.try_sign_in(request.clone()).await);
        assert_eq!(again, SignInAllowed { provider_tokens: None, ..first.clone() });
    }
    assert_eq!((provider.all_requests(), app.counts().await), (asked, [1, 1, 1]));
    assert_eq!(app.log().await, ["SIGN_UP SUCCESS"]);
    app.clock.advance(Duration::from_millis(1));
    assert_eq!(refusal(app.try_sign_in(request).await), used());
    assert_eq!(app.log().await, ["SIGN_UP SUCCESS", "SIGN_IN_DENIED FAILED FLOW_USED"]);
}

#[tokio::test]
async fn a_flow_that_expires_after_the_first_answer_is_answered_again() {
    let (provider, app) = start().await;
    let request = log_in(&app, &provider).await;
    app.clock.advance(Duration::from_secs(15 * 60 - 1));
    provider.clock().advance(Duration::from_secs(15 * 60 - 1));
    let first = without_tokens(app.try_sign_in(request.clone()).await);
    app.clock.advance(Duration::from_secs(59));
    assert_eq!(allowed(app.try_sign_in(request).await), first);
}

#[tokio::test]
async fn a_redeemed_grant_is_told_again_and_redeemed_again_by_its_own_id() {
    let (provider, app) = start().await;
    let request = log_in(&app, &provider).await;
    let grant = allowed(app.try_sign_in(request.clone()).await).grant.unwrap();
    let redeem = async || {
        let request = IssueTokenRequest {
            grant: grant.clone(),
            request_id: format!("{ID}-redeemed"),
            ..Default::default()
        };
        app.auth.clone().issue_token(request).await.unwrap().into_inner()
    };
    let issued = redeem().await;
    assert_eq!(allowed(app.try_sign_in(request).await).grant.as_ref(), Some(&grant));
    let again = redeem().await;
    assert_eq!((again.rotation(), again.refresh_token), (Rotation::Replayed, issued.refresh_token));
}

#[tokio::test]
async fn the_outcome_is_stored_sealed() {
    let (provider, app) = start().await;
    let request = log_in(&app, &provider).await;
    let grant = allowed(app.try_sign_in(request).await).grant.unwrap();
    let rows = app.query("SELECT outcome FROM used_marks WHERE outcome IS NOT NULL").await;
    let outcome = hex::decode(&rows[0][0]).unwrap();
    let holds = |text: &str| outcome.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(outcome.len() < 4096 && !holds(&grant) && !holds("grant") && !holds("corp"));
}

#[tokio::test]
async fn without_a_request_id_the_second_call_finds_the_flow_used() {
    let (provider, app) = start().await;
    for (first, second) in [("", ID), (ID, ""), ("", "")] {
        let mut request = log_in(&app, &provider).await;
        request.request_id = first.to_owned();
        allowed(app.try_sign_in(request.clone()).await);
        request.request_id = second.to_owned();
        assert_eq!(refusal(app.try_sign_in(request).await), used(), "{first:?} {second:?}");
    }
}

#[tokio::test]
async fn another_request_for_the_same_flow_gets_nothing() {
    let (provider, app) = start().await;
    let request = log_in(&app, &provider).await;
    let first = without_tokens(app.try_sign_in(request.clone()).await);
    let bent = |bend: &dyn Fn(&mut SignInRequest)| {
        let mut other = request.clone();
        bend(&mut other);
        other
    };
    for other in [
        bent(&|it| callback(it).code.push('x')),
        bent(&|it| callback(it).user = Some("{}".to_owned())),
        bent(&|it| it.redirect_to = "/elsewhere".to_owned()),
        bent(&|it| it.link_access_token = "a token".to_owned()),
    ] {
        assert_eq!(fields(app.try_sign_in(other).await), ["request_id"]);
    }
    let named = bent(&|it| it.request_id.push('x'));
    assert_eq!(refusal(app.try_sign_in(named).await), used());
    let of_other_state = bent(&|it| callback(it).state.push('x'));
    let mismatch = (Code::Unauthenticated, "STATE_MISMATCH".to_owned());
    assert_eq!(refusal(app.try_sign_in(of_other_state).await), mismatch);
    // The client is not compared: the same browser may come from another address.
    let client = Client { ip_address: Some("192.0.2.1".to_owned()), ..Default::default() };
    let elsewhere = bent(&|it| it.client = Some(client.clone()));
    assert_eq!(allowed(app.try_sign_in(elsewhere).await), first);
    // The same id with another flow is another sign-in.
    let another = log_in(&app, &provider).await;
    assert_ne!(without_tokens(app.try_sign_in(another).await).grant, first.grant);
}

#[tokio::test]
async fn another_caller_of_the_group_gets_nothing() {
    let provider = TestProvider::start().await;
    let entries =
        [caller("one", "group: web, allow: [sign_in]"), caller("two", "group: web, allow: [sign_in]")];
    let app = with_providers(&[entry("corp", &provider, "")]).config(&callers(&entries)).start().await;
    let begun = app.auth.clone().begin_sign_in(with_key(begin("corp"), &key("one"))).await;
    let begun = begun.unwrap().into_inner();
    let request = come_back(&begun.flow, provider.log_in(&begun.authorization_url, Person::named("ada")));
    let request = SignInRequest { request_id: ID.to_owned(), ..request };
    let sign_in = async |caller| app.auth.clone().sign_in(with_key(request.clone(), &key(caller))).await;
    let first = without_tokens(sign_in("one").await);
    assert_eq!(refusal(sign_in("two").await), used());
    assert_eq!(allowed(sign_in("one").await), first);
}

#[tokio::test]
async fn a_linking_is_told_again() {
    let (provider, app) = start().await;
    let access_token = app.tokens("ada").await.access_token;
    let request = BeginSignInRequest { link_access_token: access_token.clone(), ..begin("corp") };
    let begun = app.begin(request).await.unwrap();
    let person = Person::named("work").without_email();
    let request = SignInRequest {
        link_access_token: access_token,
        request_id: ID.to_owned(),
        ..come_back(&begun.flow, provider.log_in(&begun.authorization_url, person))
    };
    let first = without_tokens(app.try_sign_in(request.clone()).await);
    assert!(first.linked && first.grant.is_none());
    // The access token of the repeated call may have expired meanwhile.
    app.execute("UPDATE sessions SET ended_at = 1, end_reason = 'REVOKED'").await;
    let rows = app.log().await.len();
    assert_eq!(allowed(app.try_sign_in(request).await), first);
    assert_eq!(app.log().await.len(), rows);
}

#[tokio::test]
async fn denials_and_redirects_are_told_again_without_asking() {
    for (decision, is_denial) in [(None, true), (Some("/terms"), false)] {
        let provider = TestProvider::start().await;
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let hooks = on_sign_in(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            Ok(match decision {
                Some(url) => SignInDecision::Redirect(url.to_owned()),
                None => SignInDecision::Deny(gatepass::auth::Denial {
                    reason: gatepass::model::DenialReason::CallbackDenied,
                    detail: Some("not today".to_owned()),
                }),
            })
        });
        let app = with_providers(&[entry("corp", &provider, "")]).callbacks(hooks).start().await;
        let request = log_in(&app, &provider).await;
        let first = app.try_sign_in(request.clone()).await.unwrap().into_inner().outcome;
        let asked = provider.all_requests();
        for _ in 0..2 {
            assert_eq!(app.try_sign_in(request.clone()).await.unwrap().into_inner().outcome, first);
        }
        let first = first.unwrap();
        assert_eq!(matches!(first, sign_in_response::Outcome::Denied(_)), is_denial, "{first:?}");
        assert_eq!((provider.all_requests(), calls.load(Ordering::SeqCst)), (asked, 1));
        assert_eq!(app.log().await.len(), 1);
    }
}

#[tokio::test]
async fn a_refused_address_is_told_again_with_the_linked_providers() {
    let (provider, app) = start().await;
    app.sign_in("ada").await;
    let request = log_in(&app, &provider).await;
    let first = denied(app.try_sign_in(request.clone()).await);
    assert_eq!(
        (first.reason(), &first.linked_providers[..]),
        (DenialReason::AccountNotLinked, &["github".to_owned()][..])
    );
    assert_eq!(denied(app.try_sign_in(request).await), first);
}

#[tokio::test]
async fn a_failure_is_told_again_and_logged_once() {
    for (fault, forgery, wanted) in [
        (Some(Fault::Status(503)), None, aborted("PROVIDER_UNAVAILABLE")),
        (
            Some(Fault::OAuthError("invalid_client")),
            None,
            (Code::FailedPrecondition, "PROVIDER_MISCONFIGURED".to_owned()),
        ),
        (None, Some(Forgery::OtherNonce), (Code::Unauthenticated, "CREDENTIAL_INVALID".to_owned())),
    ] {
        let (provider, app) = start().await;
        let request = log_in(&app, &provider).await;
        if let Some(fault) = fault {
            provider.fails_at(Endpoint::Token, fault);
        }
        if let Some(forgery) = forgery {
            provider.forges(forgery);
        }
        let first = app.try_sign_in(request.clone()).await.unwrap_err();
        provider.recovers();
        let again = app.try_sign_in(request).await.unwrap_err();
        assert_eq!(refusal::<()>(Err(again.clone())), wanted);
        let info = |status: &Status| status.get_error_details().error_info().unwrap().metadata.clone();
        assert_eq!((info(&again), again.message()), (info(&first), first.message()));
        assert!(again.get_error_details().retry_info().is_none());
        assert_eq!((provider.requests(Endpoint::Token), app.log().await.len()), (1, 1));
    }
}

#[tokio::test]
async fn a_failed_callback_is_told_again() {
    let provider = TestProvider::start().await;
    let hooks = on_sign_in(|_| Err(Callback::SignIn.failed("down")));
    let app = with_providers(&[entry("corp", &provider, "")]).callbacks(hooks).start().await;
    let request = log_in(&app, &provider).await;
    for _ in 0..2 {
        let failed = app.try_sign_in(request.clone()).await;
        assert_eq!(refusal(failed), aborted("CALLBACK_UNAVAILABLE"));
    }
    assert_eq!(app.log().await, ["SIGN_IN_DENIED FAILED CALLBACK_UNAVAILABLE"]);
}

/// Holds the redemption of the code, and makes another call on this replica; both calls must end.
async fn while_the_first_redeems<T>(
    app: &TestApp,
    provider: &TestProvider,
    request: &SignInRequest,
    second: impl AsyncFnOnce(Arc<Semaphore>) -> T,
) -> (Result<Response<SignInResponse>, Status>, T) {
    let release = Arc::new(Semaphore::new(0));
    provider.fails_at(Endpoint::Token, Fault::Held(Arc::clone(&release)));
    let (mut auth, request) = (app.auth.clone(), request.clone());
    let first = tokio::spawn(async move { auth.sign_in(request).await });
    provider.until_requests(Endpoint::Token, 1).await;
    let second = second(Arc::clone(&release)).await;
    release.add_permits(1);
    (first.await.unwrap(), second)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_call_waits_for_the_outcome_of_the_first_on_any_replica() {
    let (provider, app) = start().await;
    let other = app.replica(|yaml| yaml).await;
    let request = log_in(&app, &provider).await;
    let (first, waiting) = while_the_first_redeems(&app, &provider, &request, async |release| {
        let wait = |app: &TestApp| {
            let (mut auth, request) = (app.auth.clone(), request.clone());
            tokio::spawn(async move { auth.sign_in(request).await })
        };
        let waiting = [wait(&app), wait(&other)];
        // They look at the database meanwhile, and do nothing else.
        for replica in [&app, &other] {
            let looks = || replica.take_statements().iter().filter(|sql| sql.contains("used_marks")).count();
            crate::support::eventually("a look", || async { looks() > 0 }).await;
        }
        assert!(waiting.iter().all(|call| !call.is_finished()));
        drop(release);
        waiting
    })
    .await;
    let first = without_tokens(first);
    for waiting in waiting {
        assert_eq!(allowed(waiting.await.unwrap()), first);
    }
    assert_eq!((provider.requests(Endpoint::Token), app.counts().await), (1, [1, 1, 1]));
    assert_eq!(app.log().await, ["SIGN_UP SUCCESS"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_call_waits_no_longer_than_its_deadline() {
    let (provider, app) = start().await;
    let request = log_in(&app, &provider).await;
    let (first, second) = while_the_first_redeems(&app, &provider, &request, async |_| {
        let mut second = Request::new(request.clone());
        second.set_timeout(Duration::from_millis(800));
        app.auth.clone().sign_in(second).await
    })
    .await;
    assert_eq!(refusal(second), aborted("CONFLICT"));
    // The first call goes on, and its outcome is the one of the request.
    let first = without_tokens(first);
    assert_eq!(allowed(app.try_sign_in(request).await), first);
    assert_eq!(app.log().await, ["SIGN_UP SUCCESS"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_whose_call_was_lost_ends_and_the_late_call_writes_nothing() {
    let (provider, app) = start().await;
    let request = log_in(&app, &provider).await;
    let (late, second) = while_the_first_redeems(&app, &provider, &request, async |_| {
        // By the clock the first call has ended without an outcome.
        app.clock.advance(Duration::from_secs(12));
        provider.clock().advance(Duration::from_secs(12));
        app.try_sign_in(request.clone()).await
    })
    .await;
    for answer in [second, late, app.try_sign_in(request).await] {
        assert_eq!(refusal(answer), aborted("CONFLICT"));
    }
    assert_eq!(app.counts().await, [0, 0, 0]);
    assert_eq!(app.log().await[0], "SIGN_IN_DENIED FAILED CONFLICT");
}

#[tokio::test]
async fn a_repeated_callback_costs_few_statements() {
    let (provider, app) = start().await;
    let request = log_in(&app, &provider).await;
    app.take_statements();
    allowed(app.try_sign_in(request.clone()).await);
    let first = app.take_statements();
    allowed(app.try_sign_in(request).await);
    let again = app.take_statements();
    assert!(first.len() <= 10 && again.len() == 2, "{first:#?} {again:#?}");
}
