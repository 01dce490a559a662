//! Metadata and keys: fetched on demand, cached, and refreshed in the background.

use super::*;
use crate::support::provider::{Endpoint, Fault, Forgery};
use tokio::sync::Semaphore;

const HOUR: Duration = Duration::from_hours(1);

fn asked(at: &TestProvider) -> [usize; 2] {
    [Endpoint::Discovery, Endpoint::Jwks].map(|endpoint| at.requests(endpoint))
}

#[tokio::test]
async fn nothing_is_asked_before_it_is_needed_and_then_once_an_hour() {
    let at = TestProvider::start().await;
    let floor = connect(oidc(&at), &at);
    assert_eq!(at.all_requests(), 0);
    for (advance, wanted) in [(Duration::ZERO, [1, 1]), (Duration::from_secs(3599), [1, 1]), (HOUR, [2, 2])] {
        at.clock().advance(advance);
        floor.sign_in(&at, Person::named("ada")).await.unwrap();
        assert_eq!(asked(&at), wanted);
    }
    at.caches_keys("public, max-age=7200");
    at.clock().advance(HOUR);
    floor.sign_in(&at, Person::named("ada")).await.unwrap();
    at.clock().advance(HOUR);
    floor.sign_in(&at, Person::named("ada")).await.unwrap();
    assert_eq!(asked(&at), [4, 3]);
}

#[tokio::test]
async fn with_every_address_configured_no_metadata_are_asked_for() {
    let at = TestProvider::start().await;
    let kind = ProviderKind::Oidc {
        issuer: at.issuer(),
        discovery_url: None,
        jwks_url: Some(url(&at, "/jwks")),
        userinfo: Userinfo::WhenNeeded,
    };
    let settings = Settings {
        authorization_url: Some(url(&at, "/authorize")),
        token_url: Some(url(&at, "/token")),
        ..settings(kind)
    };
    connect(settings, &at).sign_in(&at, Person::named("ada")).await.unwrap();
    assert_eq!(asked(&at), [0, 1]);
}

#[tokio::test]
async fn many_at_once_are_answered_by_one_request() {
    let at = Arc::new(TestProvider::start().await);
    let floor = Arc::new(connect(oidc(&at), &at));
    let permits = Arc::new(Semaphore::new(0));
    at.fails_with(Fault::Held(Arc::clone(&permits)));
    let token = at.id_token(&Person::named("ada"), NONCE);
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let (floor, token) = (Arc::clone(&floor), token.clone());
            tokio::spawn(async move { floor.verify(&token).await.map(drop) })
        })
        .collect();
    at.until_requests(Endpoint::Discovery, 1).await;
    permits.add_permits(2);
    for waiting in waiting {
        waiting.await.unwrap().unwrap();
    }
    assert_eq!(asked(&at), [1, 1]);
}

#[tokio::test]
async fn while_the_provider_is_down_what_was_told_before_serves_for_a_day() {
    let at = TestProvider::start().await;
    let floor = connect(oidc(&at), &at);
    let verify = async || floor.verify(&at.id_token(&Person::named("ada"), NONCE)).await;
    verify().await.unwrap();
    for fault in [Fault::Status(503), Fault::Html, Fault::Reset] {
        at.fails_with(fault);
        at.clock().advance(HOUR * 6);
        verify().await.unwrap();
    }
    at.clock().advance(HOUR * 7);
    assert_eq!(kind(verify().await), FaultKind::Unreachable);
    at.recovers();
    at.clock().advance(Duration::from_secs(1));
    verify().await.unwrap();
}

#[tokio::test]
async fn a_failure_is_not_repeated_for_everyone_who_asks() {
    let at = TestProvider::start().await;
    let floor = connect(oidc(&at), &at);
    at.fails_with(Fault::Status(503));
    for (advance, wanted) in [(0, 1), (999, 1), (1, 2)] {
        at.clock().advance(Duration::from_millis(advance));
        assert_eq!(floor.begin().await.unwrap_err().kind, FaultKind::Status);
        assert_eq!(at.requests(Endpoint::Discovery), wanted);
    }
}

#[tokio::test]
async fn a_rotation_under_load_refuses_no_token() {
    let at = Arc::new(TestProvider::start().await);
    let floor = Arc::new(connect(oidc(&at), &at));
    floor.verify(&at.id_token(&Person::named("ada"), NONCE)).await.unwrap();
    for round in 1..=5 {
        let old = at.id_token(&Person::named("ada"), NONCE);
        at.rotates_keys();
        let new = at.id_token(&Person::named("ada"), NONCE);
        let waiting: Vec<_> = (0..60)
            .map(|number| {
                let (floor, token) =
                    (Arc::clone(&floor), if number % 3 == 0 { old.clone() } else { new.clone() });
                tokio::spawn(async move { floor.verify(&token).await.map(drop) })
            })
            .collect();
        for waiting in waiting {
            waiting.await.unwrap().unwrap();
        }
        assert_eq!(at.requests(Endpoint::Jwks), 1 + round);
        at.clock().advance(Duration::from_secs(30));
    }
}

#[tokio::test]
async fn without_names_a_key_is_replaced_too() {
    let at = TestProvider::start().await;
    let floor = connect(oidc(&at), &at);
    at.forges(Forgery::NoKid);
    floor.sign_in(&at, Person::named("ada")).await.unwrap();
    at.rotates_keys();
    at.withdraws_old_keys();
    floor.sign_in(&at, Person::named("ada")).await.unwrap();
    at.rotates_keys();
    at.clock().advance(HOUR);
    assert_eq!(kind(floor.sign_in(&at, Person::named("ada")).await), FaultKind::IdTokenKeyUnknown);
}

