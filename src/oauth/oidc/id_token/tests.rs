use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;
use serde_json::json;

use super::*;
use crate::jose::Algorithm;

const NOW: i64 = 1_000_000;
const LEEWAY: i64 = 10;
const DAY: i64 = 24 * 3600;
const ISSUER: &str = "https://idp.example";
const ACCESS_TOKEN: &str = "an access token";

/// Signing keys, by the algorithm's name; `other` is not published.
static KEYS: LazyLock<Vec<(&str, EncodingKey)>> = LazyLock::new(|| {
    let pem = |name: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/keys");
        std::fs::read(format!("{folder}/{name}.pem")).unwrap()
    };
    vec![
        ("ES256", EncodingKey::from_ec_pem(&pem("es256")).unwrap()),
        ("ES384", EncodingKey::from_ec_pem(&pem("es384")).unwrap()),
        ("EdDSA", EncodingKey::from_ed_pem(&pem("eddsa")).unwrap()),
        ("RS256", EncodingKey::from_rsa_pem(&pem("rsa")).unwrap()),
        ("other", EncodingKey::from_ec_pem(&pem("es256_other")).unwrap()),
    ]
});

fn key(name: &str) -> &'static EncodingKey {
    &KEYS.iter().find(|(key, _)| *key == name).unwrap().1
}

/// Makes the keys of these algorithms, named after them.
fn jwks(names: &[&str]) -> ProviderKeys {
    let keys: Vec<Value> = names
        .iter()
        .map(|name| {
            let algorithm = in_library(Algorithm::from_name(name).unwrap());
            let jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(key(name), algorithm).unwrap();
            let mut jwk = serde_json::to_value(jwk).unwrap();
            jwk.as_object_mut().unwrap().remove("alg");
            jwk["kid"] = (*name).into();
            jwk
        })
        .collect();
    ProviderKeys::read(json!({"keys": keys}).as_object().unwrap(), tokio::time::Instant::now()).unwrap()
}

fn in_library(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    algorithm.name().parse().unwrap()
}

fn encoded(json: &str) -> String {
    URL_SAFE_NO_PAD.encode(json)
}

/// Signs a token of this text with this key and algorithm.
fn signed(header: &str, payload: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", encoded(header), encoded(payload));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, in_library(algorithm)).unwrap();
    format!("{message}.{signature}")
}

fn good_claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "ada", "aud": "client", "exp": NOW + 300, "iat": NOW, "nonce": "the nonce",
        "email": "ada@example.com",
    })
}

