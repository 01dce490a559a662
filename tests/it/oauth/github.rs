//! GitHub's API.

use super::*;
use crate::support::provider::{Endpoint, Fault};

#[tokio::test]
async fn only_the_primary_and_verified_email_counts() {
    let at = TestProvider::start().await;
    let floor = connect(github(&at), &at);
    let verified = Person::named("ada");
    let unverified = Person::named("ada").with_email("ada@example.com", false);
    let none = Person::named("ada").without_email();
    for (person, wanted) in [(verified, Some("ada@example.com")), (unverified, None), (none, None)] {
        let profile = floor.sign_in(&at, person).await.unwrap().profile;
        assert_eq!(profile.email.as_ref().map(gatepass::model::Email::as_str), wanted);
        assert_eq!(profile.email_verified, wanted.is_some());
        // The profile from GitHub is kept unchanged.
        assert_eq!(profile.raw["email"], "public-ada@example.org");
        assert!(profile.raw["id"].is_number());
    }
}

#[tokio::test]
async fn without_the_scope_for_emails_there_is_none() {
    let at = TestProvider::start().await;
    let floor = connect(github(&at), &at);
    at.fails_at(Endpoint::Emails, Fault::Status(404));
    let profile = floor.sign_in(&at, Person::named("ada")).await.unwrap().profile;
    assert!(profile.email.is_none() && !profile.email_verified);
}

#[tokio::test]
async fn another_refusal_is_not_taken_for_a_missing_email() {
    let at = TestProvider::start().await;
    let floor = connect(github(&at), &at);
    for status in [403, 429] {
        at.fails_at(Endpoint::Emails, Fault::Status(status));
        let fault = floor.sign_in(&at, Person::named("ada")).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Status);
    }
}

#[tokio::test]
async fn it_is_asked_as_it_wants_to_be() {
    let at = TestProvider::start().await;
    connect(github(&at), &at).sign_in(&at, Person::named("ada")).await.unwrap();
    for (endpoint, path) in [(Endpoint::User, "/api/v3/user"), (Endpoint::Emails, "/api/v3/user/emails")] {
        let seen = at.seen(endpoint).pop().unwrap();
        let header = |name: &str| seen.headers[name].to_str().unwrap();
        assert_eq!(seen.path, path);
        assert_eq!(header("accept"), "application/vnd.github+json");
        assert_eq!(header("x-github-api-version"), "2022-11-28");
        assert!(
            header("user-agent").starts_with("gatepass/") && header("authorization").starts_with("Bearer ")
        );
    }
    let token = at.seen(Endpoint::Token).pop().unwrap();
    assert_eq!(token.headers["accept"], "application/json");
}