#[tokio::test]
async fn unknown_keys_of_clients_make_one_request_in_half_a_minute() {
    let at = TestProvider::start().await;
    let floor = connect(oidc(&at), &at);
    let good = at.id_token(&Person::named("ada"), NONCE);
    floor.verify(&good).await.unwrap();
    at.forges(Forgery::UnknownKey);
    let forged = at.id_token(&Person::named("eve"), NONCE);
    for (advance, told, wanted) in [
        (0, FaultKind::IdTokenKeyUnknown, 2),
        (0, FaultKind::KeysThrottled, 2),
        (29, FaultKind::KeysThrottled, 2),
        (1, FaultKind::IdTokenKeyUnknown, 3),
        (29, FaultKind::KeysThrottled, 3),
        (1, FaultKind::IdTokenKeyUnknown, 4),
    ] {
        at.clock().advance(Duration::from_secs(advance));
        assert_eq!(kind(floor.verify(&forged).await), told);
        for _ in 0..3 {
            // The key may exist.
            assert_eq!(kind(floor.verify(&forged).await), FaultKind::KeysThrottled);
            floor.verify(&good).await.unwrap();
        }
        assert_eq!(at.requests(Endpoint::Jwks), wanted);
    }
    // The key may also exist while the provider is down. The known keys stay valid.
    at.fails_with(Fault::Reset);
    at.clock().advance(Duration::from_secs(30));
    assert_eq!(kind(floor.verify(&forged).await), FaultKind::Unreachable);
    floor.verify(&good).await.unwrap();
    assert_eq!(at.requests(Endpoint::Jwks), 5);
}

#[tokio::test]
async fn a_rotation_while_the_keys_cannot_be_had_is_no_bad_credential() {
    for of_client in [true, false] {
        for (fault, told) in [
            (Fault::Status(503), FaultKind::Status),
            (Fault::Html, FaultKind::Malformed),
            (Fault::Reset, FaultKind::Unreachable),
            (Fault::Hang, FaultKind::TimedOut),
        ] {
            let at = TestProvider::start().await;
            let timeout = Duration::from_millis(500);
            let floor = connect(Settings { timeout, ..oidc(&at) }, &at);
            let sign_in = async || {
                if of_client {
                    floor.verify(&at.id_token(&Person::named("ada"), NONCE)).await
                } else {
                    floor.sign_in(&at, Person::named("ada")).await
                }
            };
            sign_in().await.unwrap();
            at.rotates_keys();
            at.fails_at(Endpoint::Jwks, fault.clone());
            for _ in 0..2 {
                assert_eq!(kind(sign_in().await), told, "{fault:?}");
            }
            // The failures have used no allowance: no time has passed on any clock.
            at.recovers();
            sign_in().await.unwrap();
        }
    }
}

#[tokio::test]
async fn junk_before_a_rotation_keeps_nobody_out_who_comes_with_a_code() {
    let at = TestProvider::start().await;
    let floor = connect(oidc(&at), &at);
    floor.sign_in(&at, Person::named("ada")).await.unwrap();
    at.forges(Forgery::UnknownKey);
    let junk = at.id_token(&Person::named("eve"), NONCE);
    at.forges_no_more();
    assert_eq!(kind(floor.verify(&junk).await), FaultKind::IdTokenKeyUnknown);
    at.rotates_keys();
    // An honest client is told to try again, and a code is redeemed.
    let honest = at.id_token(&Person::named("ada"), NONCE);
    assert_eq!(kind(floor.verify(&honest).await), FaultKind::KeysThrottled);
    floor.sign_in(&at, Person::named("ada")).await.unwrap();
    floor.verify(&honest).await.unwrap();
}

#[tokio::test]
async fn codes_wait_for_their_turn_to_look_for_keys() {
    let at = TestProvider::start().await;
    let floor = connect(oidc(&at), &at);
    floor.sign_in(&at, Person::named("ada")).await.unwrap();
    let begun = Instant::now();
    for _ in 0..2 {
        at.rotates_keys();
        floor.sign_in(&at, Person::named("ada")).await.unwrap();
    }
    assert!(begun.elapsed() >= Duration::from_secs(1));
    at.forges(Forgery::UnknownKey);
    let page = floor.begin().await.unwrap();
    let code = at.log_in(&page, Person::named("eve")).code;
    let fault = floor.redeem_with(&code, NONCE, VERIFIER, None, Instant::now() + Duration::from_millis(500));
    assert_eq!(fault.await.unwrap_err().kind, FaultKind::KeysThrottled);
}

#[tokio::test]
async fn keys_that_are_not_refreshed_are_told_once() {
    let at = TestProvider::start().await;
    let (log, _guard) = crate::support::log::Log::begin();
    let floor = connect(oidc(&at), &at);
    floor.sign_in(&at, Person::named("ada")).await.unwrap();
    at.clock().advance(HOUR);
    at.fails_at(Endpoint::Jwks, Fault::Status(503));
    for _ in 0..2 {
        floor.sign_in(&at, Person::named("ada")).await.unwrap();
    }
    let lines = log.lines("document of a provider not refreshed");
    assert!(lines.len() == 1 && lines[0].contains("endpoint=\"jwks\""), "{lines:?}");
}