fn with_claims(change: &Value) -> String {
    let mut claims = good_claims();
    for (name, value) in change.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    signed(r#"{"alg":"ES256","kid":"ES256"}"#, &claims.to_string(), key("ES256"), Algorithm::Es256)
}

fn with_header(header: &str) -> String {
    signed(header, &good_claims().to_string(), key("ES256"), Algorithm::Es256)
}

fn expected<'a>(provider: &'a ProviderId, issuer: &'a Issuer) -> Expected<'a> {
    Expected {
        provider,
        issuer,
        client_id: "client",
        audiences: &[],
        nonce: Some("the nonce"),
        max_age: None,
        access_token: Some(ACCESS_TOKEN),
        now: Timestamp::from_seconds(NOW),
        leeway: Duration::from_secs(LEEWAY.unsigned_abs()),
    }
}

fn verify_with(token: &str, keys: &ProviderKeys, issuer: &Issuer, nonce: &str) -> Result<IdToken, FaultKind> {
    verify_as(token, keys, &Expected { nonce: Some(nonce), ..expected(&"idp".parse().unwrap(), issuer) })
}

fn verify_as(token: &str, keys: &ProviderKeys, expected: &Expected<'_>) -> Result<IdToken, FaultKind> {
    let token = read(token, true).map_err(|fault| fault.kind)?;
    check_signature(&token, keys).map_err(|fault| unsigned(fault).kind)?;
    check_claims(token, expected).map_err(|fault| fault.kind)
}

fn verify(token: &str) -> Result<IdToken, FaultKind> {
    let issuer = Issuer::Exact(ISSUER.to_owned());
    verify_with(token, &jwks(&["ES256", "ES384", "EdDSA", "RS256"]), &issuer, "the nonce")
}

fn kind(token: &str) -> Option<FaultKind> {
    verify(token).err()
}

#[test]
fn a_valid_token_yields_its_identity() {
    let token = verify(&with_claims(&json!({}))).unwrap();
    assert_eq!((token.issuer.as_str(), token.subject.as_str()), (ISSUER, "ada"));
    assert_eq!(Value::Object(token.claims), good_claims());
    assert_eq!(token.mark.expires_at, Timestamp::from_seconds(NOW + 300 + LEEWAY));
}

#[test]
fn a_token_without_a_nonce_is_good_for_ten_minutes_if_none_is_expected() {
    let verify = |claims: &Value| {
        let issuer = Issuer::Exact(ISSUER.to_owned());
        let idp = "idp".parse().unwrap();
        let expected = Expected { nonce: None, access_token: None, ..expected(&idp, &issuer) };
        let mut all = good_claims();
        all.as_object_mut().unwrap().remove("nonce");
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        let token =
            signed(r#"{"alg":"ES256","kid":"ES256"}"#, &all.to_string(), key("ES256"), Algorithm::Es256);
        verify_as(&token, &jwks(&["ES256"]), &expected).map(drop)
    };
    let oldest = NOW - 600 - LEEWAY;
    for (claims, outcome) in [
        (json!({}), Ok(())),
        (json!({"nonce": null}), Ok(())),
        (json!({"iat": oldest + 1}), Ok(())),
        (json!({"iat": oldest}), Err(FaultKind::IdTokenIssuedAt)),
        (json!({"nonce": "the nonce"}), Err(FaultKind::IdTokenNonce)),
        (json!({"nonce": ""}), Err(FaultKind::IdTokenNonce)),
        (json!({"nonce": 7}), Err(FaultKind::IdTokenNonce)),
    ] {
        assert_eq!(verify(&claims), outcome, "{claims}");
    }
}

#[test]
fn ed25519_by_its_own_name_is_eddsa_with_such_a_key() {
    let mut claims = good_claims();
    claims["at_hash"] = Algorithm::EdDsa.left_half_of_hash(ACCESS_TOKEN).into();
    let token = |kid: &str, name: &str, algorithm| {
        let header = json!({"alg": "Ed25519", "kid": kid}).to_string();
        kind(&signed(&header, &claims.to_string(), key(name), algorithm))
    };
    assert_eq!(token("EdDSA", "EdDSA", Algorithm::EdDsa), None);
    assert_eq!(token("ES256", "ES256", Algorithm::Es256), Some(FaultKind::IdTokenKeyUnknown));
}

#[test]
fn every_algorithm_is_checked_with_its_own_kind_of_key() {
    for name in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"] {
        let algorithm = Algorithm::from_name(name).unwrap();
        let kid = if name.starts_with(['R', 'P']) { "RS256" } else { name };
        let at_hash = algorithm.left_half_of_hash(ACCESS_TOKEN);
        let mut claims = good_claims();
        claims["at_hash"] = at_hash.into();
        let token = |kid: &str| {
            let header = json!({"alg": name, "kid": kid}).to_string();
            signed(
                &header,
                &claims.to_string(),
                key(if name.starts_with(['R', 'P']) { "RS256" } else { name }),
                algorithm,
            )
        };
        assert_eq!(kind(&token(kid)), None, "{name}");
        let other = if kid == "RS256" { "ES256" } else { "RS256" };
        assert_eq!(kind(&token(other)), Some(FaultKind::IdTokenKeyUnknown), "{name} with {other}");
    }
}

#[test]
fn malformed_tokens_are_rejected_before_any_request() {
    let good = with_claims(&json!({}));
    let parts: Vec<&str> = good.split('.').collect();
    let message = format!("{}.{}", encoded(r#"{"alg":"HS256","kid":"ES256"}"#), parts[1]);
    let secret = EncodingKey::from_secret(b"client secret");
    let signature =
        jsonwebtoken::crypto::sign(message.as_bytes(), &secret, jsonwebtoken::Algorithm::HS256).unwrap();
    let hs256 = format!("{message}.{signature}");
    for (name, token) in [
        ("empty", String::new()),
        ("two parts", format!("{}.{}", parts[0], parts[1])),
        ("five parts", format!("{good}.{}.{}", parts[1], parts[2])),
        ("a header that is no base64url", format!("+.{}.{}", parts[1], parts[2])),
        ("a padded part", format!("{}.{}=.{}", parts[0], parts[1], parts[2])),
        ("a signature that is no base64url", format!("{}.{}.!", parts[0], parts[1])),
        ("white space", format!(" {good}")),
        ("a header that is no object", format!("{}.{}.{}", encoded("[]"), parts[1], parts[2])),
        ("a payload that is no object", format!("{}.{}.{}", parts[0], encoded("7"), parts[2])),
        ("a claim twice", format!("{}.{}.{}", parts[0], encoded(r#"{"sub":"a","sub":"b"}"#), parts[2])),
        ("alg none, unsigned", format!("{}.{}.", encoded(r#"{"alg":"none"}"#), parts[1])),
        ("alg None", with_header(r#"{"alg":"None","kid":"ES256"}"#)),
        ("no alg", with_header(r#"{"kid":"ES256"}"#)),
        ("alg twice", with_header(r#"{"alg":"none","alg":"ES256","kid":"ES256"}"#)),
        ("alg of another case", with_header(r#"{"alg":"es256","kid":"ES256"}"#)),
        ("alg in an array", with_header(r#"{"alg":["ES256"],"kid":"ES256"}"#)),
        ("ES512", with_header(r#"{"alg":"ES512","kid":"ES256"}"#)),
        ("HS256", hs256),
        ("crit", with_header(r#"{"alg":"ES256","kid":"ES256","crit":["exp"]}"#)),
        ("an access token", with_header(r#"{"alg":"ES256","kid":"ES256","typ":"at+jwt"}"#)),
        ("a logout token", with_header(r#"{"alg":"ES256","kid":"ES256","typ":"Logout+JWT"}"#)),
        ("a typ that is no text", with_header(r#"{"alg":"ES256","kid":"ES256","typ":7}"#)),
        ("a kid that is no text", with_header(r#"{"alg":"ES256","kid":7}"#)),
        ("too large", with_claims(&json!({"x": "x".repeat(13_000)}))),
    ] {
        assert_eq!(kind(&token), Some(FaultKind::IdTokenMalformed), "{name}");
    }
    assert_eq!(kind(&with_claims(&json!({"x": "x".repeat(11_000)}))), None);
    assert_eq!(kind(&with_header(r#"{"alg":"ES256","kid":"ES256","typ":"JWT"}"#)), None);
}

#[test]
fn a_signature_must_hold() {
    let good = with_claims(&json!({}));
    let (message, signature) = good.rsplit_once('.').unwrap();
    let forged = |header: &str| signed(header, &good_claims().to_string(), key("other"), Algorithm::Es256);
    let own_key = serde_json::to_value(
        jsonwebtoken::jwk::Jwk::from_encoding_key(key("other"), in_library(Algorithm::Es256)).unwrap(),
    )
    .unwrap();
    let brings_its_key =
        json!({"alg": "ES256", "kid": "ES256", "jwk": own_key, "jku": "https://evil.example"});
    let changed = format!("{}.{}", good.split('.').next().unwrap(), encoded(r#"{"sub":"eve"}"#));
    for (name, token) in [
        ("none at all", format!("{message}.")),
        ("of another key", forged(r#"{"alg":"ES256","kid":"ES256"}"#)),
        ("of a key that it brings along", forged(&brings_its_key.to_string())),
        ("of other claims", format!("{changed}.{signature}")),
        ("cut", format!("{message}.{}", &signature[..40])),
    ] {
        assert_eq!(kind(&token), Some(FaultKind::IdTokenSignature), "{name}");
    }
    assert_eq!(kind(&with_header(r#"{"alg":"ES256","kid":"new"}"#)), Some(FaultKind::IdTokenKeyUnknown));
}

#[test]
fn without_a_kid_the_only_matching_key_is_used() {
    let token = with_header(r#"{"alg":"ES256"}"#);
    assert_eq!(kind(&token), None);
    let issuer = Issuer::Exact(ISSUER.to_owned());
    for (keys, wanted) in [
        (&["ES256", "ES256"][..], Some(FaultKind::IdTokenKeyUnknown)),
        (&["RS256"], Some(FaultKind::IdTokenKeyUnknown)),
        (&["ES256", "RS256"], None),
    ] {
        assert_eq!(verify_with(&token, &jwks(keys), &issuer, "the nonce").err(), wanted, "{keys:?}");
    }
    // The only key may be an old one.
    let forged = signed(r#"{"alg":"ES256"}"#, "{}", key("other"), Algorithm::Es256);
    let fault = check_signature(&read(&forged, true).unwrap(), &jwks(&["ES256"]));
    assert_eq!(fault, Err(SignatureFault::PerhapsOld));
}

#[test]
fn each_claim_is_checked() {
    use FaultKind::{
        IdTokenAccessToken, IdTokenAudience, IdTokenExpired, IdTokenIssuedAt, IdTokenIssuer,
        IdTokenMalformed, IdTokenNonce,
    };
    let at_hash = Algorithm::Es256.left_half_of_hash(ACCESS_TOKEN);
    let rows = [
        (json!({"iss": null}), Some(IdTokenIssuer)),
        (json!({"iss": "https://idp.example/"}), Some(IdTokenIssuer)),
        (json!({"iss": "https://other.example"}), Some(IdTokenIssuer)),
        (json!({"iss": [ISSUER]}), Some(IdTokenIssuer)),
        (json!({"aud": null}), Some(IdTokenAudience)),
        (json!({"aud": "other"}), Some(IdTokenAudience)),
        (json!({"aud": "client "}), Some(IdTokenAudience)),
        (json!({"aud": []}), Some(IdTokenAudience)),
        (json!({"aud": ["other"]}), Some(IdTokenAudience)),
        (json!({"aud": {"client": true}}), Some(IdTokenAudience)),
        (json!({"aud": ["client"]}), None),
        (json!({"aud": ["client", "client"]}), None),
        (json!({"aud": [["client"]]}), Some(IdTokenAudience)),
        (json!({"aud": ["client", "other"]}), Some(IdTokenAudience)),
        (json!({"aud": ["client", 7]}), Some(IdTokenAudience)),
        (json!({"aud": ["client", "other"], "azp": "client"}), Some(IdTokenAudience)),
        (json!({"aud": ["client", "other"], "azp": "other"}), Some(IdTokenAudience)),
        (json!({"aud": ["other"], "azp": "client"}), Some(IdTokenAudience)),
        (json!({"azp": "client"}), None),
        (json!({"azp": "other"}), Some(IdTokenAudience)),
        (json!({"azp": ["client"]}), Some(IdTokenAudience)),
        (json!({"exp": null}), Some(IdTokenMalformed)),
        (json!({"exp": (NOW + 300).to_string()}), Some(IdTokenMalformed)),
        (json!({"exp": -1}), Some(IdTokenMalformed)),
        (json!({"exp": NOW - LEEWAY}), Some(IdTokenExpired)),
        (json!({"exp": NOW - LEEWAY + 1, "iat": NOW - 60}), None),
        (json!({"exp": 1_000_300.75}), None),
        (json!({"exp": NOW + 400 * DAY}), None),
        (json!({"iat": null}), Some(IdTokenMalformed)),
        (json!({"iat": "now"}), Some(IdTokenMalformed)),
        (json!({"iat": NOW + LEEWAY}), None),
        (json!({"iat": NOW + LEEWAY + 1}), Some(IdTokenIssuedAt)),
        (json!({"iat": NOW - DAY - LEEWAY + 1}), None),
        (json!({"iat": NOW - DAY - LEEWAY}), Some(IdTokenIssuedAt)),
        (json!({"nbf": NOW + LEEWAY}), None),
        (json!({"nbf": NOW + LEEWAY + 1}), Some(IdTokenIssuedAt)),
        (json!({"nbf": "now"}), Some(IdTokenMalformed)),
        (json!({"nonce": null}), Some(IdTokenNonce)),
        (json!({"nonce": ""}), Some(IdTokenNonce)),
        (json!({"nonce": "the nonce "}), Some(IdTokenNonce)),
        (json!({"nonce": ["the nonce"]}), Some(IdTokenNonce)),
        (json!({"at_hash": at_hash}), None),
        (json!({"at_hash": at_hash[1..]}), Some(IdTokenAccessToken)),
        (json!({"at_hash": ""}), Some(IdTokenAccessToken)),
        (json!({"at_hash": 7}), Some(IdTokenAccessToken)),
        (json!({"sub": null}), Some(IdTokenMalformed)),
        (json!({"sub": ""}), Some(IdTokenMalformed)),
        (json!({"sub": 7}), Some(IdTokenMalformed)),
        (json!({"sub": "ä"}), Some(IdTokenMalformed)),
        (json!({"sub": "x".repeat(255)}), None),
        (json!({"sub": "x".repeat(256)}), Some(IdTokenMalformed)),
        (json!({"big": 12_345_678_901_234_567_890_u64}), None),
    ];
    for (change, wanted) in rows {
        assert_eq!(kind(&with_claims(&change)), wanted, "{change}");
    }
}

#[test]
fn each_audience_is_a_client_of_ours() {
    let ours = ["ios".to_owned(), "android".to_owned()];
    let (provider, issuer) = ("idp".parse().unwrap(), Issuer::Exact(ISSUER.to_owned()));
    for (change, is_good) in [
        (json!({}), true),
        (json!({"azp": "android"}), true),
        (json!({"azp": "ios", "aud": "ios"}), true),
        (json!({"aud": "ios"}), true),
        (json!({"aud": ["ios"]}), true),
        (json!({"aud": ["android", "client"], "azp": "client"}), true),
        (json!({"aud": ["ios", "other"]}), false),
        (json!({"aud": ["ios", "other"], "azp": "ios"}), false),
        (json!({"aud": ["ios", ["android"]]}), false),
        (json!({"aud": "other"}), false),
        (json!({"aud": "other", "azp": "ios"}), false),
        (json!({"aud": "ios "}), false),
        (json!({"aud": "IOS"}), false),
        (json!({"aud": []}), false),
        (json!({"aud": [], "azp": "ios"}), false),
        (json!({"aud": null, "azp": "ios"}), false),
        (json!({"aud": "ios", "azp": "other"}), false),
        (json!({"aud": "ios", "azp": ["ios"]}), false),
        (json!({"aud": "ios", "azp": ""}), false),
    ] {
        let expected = Expected { audiences: &ours, access_token: None, ..expected(&provider, &issuer) };
        let outcome = verify_as(&with_claims(&change), &jwks(&["ES256"]), &expected);
        let wanted = (!is_good).then_some(FaultKind::IdTokenAudience);
        assert_eq!(outcome.err(), wanted, "{change}");
    }
}

#[test]
fn a_token_for_a_code_is_issued_to_the_client_that_redeemed_it() {
    let ours = ["project".to_owned()];
    let (provider, issuer) = ("idp".parse().unwrap(), Issuer::Exact(ISSUER.to_owned()));
    for (change, is_good) in [
        (json!({}), true),
        (json!({"aud": ["client", "project"]}), true),
        (json!({"aud": ["project", "client"], "azp": "client"}), true),
        (json!({"aud": ["client", "project"], "azp": "project"}), false),
        (json!({"aud": ["client", "project", "other"]}), false),
        (json!({"aud": "project"}), false),
        (json!({"aud": ["project"], "azp": "client"}), false),
        (json!({"azp": "project"}), false),
        (json!({"aud": null}), false),
    ] {
        let expected = Expected { audiences: &ours, ..expected(&provider, &issuer) };
        let outcome = verify_as(&with_claims(&change), &jwks(&["ES256"]), &expected);
        let wanted = (!is_good).then_some(FaultKind::IdTokenAudience);
        assert_eq!(outcome.err(), wanted, "{change}");
    }
}

#[test]
fn a_requested_max_age_requires_an_auth_time() {
    let (provider, issuer) = ("idp".parse().unwrap(), Issuer::Exact(ISSUER.to_owned()));
    let hour = Duration::from_hours(1);
    for (max_age, auth_time, is_good) in [
        (Some(hour), json!(NOW), true),
        (Some(hour), json!(NOW - 3600 - LEEWAY), true),
        (Some(hour), json!(NOW - 3600 - LEEWAY - 1), false),
        (Some(hour), json!(1_000_000.5), true),
        (Some(hour), json!(NOW + LEEWAY), true),
        (Some(hour), json!(NOW + LEEWAY + 1), false),
        (Some(hour), json!(NOW * 1000), false),
        (Some(hour), json!(0), false),
        (Some(hour), json!(-1), false),
        (Some(hour), json!(null), false),
        (Some(hour), json!(NOW.to_string()), false),
        (Some(hour), json!([NOW]), false),
        (Some(Duration::ZERO), json!(NOW - LEEWAY), true),
        (Some(Duration::ZERO), json!(NOW - LEEWAY - 1), false),
        (Some(Duration::from_secs(u32::MAX.into())), json!(0), true),
        (None, json!(null), true),
        (None, json!("long ago"), true),
        (None, json!(0), true),
    ] {
        let expected = Expected { max_age, ..expected(&provider, &issuer) };
        let outcome = verify_as(&with_claims(&json!({"auth_time": auth_time})), &jwks(&["ES256"]), &expected);
        let wanted = (!is_good).then_some(FaultKind::IdTokenAuthTime);
        assert_eq!(outcome.err(), wanted, "{max_age:?} {auth_time}");
    }
}

#[test]
fn an_empty_nonce_never_matches() {
    let issuer = Issuer::Exact(ISSUER.to_owned());
    for claims in [json!({"nonce": ""}), json!({"nonce": null})] {
        let outcome = verify_with(&with_claims(&claims), &jwks(&["ES256"]), &issuer, "");
        assert_eq!(outcome.err(), Some(FaultKind::IdTokenNonce));
    }
}

#[test]
fn the_issuer_may_be_that_of_a_tenant() {
    let issuer = Issuer::OfTenant { before: "https://login.example/".to_owned(), after: "/v2.0".to_owned() };
    let (tenant, other) = ("9188040d-6c67-4c5b-b112-36a304b66dad", "9188040d-6c67-4c5b-b112-36a304b66dae");
    let iss = format!("https://login.example/{tenant}/v2.0");
    for (claims, wanted) in [
        (json!({"iss": iss, "tid": tenant}), None),
        (json!({"iss": iss, "tid": other}), Some(FaultKind::IdTokenIssuer)),
        (json!({"iss": iss}), Some(FaultKind::IdTokenIssuer)),
    ] {
        let outcome = verify_with(&with_claims(&claims), &jwks(&["ES256"]), &issuer, "the nonce");
        assert_eq!(outcome.err(), wanted, "{claims}");
    }
}

#[test]
fn a_used_token_is_marked_by_its_signed_text_until_it_expires() {
    let mark = |token: &str| verify(token).unwrap().mark;
    // ECDSA signatures differ each time.
    let (one, again) = (with_claims(&json!({})), with_claims(&json!({})));
    assert_ne!(one, again);
    assert_eq!(mark(&one), mark(&again));
    assert_ne!(mark(&one).digest, mark(&with_claims(&json!({"sub": "eve"}))).digest);
    let forever = mark(&with_claims(&json!({"exp": NOW + 400 * DAY})));
    assert_eq!(forever.expires_at, Timestamp::from_seconds(NOW + DAY + LEEWAY));
}
