//! Many concurrent first sign-ins of one person: one user, one account, and an answer for each call.

use gatepass::grpc::proto::v1::{
    DenialReason, ProfileCredential, SignInAllowed, SignInDenied, SignInRequest, sign_in_response,
};

use super::pair::Pair;
use crate::support::crowd::at_once;
use crate::support::databases::Backend;
use crate::support::soak::soak;
use crate::support::{credential, profile};

const AT_ONCE: usize = 40;

crate::on_all!(
    first_sign_ins_of_one_account_make_one_user,
    first_sign_ins_of_two_providers_with_one_email_make_one_user,
    first_sign_ins_of_one_account_with_many_emails_make_one_user,
    a_named_first_sign_in_is_answered_alike_everywhere,
);

async fn first_sign_ins_of_one_account_make_one_user(backend: Backend) {
    let pair = Pair::on(backend).await;
    for number in 0..soak(3, 50) {
        let (allowed, denied) = sign_in_at_once(&pair, |_| profile(&format!("p{number}"))).await;
        assert!(denied.is_empty(), "{denied:?}");
        assert_one_user(&allowed);
        assert_eq!(counts(&pair).await, [number + 1; 2]);
    }
    pair.finish().await;
}

async fn first_sign_ins_of_two_providers_with_one_email_make_one_user(backend: Backend) {
    let pair = Pair::on(backend).await;
    for number in 0..soak(3, 50) {
        let providers = ["github", "google"];
        // The people of both providers use both replicas.
        let request = |call: usize| person(providers[call / 2 % 2], &format!("p{number}"), number);
        let (allowed, denied) = sign_in_at_once(&pair, request).await;
        assert_one_user(&allowed);
        let winner = &allowed[0].account.as_ref().unwrap().provider;
        assert_eq!([allowed.len(), denied.len()], [AT_ONCE / 2; 2]);
        for denied in denied {
            assert_eq!(denied.reason(), DenialReason::AccountNotLinked);
            assert_eq!(&denied.linked_providers, std::slice::from_ref(winner));
        }
        assert_eq!(counts(&pair).await, [number + 1; 2]);
    }
    pair.finish().await;
}

async fn first_sign_ins_of_one_account_with_many_emails_make_one_user(backend: Backend) {
    let pair = Pair::on(backend).await;
    for number in 0..soak(3, 50) {
        let request = |call: usize| person("github", &format!("p{number}"), 5 * number + call / 2 % 5);
        let (allowed, denied) = sign_in_at_once(&pair, request).await;
        assert!(denied.is_empty(), "{denied:?}");
        assert_one_user(&allowed);
        assert_eq!(counts(&pair).await, [number + 1; 2]);
    }
    pair.finish().await;
}

async fn a_named_first_sign_in_is_answered_alike_everywhere(backend: Backend) {
    let pair = Pair::on(backend).await;
    for number in 0..soak(3, 50) {
        let request = |_| {
            let request_id = format!("{number:032x}");
            SignInRequest { request_id, ..profile(&format!("p{number}")) }
        };
        let (allowed, denied) = sign_in_at_once(&pair, request).await;
        assert!(denied.is_empty(), "{denied:?}");
        assert!(allowed.iter().all(|answer| *answer == allowed[0]), "two answers to one request");
        assert_eq!(counts(&pair).await, [number + 1; 2]);
    }
    assert_eq!(
        pair.count("SELECT count(*) FROM users").await,
        pair.count("SELECT count(*) FROM sessions").await
    );
    pair.finish().await;
}

fn person(provider: &str, account: &str, email: usize) -> SignInRequest {
    credential(ProfileCredential {
        provider: provider.to_owned(),
        provider_account_id: account.to_owned(),
        email: Some(format!("e{email}@example.com")),
        email_verified: true,
        ..Default::default()
    })
}

async fn sign_in_at_once(
    pair: &Pair,
    request: impl Fn(usize) -> SignInRequest,
) -> (Vec<SignInAllowed>, Vec<SignInDenied>) {
    let sign_in = |call| {
        let (replica, request) = (pair.replica(call), request(call));
        async move { replica.sign_in(request).await.unwrap().into_inner().outcome.unwrap() }
    };
    let (mut allowed, mut denied) = (Vec::new(), Vec::new());
    for outcome in at_once(AT_ONCE, sign_in).await {
        match outcome {
            sign_in_response::Outcome::Allowed(answer) => allowed.push(answer),
            sign_in_response::Outcome::Denied(answer) => denied.push(answer),
            sign_in_response::Outcome::Redirect(answer) => panic!("{answer:?}"),
        }
    }
    (allowed, denied)
}

fn assert_one_user(allowed: &[SignInAllowed]) {
    let ids = |answer: &SignInAllowed| {
        (answer.user.as_ref().unwrap().id.clone(), answer.account.as_ref().unwrap().id.clone())
    };
    assert!(allowed.iter().all(|answer| ids(answer) == ids(&allowed[0])), "two users or accounts");
    assert_eq!(allowed.iter().filter(|answer| answer.is_new_user).count(), 1);
}

/// Counts the users and accounts.
async fn counts(pair: &Pair) -> [usize; 2] {
    let count =
        async |table| usize::try_from(pair.count(&format!("SELECT count(*) FROM {table}")).await).unwrap();
    [count("users").await, count("accounts").await]
}
