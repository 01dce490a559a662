//! A browser that requests the callback route twice, at two replicas in their own processes: one session, and both
//! calls get it. If the first process is killed, the second call is answered in time.

use std::sync::Arc;
use std::time::Duration;

use gatepass::grpc::proto::v1::{SignInAllowed, SignInRequest, SignInResponse};
use gatepass::model::{Clock as _, ManualClock, SystemClock};
use tonic::{Code, Request, Response, Status};

use super::pair::{Pair, SECRET};
use crate::support::Client;
use crate::support::crowd::at_once;
use crate::support::databases::{Backend, TestDatabase};
use crate::support::program::Serving;
use crate::support::provider::{Endpoint, Fault, Person, TestProvider};
use crate::support::signing_in::{begin, come_back, entry};
use crate::support::soak::soak;
use crate::support::{allowed, refusal};

crate::on_all!(
    a_callback_requested_at_once_everywhere_is_one_session,
    a_callback_whose_first_call_was_killed_is_answered_in_time
);

/// Starts a provider whose tokens are of the present.
async fn provider() -> TestProvider {
    TestProvider::start_by(Arc::new(ManualClock::at(SystemClock.now()))).await
}

/// Lets a person log in, and returns the repeatable request of the browser.
async fn log_in(replica: &Client, provider: &TestProvider, who: &str) -> SignInRequest {
    let begun = replica.begin(begin("corp")).await.unwrap();
    let answer = provider.log_in(&begun.authorization_url, Person::named(who));
    SignInRequest { request_id: answer.state.clone(), ..come_back(&begun.flow, answer) }
}

fn without_tokens(answer: Result<Response<SignInResponse>, Status>) -> SignInAllowed {
    SignInAllowed { provider_tokens: None, ..allowed(answer) }
}

async fn a_callback_requested_at_once_everywhere_is_one_session(backend: Backend) {
    let provider = provider().await;
    let providers = format!("[{}]", entry("corp", &provider, ""));
    let pair = Pair::with(backend, &[("GATEPASS_PROVIDERS", &providers)]).await;
    let rounds = soak(8, 100);
    for number in 0..rounds {
        let request = log_in(&pair.replica(number), &provider, &format!("p{number}")).await;
        let answers = at_once(6, |call| {
            let (replica, request) = (pair.replica(call), request.clone());
            async move { replica.try_sign_in(request).await }
        })
        .await;
        let answers: Vec<_> = answers.into_iter().map(allowed).collect();
        // Only the call that redeemed the code has the provider's tokens.
        assert_eq!(answers.iter().filter(|answer| answer.provider_tokens.is_some()).count(), 1);
        assert!(answers.iter().all(|answer| answer.grant == answers[0].grant), "{answers:?}");
        pair.replica(number).issue(answers[0].grant.as_ref().unwrap()).await.unwrap();
    }
    assert_eq!(provider.requests(Endpoint::Token), rounds);
    let rounds = i64::try_from(rounds).unwrap();
    assert_eq!(pair.count("SELECT count(*) AS n FROM sessions").await, rounds);
    assert_eq!(pair.count("SELECT count(*) AS n FROM auth_logs WHERE action = 'SIGN_UP'").await, rounds);
    pair.finish().await;
}

async fn a_callback_whose_first_call_was_killed_is_answered_in_time(backend: Backend) {
    let (provider, database) = (provider().await, TestDatabase::empty(backend).await);
    let folder = tempfile::tempdir().unwrap();
    let (providers, secrets) = (format!("[{}]", entry("corp", &provider, "")), format!("['{SECRET}']"));
    let variables = [
        ("GATEPASS_DATABASE__URL", database.url.as_str()),
        ("GATEPASS_SECRETS", secrets.as_str()),
        ("GATEPASS_PROVIDERS", providers.as_str()),
        // The first call has ended after two seconds and its grace.
        ("GATEPASS_SERVER__REQUEST_TIMEOUT", "1s"),
    ];
    let start = || Serving::ready(folder.path(), &[], &variables);
    let (doomed, survivor) = tokio::join!(start(), start());
    let (first, second) = (Client::of(&doomed).await, Client::of(&survivor).await);
    let request = log_in(&first, &provider, "ada").await;
    provider.fails_at(Endpoint::Token, Fault::Hang);
    let (mut auth, of_first) = (first.auth.clone(), request.clone());
    let killed = tokio::spawn(async move { auth.sign_in(of_first).await });
    provider.until_requests(Endpoint::Token, 1).await;
    doomed.kill().await;
    killed.await.unwrap().unwrap_err();
    provider.recovers();
    // The outcome will never come: each call is told so within its own time.
    for timeout in [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(2)] {
        let mut again = Request::new(request.clone());
        again.set_timeout(timeout);
        let answer = second.auth.clone().sign_in(again).await;
        assert_eq!(refusal(answer), (Code::Aborted, "CONFLICT".to_owned()));
    }
    // The code was redeemed by no other call, and the person begins again.
    assert_eq!(provider.requests(Endpoint::Token), 1);
    let again = log_in(&second, &provider, "ada").await;
    let signed_in = without_tokens(second.try_sign_in(again.clone()).await);
    assert_eq!(without_tokens(second.try_sign_in(again).await), signed_in);
    survivor.stop().await;
}
