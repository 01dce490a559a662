//! The number of SQL statements of each call, without the ends of its transaction.

use gatepass::grpc::proto::v1::{
    GetSessionRequest, ProfileCredential, RefreshTokenRequest, get_session_request, sign_in_request,
};
use gatepass::storage::{Database, RevocationFeed as _};

use crate::storage::store::sample::user_id;
use crate::storage::store::watched;
use crate::support::databases::TestDatabase;
use crate::support::provider::{Person, TestProvider};
use crate::support::signing_in::app_with;
use crate::support::{TestApp, app, builder, profile};

fn count(app: &TestApp) -> usize {
    app.take_statements().len()
}

#[tokio::test]
async fn a_call_costs_few_statements() {
    let app = app().await;
    count(&app);
    let grant = app.sign_in("ada").await.grant.unwrap();
    let sign_up = count(&app);
    let issued = app.issue(&grant).await.unwrap();
    let issue = count(&app);
    let credential = Some(get_session_request::Credential::AccessToken(issued.access_token));
    let request = GetSessionRequest { credential, ..Default::default() };
    app.auth.clone().get_session(request.clone()).await.unwrap();
    app.auth.clone().get_session(request).await.unwrap();
    let session = count(&app);
    let request = RefreshTokenRequest { refresh_token: issued.refresh_token, ..Default::default() };
    app.auth.clone().refresh_token(request.clone()).await.unwrap();
    let refresh = count(&app);
    app.auth.clone().refresh_token(request).await.unwrap();
    let replay = count(&app);
    app.sign_in("ada").await;
    let returning = count(&app);
    assert_eq!(session, 0);
    assert!(sign_up <= 6 && returning <= 6, "SignIn: {sign_up}, {returning}");
    assert!((1..=3).contains(&issue), "IssueToken: {issue}");
    assert!((1..=3).contains(&refresh) && (1..=3).contains(&replay), "RefreshToken: {refresh}, {replay}");
}

/// SQLite would plan the statement anew each time, since the plan depends on the bound number of a LIMIT.
#[tokio::test]
async fn what_is_unique_is_found_without_a_limit() {
    let app = app().await;
    for _ in 0..2 {
        let grant = app.sign_in("ada").await.grant.unwrap();
        let issued = app.issue(&grant).await.unwrap();
        let request = RefreshTokenRequest { refresh_token: issued.refresh_token, ..Default::default() };
        app.auth.clone().refresh_token(request).await.unwrap();
    }
    let statements = app.take_statements();
    assert!(statements.len() > 10);
    assert_eq!(statements.iter().find(|sql| sql.contains(" LIMIT ")), None);
}

#[tokio::test]
async fn a_sign_in_at_a_provider_costs_two_more_for_what_it_uses_up() {
    let provider = TestProvider::start().await;
    let app = app_with(&provider).await;
    for _ in 0..2 {
        let request = app.log_in(&provider, Person::named("ada")).await;
        count(&app);
        app.try_sign_in(request).await.unwrap();
        let statements = count(&app);
        assert!(statements <= 8, "SignIn: {statements}");
    }
}

#[tokio::test]
async fn a_refresh_that_is_logged_costs_three_at_most() {
    let app = builder().config("auth_log: {exclude: []}").start().await;
    let issued = app.tokens("ada").await;
    count(&app);
    let request = RefreshTokenRequest { refresh_token: issued.refresh_token, ..Default::default() };
    app.auth.clone().refresh_token(request).await.unwrap();
    assert_eq!(count(&app), 3);
}

#[tokio::test]
async fn a_sign_in_that_changes_the_profile_costs_six_at_most() {
    let app = app().await;
    let named = |name: &str, email: Option<&str>| {
        let mut request = profile("ada");
        if let Some(sign_in_request::Credential::Profile(profile)) = &mut request.credential {
            *profile = ProfileCredential {
                name: Some(name.to_owned()),
                email: email.map(str::to_owned),
                email_verified: email.is_some(),
                ..profile.clone()
            };
        }
        request
    };
    app.auth.clone().sign_in(named("Ada", None)).await.unwrap();
    count(&app);
    for changed in [named("Countess", None), named("Ada King", Some("ada@example.com"))] {
        app.auth.clone().sign_in(changed).await.unwrap();
        let statements = app.take_statements();
        assert!(statements.len() <= 6, "{statements:#?}");
    }
}

#[tokio::test]
async fn a_forged_refresh_token_costs_none() {
    let app = app().await;
    let token = app.tokens("ada").await.refresh_token;
    count(&app);
    let forged = format!("{}{}", &token[..token.len() - 1], if token.ends_with('A') { 'B' } else { 'A' });
    let request = RefreshTokenRequest { refresh_token: forged, ..Default::default() };
    app.auth.clone().refresh_token(request).await.unwrap_err();
    assert_eq!(count(&app), 0);
}

#[tokio::test]
async fn users_are_found_by_statements_of_few_lengths() {
    let kept = TestDatabase::of_file();
    let (options, seen) = watched(kept.url.clone());
    let database = Database::connect(&options).await.unwrap();
    database.migrate().await.unwrap();
    let ids: Vec<_> = (0..20).map(|_| user_id()).collect();
    seen.lock().unwrap().clear();
    for count in 1..=ids.len() {
        database.find_users(&ids[..count]).await.unwrap();
    }
    assert_eq!(seen.lock().unwrap().len(), 6, "for 1, 2, 4, 8, 16 and 32");
}
