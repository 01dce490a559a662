//! The userinfo endpoint: called if required, and accepted only for the same person.

use super::*;
use crate::support::provider::Endpoint;
use serde_json::json;

fn with(at: &TestProvider, userinfo: Userinfo) -> Connected {
    let kind = ProviderKind::Oidc { issuer: at.issuer(), discovery_url: None, jwks_url: None, userinfo };
    connect(settings(kind), at)
}

#[tokio::test]
async fn it_is_asked_as_the_settings_say() {
    for (is_thin, userinfo, is_asked) in [
        (false, Userinfo::WhenNeeded, false),
        (true, Userinfo::WhenNeeded, true),
        (false, Userinfo::Always, true),
        (true, Userinfo::Never, false),
    ] {
        let at = TestProvider::start().await;
        if is_thin {
            at.keeps_profiles_to_userinfo();
        }
        let proof = with(&at, userinfo).sign_in(&at, Person::named("ada")).await.unwrap();
        assert_eq!(at.requests(Endpoint::Userinfo), usize::from(is_asked), "{is_thin} {userinfo:?}");
        assert_eq!(proof.profile.email.is_some(), !is_thin || is_asked);
    }
}

#[tokio::test]
async fn it_is_not_needed_where_no_email_was_granted() {
    let at = TestProvider::start().await;
    at.keeps_profiles_to_userinfo();
    at.edits_token_response(|answer| drop(answer.insert("scope".into(), "openid profile".into())));
    let proof = with(&at, Userinfo::WhenNeeded).sign_in(&at, Person::named("ada")).await.unwrap();
    assert_eq!((at.requests(Endpoint::Userinfo), proof.profile.email), (0, None));
}

#[tokio::test]
async fn a_userinfo_of_another_subject_is_refused() {
    let at = TestProvider::start().await;
    at.keeps_profiles_to_userinfo();
    let floor = with(&at, Userinfo::WhenNeeded);
    for sub in [json!("eve"), json!(null), json!(["ada"])] {
        at.edits_userinfo(move |claims| drop(claims.insert("sub".into(), sub.clone())));
        assert_eq!(kind(floor.sign_in(&at, Person::named("ada")).await), FaultKind::SubjectMismatch);
    }
}

#[tokio::test]
async fn claims_of_the_id_token_win() {
    let at = TestProvider::start().await;
    let floor = with(&at, Userinfo::Always);
    at.edits_userinfo(|claims| {
        claims.insert("email".into(), "other@example.com".into());
        claims.insert("email_verified".into(), true.into());
        claims.insert("name".into(), "Another Name".into());
        claims.insert("groups".into(), json!(["staff"]));
    });
    let person = Person::named("ada").with_email("ada@example.com", false);
    let profile = floor.sign_in(&at, person).await.unwrap().profile;
    assert_eq!((profile.email.unwrap().as_str(), profile.email_verified), ("ada@example.com", false));
    assert_eq!(profile.name.as_deref(), Some("ada"));
    assert_eq!((&profile.raw["groups"], &profile.raw["sub"]), (&json!(["staff"]), &json!("ada")));
}

#[tokio::test]
async fn large_numbers_of_a_profile_keep_their_digits() {
    let at = TestProvider::start().await;
    let person = || Person::named("ada").with("number", json!(12_345_678_901_234_567_891_u64));
    for settings in [oidc(&at), oauth2(&at), github(&at)] {
        let profile = connect(settings, &at).sign_in(&at, person()).await.unwrap().profile;
        assert_eq!(profile.raw["number"], json!("12345678901234567891"));
    }
}

#[tokio::test]
async fn a_profile_without_an_id_is_unusable_and_one_without_an_email_is_not() {
    let at = TestProvider::start().await;
    let floor = connect(oauth2(&at), &at);
    for (claim, value) in [("sub", json!("")), ("sub", json!(null))] {
        at.edits_userinfo(move |claims| drop(claims.insert(claim.into(), value.clone())));
        assert_eq!(kind(floor.sign_in(&at, Person::named("ada")).await), FaultKind::Profile, "{claim}");
    }
    at.edits_userinfo(|_| {});
    let profile = floor.sign_in(&at, Person::named("ada").without_email()).await.unwrap().profile;
    assert!(profile.email.is_none() && !profile.email_verified);
}

#[tokio::test]
async fn a_signed_response_counts_if_its_signature_and_subject_hold() {
    let at = TestProvider::start().await;
    at.keeps_profiles_to_userinfo();
    let floor = with(&at, Userinfo::WhenNeeded);
    let issuer = at.issuer();
    at.signs_userinfo(true, |claims| {
        claims.insert("groups".into(), json!(vec!["a group of the company"; 2000]));
    });
    let profile = floor.sign_in(&at, Person::named("ada")).await.unwrap().profile;
    assert_eq!((profile.email.unwrap().as_str(), profile.email_verified), ("ada@example.com", true));
    at.signs_userinfo(true, move |claims| {
        claims.extend([("iss".into(), issuer.clone().into()), ("aud".into(), json!([CLIENT_ID, "another"]))]);
    });
    floor.sign_in(&at, Person::named("ada")).await.unwrap();
    for (name, value, fault) in [
        ("sub", json!("eve"), FaultKind::SubjectMismatch),
        ("sub", json!(null), FaultKind::Malformed),
        ("iss", json!("https://other.example"), FaultKind::IssuerMismatch),
        ("aud", json!("another"), FaultKind::Malformed),
        ("exp", json!(1), FaultKind::Malformed),
    ] {
        let edit = move |claims: &mut ClaimMap| drop(claims.insert(name.into(), value.clone()));
        at.signs_userinfo(true, edit);
        assert_eq!(kind(floor.sign_in(&at, Person::named("ada")).await), fault, "{name}");
    }
    at.signs_userinfo(false, |_| {});
    assert_eq!(kind(floor.sign_in(&at, Person::named("ada")).await), FaultKind::IdTokenSignature);
}

#[tokio::test]
async fn json_counts_whatever_its_content_type_says() {
    for content_type in ["text/plain", "text/html; charset=utf-8", "application/octet-stream", "x"] {
        let at = TestProvider::start().await;
        at.labels_json(content_type);
        at.keeps_profiles_to_userinfo();
        for settings in [oidc(&at), oauth2(&at), github(&at)] {
            let proof = connect(settings, &at).sign_in(&at, Person::named("ada")).await.unwrap();
            assert!(proof.profile.email.is_some(), "{content_type}");
        }
    }
}

#[tokio::test]
async fn a_token_answer_needs_no_token_type() {
    let at = TestProvider::start().await;
    at.edits_token_response(|answer| drop(answer.remove("token_type")));
    for settings in [oidc(&at), oauth2(&at), github(&at)] {
        let proof = connect(settings, &at).sign_in(&at, Person::named("ada")).await.unwrap();
        assert_eq!(proof.tokens.unwrap().token_type, "Bearer");
    }
}
