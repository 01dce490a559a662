//! Requirements for an ID token, tested with a real provider. Unit tests beside the code cover each rule.

use super::*;
use crate::support::provider::{Endpoint, Forgery};
use gatepass::model::{Clock as _, ProviderFaultMeaning};

#[tokio::test]
async fn a_forged_token_proves_nothing() {
    let at = TestProvider::start().await;
    let floor = connect(oidc(&at), &at);
    for (forgery, wanted) in [
        (Forgery::Unsigned, "ID_TOKEN_MALFORMED"),
        (Forgery::Symmetric, "ID_TOKEN_MALFORMED"),
        (Forgery::OtherSignature, "ID_TOKEN_SIGNATURE_INVALID"),
        (Forgery::UnknownKey, "ID_TOKEN_KEY_UNKNOWN"),
        (Forgery::OtherIssuer, "ID_TOKEN_ISSUER_MISMATCH"),
        (Forgery::OtherAudience, "ID_TOKEN_AUDIENCE_MISMATCH"),
        (Forgery::OtherNonce, "ID_TOKEN_NONCE_MISMATCH"),
        (Forgery::NoNonce, "ID_TOKEN_NONCE_MISMATCH"),
        (Forgery::Expired, "ID_TOKEN_EXPIRED"),
        (Forgery::OfTheFuture, "ID_TOKEN_NOT_CURRENT"),
        (Forgery::OtherAccessToken, "ID_TOKEN_ACCESS_TOKEN_MISMATCH"),
        (Forgery::Missing, "ID_TOKEN_MISSING"),
    ] {
        at.forges(forgery);
        let told = kind(floor.sign_in(&at, Person::named("ada")).await);
        assert_eq!(told.name(), wanted, "{forgery:?}");
        assert_eq!(told.meaning(), ProviderFaultMeaning::NoProof, "{forgery:?}");
        // The same holds for a token that a client obtained itself, where there is no access token.
        if !matches!(forgery, Forgery::Missing | Forgery::OtherAccessToken) {
            let token = at.id_token(&Person::named("ada"), NONCE);
            assert_eq!(kind(floor.verify(&token).await).name(), wanted, "{forgery:?}");
        }
    }
    at.forges(Forgery::NoKid);
    floor.sign_in(&at, Person::named("ada")).await.unwrap();
    at.forges_no_more();
    floor.sign_in(&at, Person::named("ada")).await.unwrap();
}

#[tokio::test]
async fn a_token_that_a_client_got_by_itself_proves_who_it_is() {
    let at = TestProvider::start().await;
    let floor = connect(oidc(&at), &at);
    let token = at.id_token(&Person::named("ada"), NONCE);
    let proof = floor.verify(&token).await.unwrap();
    assert_eq!(proof.profile.verified_email().unwrap().as_str(), "ada@example.com");
    assert!(proof.tokens.is_none());
    let mark = proof.id_token.unwrap();
    assert_eq!(mark.expires_at, at.clock().now().plus(Duration::from_secs(310)));
    assert_eq!(at.requests(Endpoint::Token) + at.requests(Endpoint::Userinfo), 0);
    let other = connect(Settings { id: "other".parse().unwrap(), ..oidc(&at) }, &at);
    assert_ne!(other.verify(&token).await.unwrap().id_token.unwrap().digest, mark.digest);
    let none = connect(oauth2(&at), &at);
    assert_eq!(kind(none.verify(&token).await), FaultKind::IdTokenMissing);
    assert!(!none.provider.has_id_tokens() && floor.provider.has_id_tokens());
}

#[tokio::test]
async fn every_algorithm_of_a_provider_is_taken() {
    use jsonwebtoken::Algorithm::{ES384, EdDSA, PS256, PS512, RS256, RS384};
    let at = TestProvider::start().await;
    let floor = connect(oidc(&at), &at);
    for algorithm in [RS256, RS384, PS256, PS512, ES384, EdDSA] {
        at.adds_key(algorithm);
        at.clock().advance(Duration::from_secs(30));
        floor
            .sign_in(&at, Person::named("ada"))
            .await
            .unwrap_or_else(|fault| panic!("{algorithm:?}: {fault}"));
    }
}

#[tokio::test]
async fn what_a_token_says_of_keys_elsewhere_is_not_asked_for() {
    let (at, elsewhere) = (TestProvider::start().await, TestProvider::start().await);
    let floor = connect(oidc(&at), &at);
    let (jwks, other) = (elsewhere.url("/jwks"), elsewhere.issuer());
    at.edits_id_tokens(move |header, claims| {
        header.insert("jku".into(), jwks.clone().into());
        header.insert("x5u".into(), jwks.clone().into());
        claims.insert("iss".into(), other.clone().into());
    });
    assert_eq!(kind(floor.sign_in(&at, Person::named("ada")).await), FaultKind::IdTokenIssuer);
    assert_eq!(elsewhere.all_requests(), 0);
}

#[tokio::test]
async fn an_issuer_of_many_tenants_counts_with_the_tenant_of_the_token() {
    let at = TestProvider::start().await;
    let origin = at.issuer();
    let template = format!("{origin}/{{tenantid}}/v2.0");
    at.edits_metadata(move |metadata| drop(metadata.insert("issuer".into(), template.clone().into())));
    at.sends_no_iss();
    let kind_of = ProviderKind::Oidc {
        issuer: format!("{origin}/common/v2.0"),
        discovery_url: None,
        jwks_url: None,
        userinfo: Userinfo::Never,
    };
    let floor = connect(settings(kind_of), &at);
    let (tenant, other) = ("9188040d-6c67-4c5b-b112-36a304b66dad", "72f988bf-86f1-41af-91ab-2d7cd011db47");
    let of = |tid: &'static str| {
        let origin = origin.clone();
        at.edits_id_tokens(move |_, claims| {
            claims.insert("iss".into(), format!("{origin}/{tenant}/v2.0").into());
            claims.insert("tid".into(), tid.into());
        });
    };
    of(tenant);
    let proof = floor.sign_in(&at, Person::named("ada")).await.unwrap();
    assert_eq!(proof.profile.identity.issuer, format!("{origin}/{tenant}/v2.0"));
    of(other);
    assert_eq!(kind(floor.sign_in(&at, Person::named("ada")).await), FaultKind::IdTokenIssuer);
}
