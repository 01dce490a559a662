//! Access tokens that were never issued: each gets its own reason, none gets a session.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepass::grpc::proto::v1::{GetSessionRequest, GetSessionResponse, get_session_request};
use gatepass::jose::{Algorithm, SigningKey};
use gatepass::tokens::{KeyRing, TOKEN_TYPE};
use jsonwebtoken::EncodingKey;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tonic::Status;

use crate::support::{KEYS, START, TestApp, builder, reason, refusal, tokens};

const MALFORMED: &str = "TOKEN_MALFORMED";
const SIGNATURE: &str = "TOKEN_SIGNATURE_INVALID";

async fn app() -> TestApp {
    builder().config(&tokens("clock_leeway: 10s")).start().await
}

fn pem(name: &str) -> Vec<u8> {
    std::fs::read(format!("{KEYS}/{name}.pem")).unwrap()
}

fn kid() -> String {
    SigningKey::from_pem(&pem("es256"), Algorithm::Ps256, TOKEN_TYPE).unwrap().kid().to_owned()
}

fn encode(part: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(part)
}

/// Signs any header and payload with the key of this name.
fn sign_as(key: &str, header: &str, payload: &str) -> String {
    let message = format!("{}.{}", encode(header), encode(payload));
    let key = EncodingKey::from_ec_pem(&pem(key)).unwrap();
    let algorithm = jsonwebtoken::Algorithm::ES256;
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, algorithm).unwrap();
    format!("{message}.{signature}")
}

fn sign(header: &str, payload: &str) -> String {
    sign_as("es256", header, payload)
}

fn header() -> Value {
    json!({"typ": "at+jwt", "alg": "ES256", "kid": kid()})
}

/// Returns claims as Gatepass issues them, at the start time of every test.
fn claims() -> Value {
    let now = START.seconds();
    json!({
        "iss": "http://localhost:8080", "sub": "01900000-0000-7000-8000-000000000001", "aud": ["gatepass"],
        "exp": now + 900, "iat": now, "jti": "01900000-0000-7000-8000-000000000002",
        "sid": "01900000-0000-7000-8000-000000000003", "auth_time": now, "client_id": "local", "epoch": 0,
        "provider": "github", "session_exp": now + 86_400, "name": "Ada", "email": "ada@example.com",
        "email_verified": true, "role": "user",
    })
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name);
    object
}

async fn read(app: &TestApp, token: &str) -> Result<GetSessionResponse, Status> {
    let credential = Some(get_session_request::Credential::AccessToken(token.to_owned()));
    let request = GetSessionRequest { credential, ..Default::default() };
    app.auth.clone().get_session(request).await.map(tonic::Response::into_inner)
}

async fn assert_refused(app: &TestApp, rows: Vec<(&str, String, &str)>) {
    for (what, token, wanted) in rows {
        let (code, reason) = refusal(read(app, &token).await);
        assert_eq!((code, reason.as_str()), (tonic::Code::Unauthenticated, wanted), "{what}");
    }
}

#[tokio::test]
async fn a_token_of_exactly_our_form_is_good() {
    let app = app().await;
    let session =
        read(&app, &sign(&header().to_string(), &claims().to_string())).await.unwrap().session.unwrap();
    assert_eq!(session.user.unwrap().name.as_deref(), Some("Ada"));
    let more = with(with(claims(), "tenant", json!({"id": 7})), "nbf", json!(START.seconds() + 10));
    read(&app, &sign(&header().to_string(), &more.to_string())).await.unwrap();
}

#[tokio::test]
async fn a_header_of_any_other_form_is_malformed() {
    let app = app().await;
    let payload = claims().to_string();
    let signed = |header: Value| sign(&header.to_string(), &payload);
    let mut rows = Vec::new();
    for alg in [
        "none", "None", "NONE", "nOnE", "HS256", "HS384", "RS256", "PS256", "ES384", "EdDSA", "ES256K", "",
        "es256",
    ] {
        rows.push(("alg", signed(with(header(), "alg", json!(alg))), MALFORMED));
    }
    for typ in [
        json!("JWT"),
        json!("AT+JWT"),
        json!("application/at+jwt"),
        json!(""),
        json!(null),
        json!(["at+jwt"]),
    ] {
        rows.push(("typ", signed(with(header(), "typ", typ)), MALFORMED));
    }
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("crit", json!(null)),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("jwk", json!({"kty": "EC"})),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!(["MII"])),
        ("cty", json!("JWT")),
        ("anything", json!(1)),
    ] {
        rows.push((name, signed(with(header(), name, value)), MALFORMED));
    }
    for name in ["alg", "typ", "kid"] {
        rows.push(("missing", signed(without(header(), name)), MALFORMED));
    }
    for kid in [json!(null), json!(1), json!(["x"]), json!({"a": 1})] {
        rows.push(("kid of another type", signed(with(header(), "kid", kid)), MALFORMED));
    }
    for kid in ["", "unknown", "../../etc/passwd", "' OR 1=1 --", "/dev/null", &"k".repeat(1000)] {
        rows.push(("unknown kid", signed(with(header(), "kid", json!(kid))), SIGNATURE));
    }
    let twice = format!("{{\"alg\":\"ES256\",\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"{}\"}}", kid());
    rows.push(("a member twice", sign(&twice, &payload), MALFORMED));
    for text in ["", "null", "[]", "\"x\"", "{", "{}", "{}{}"] {
        rows.push(("no header", sign(text, &payload), MALFORMED));
    }
    assert_refused(&app, rows).await;
}

#[tokio::test]
async fn a_claim_that_is_missing_or_of_another_type_is_malformed() {
    let app = app().await;
    let head = header().to_string();
    let signed = |claims: Value| sign(&head, &claims.to_string());
    let mut rows = Vec::new();
    let ours = [
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "jti",
        "sid",
        "auth_time",
        "client_id",
        "epoch",
        "provider",
        "session_exp",
    ];
    for name in ours {
        rows.push((name, signed(without(claims(), name)), MALFORMED));
    }
    for name in ours.into_iter().chain(["name", "email", "email_verified", "picture", "role", "nbf"]) {
        for other in [json!(null), json!({"a": 1}), json!([1]), json!([]), json!(1.5), json!("x\u{0}y")] {
            let text_claim = ["client_id", "provider", "name", "email", "picture", "role"].contains(&name);
            if text_claim && other.is_string() {
                continue;
            }
            rows.push((name, signed(with(claims(), name, other)), MALFORMED));
        }
    }
    let now = START.seconds();
    for (name, value) in [
        ("iss", json!("https://evil.example")),
        ("iss", json!(["http://localhost:8080"])),
        ("iss", json!("http://localhost:8080/")),
        ("aud", json!("gatepass")),
        ("exp", json!(-1)),
        ("exp", json!("1767226500")),
        ("exp", json!(1e300)),
        ("exp", json!(u64::MAX)),
        ("exp", json!(now + 3601)),
        ("exp", json!(now)),
        ("iat", json!(now + 11)),
        ("auth_time", json!(now + 11)),
        ("nbf", json!(now + 11)),
        ("session_exp", json!(now + 899)),
        ("epoch", json!(-1)),
        ("epoch", json!("0")),
        ("jti", json!("not-an-id")),
        ("sub", json!("6ba7b810-9dad-41d1-80b4-00c04fd430c8")),
        ("sid", json!("01900000-0000-7000-8000-00000000000A")),
        ("email_verified", json!("true")),
        ("big", json!(9_007_199_254_740_993_u64)),
    ] {
        rows.push((name, signed(with(claims(), name, value)), MALFORMED));
    }
    let text = claims().to_string();
    let twice = format!("{}\"sub\":\"01900000-0000-7000-8000-000000000009\",{}", &text[..1], &text[1..]);
    rows.push(("a claim twice", sign(&head, &twice), MALFORMED));
    let deep = format!("{{\"x\":{}1{},{}", "[".repeat(200), "]".repeat(200), &text[1..]);
    rows.push(("too deep", sign(&head, &deep), MALFORMED));
    assert_refused(&app, rows).await;
}

#[tokio::test]
async fn bytes_that_are_no_compact_jws_are_malformed() {
    let app = app().await;
    let good = sign(&header().to_string(), &claims().to_string());
    let parts: Vec<&str> = good.split('.').collect();
    let (head, payload, signature) = (parts[0], parts[1], parts[2]);
    let mut rows = vec![
        ("empty", String::new(), MALFORMED),
        ("dots", "..".to_owned(), MALFORMED),
        ("two parts", format!("{head}.{payload}"), MALFORMED),
        ("no signature", format!("{head}.{payload}."), MALFORMED),
        ("four parts", format!("{good}.x"), MALFORMED),
        ("five parts", format!("{good}.x.y"), MALFORMED),
        ("padding", format!("{head}=.{payload}.{signature}"), MALFORMED),
        ("padding", format!("{good}="), MALFORMED),
        ("padding", format!("{good}=="), MALFORMED),
        ("space before", format!(" {good}"), MALFORMED),
        ("space behind", format!("{good} "), MALFORMED),
        ("line", format!("{good}\n"), MALFORMED),
        ("scheme", format!("Bearer {good}"), MALFORMED),
        ("standard alphabet", format!("{head}.{payload}.{}+/", &signature[..84]), MALFORMED),
        ("not ascii", format!("{head}.{payload}é.{signature}"), MALFORMED),
        ("large", format!("{head}.{}.{signature}", "A".repeat(5000)), MALFORMED),
        ("another key", sign_as("es256_other", &header().to_string(), &claims().to_string()), SIGNATURE),
        (
            "another payload",
            format!("{head}.{}.{signature}", encode(with(claims(), "role", json!("admin")).to_string())),
            SIGNATURE,
        ),
        ("short signature", format!("{head}.{payload}.{}", &signature[..40]), SIGNATURE),
        ("zero signature", format!("{head}.{payload}.{}", encode([0; 64])), SIGNATURE),
    ];
    // Other encodings of the same bits: some bits of the last character have no meaning.
    let last = signature.as_bytes()[85];
    for other in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        .bytes()
        .filter(|byte| *byte != last)
    {
        let token = format!("{head}.{payload}.{}{}", &signature[..85], char::from(other));
        let (_, refused) = refusal(read(&app, &token).await);
        assert!([MALFORMED, SIGNATURE].contains(&refused.as_str()), "{token}");
    }
    for cut in (0..good.len()).step_by(7) {
        let refused = reason(read(&app, &good[..cut]).await);
        assert!([MALFORMED, SIGNATURE].contains(&refused.as_str()), "cut at {cut}: {refused}");
    }
    rows.extend(hmac_confusion().into_iter().map(|token| ("HS256 with the public key", token, MALFORMED)));
    assert_refused(&app, rows).await;
}

/// Returns the public key in every encoding that a verifier may use as an HMAC secret (RFC 8725 section 2.1).
fn hmac_confusion() -> Vec<String> {
    let ring =
        KeyRing::constant(vec![SigningKey::from_pem(&pem("es256"), Algorithm::Ps256, TOKEN_TYPE).unwrap()]);
    let jwks: Value = serde_json::from_slice(&ring.jwks(START).body).unwrap();
    let jwk = &jwks["keys"][0];
    let [x, y] = ["x", "y"].map(|name| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap());
    let point = [&[4][..], &x, &y].concat();
    // The key type is id-ecPublicKey with secp256r1 (RFC 5480).
    let head = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
        0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ];
    let spki = [&head[..], &point].concat();
    let public_pem = pem::encode(&pem::Pem::new("PUBLIC KEY", spki.clone()));
    let header = with(header(), "alg", json!("HS256")).to_string();
    let message = format!("{}.{}", encode(header), encode(claims().to_string()));
    let secrets =
        [public_pem.into_bytes(), spki, point, jwk.to_string().into_bytes(), kid().into_bytes(), Vec::new()];
    let hs256 = jsonwebtoken::Algorithm::HS256;
    let signed = secrets.map(|secret| {
        let key = EncodingKey::from_secret(&secret);
        format!("{message}.{}", jsonwebtoken::crypto::sign(message.as_bytes(), &key, hs256).unwrap())
    });
    signed.into()
}

#[tokio::test]
async fn a_name_twice_is_malformed_in_any_spelling() {
    let app = app().await;
    let (head, text) = (header().to_string(), claims().to_string());
    let rows = [
        "\"role\":\"admin\"",
        "\"\\u0072ole\":\"admin\"",
        "\"aud\":[\"gatepass\"]",
        "\"exp\":9999999999",
        "\"x\":{\"a\":1,\"a\":2}",
        "\"x\":[{\"a\":1,\"\\u0061\":2}]",
        "\"x\":1,\"x\":1",
    ]
    .into_iter()
    .flat_map(|more| {
        // Duplicates stand in front and at the end, since parsers keep either the first or the last.
        let before = format!("{{{more},{}", &text[1..]);
        let behind = format!("{},{more}}}", &text[..text.len() - 1]);
        [(more, sign(&head, &before), MALFORMED), (more, sign(&head, &behind), MALFORMED)]
    });
    assert_refused(&app, rows.collect()).await;
    let rows =
        ["\"kid\":\"x\"", "\"\\u0061lg\":\"none\"", "\"typ\":\"at+jwt\""].into_iter().flat_map(|more| {
            let before = format!("{{{more},{}", &head[1..]);
            let behind = format!("{},{more}}}", &head[..head.len() - 1]);
            [(more, sign(&before, &text), MALFORMED), (more, sign(&behind, &text), MALFORMED)]
        });
    assert_refused(&app, rows.collect()).await;
}

#[tokio::test]
async fn a_token_ends_within_the_longest_life_and_its_session() {
    let app = app().await;
    let now = START.seconds();
    let head = header().to_string();
    let signed = |changes: &[(&str, i64)]| {
        let changed =
            changes.iter().fold(claims(), |claims, (name, value)| with(claims, name, json!(now + value)));
        sign(&head, &changed.to_string())
    };
    for good in [
        &[("exp", 3600)][..],
        &[("iat", 10), ("auth_time", 10)],
        &[("nbf", 10)],
        &[("nbf", -5)],
        &[("session_exp", 900)],
        &[("iat", -909), ("auth_time", -909), ("exp", -9)],
    ] {
        read(&app, &signed(good)).await.unwrap();
    }
    assert_refused(
        &app,
        vec![
            ("life", signed(&[("exp", 3601)]), MALFORMED),
            ("iat", signed(&[("iat", 11)]), MALFORMED),
            ("nbf", signed(&[("nbf", 11)]), MALFORMED),
            ("session", signed(&[("session_exp", 899)]), MALFORMED),
            ("over", signed(&[("iat", -910), ("auth_time", -910), ("exp", -10)]), "TOKEN_EXPIRED"),
            ("order", signed(&[("iat", 5), ("exp", 5)]), MALFORMED),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_token_signed_as_our_key_in_another_algorithm_is_none() {
    let app = app().await;
    let payload = claims().to_string();
    let mut rows = Vec::new();
    for (alg, file, with_their_kid) in [
        (jsonwebtoken::Algorithm::ES384, "es384", false),
        (jsonwebtoken::Algorithm::ES384, "es384", true),
        (jsonwebtoken::Algorithm::EdDSA, "eddsa", false),
        (jsonwebtoken::Algorithm::RS256, "rsa", false),
        (jsonwebtoken::Algorithm::PS256, "rsa", true),
    ] {
        let key = match file {
            "rsa" => EncodingKey::from_rsa_pem(&pem(file)),
            "eddsa" => EncodingKey::from_ed_pem(&pem(file)),
            _ => EncodingKey::from_ec_pem(&pem(file)),
        };
        let theirs = SigningKey::from_pem(&pem(file), Algorithm::Ps256, TOKEN_TYPE).unwrap().kid().to_owned();
        let kid = if with_their_kid { theirs } else { kid() };
        let header = json!({"typ": "at+jwt", "alg": format!("{alg:?}"), "kid": kid}).to_string();
        let message = format!("{}.{}", encode(header), encode(&payload));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key.unwrap(), alg).unwrap();
        let wanted = if with_their_kid { SIGNATURE } else { MALFORMED };
        rows.push((file, format!("{message}.{signature}"), wanted));
    }
    assert_refused(&app, rows).await;
}

#[tokio::test]
async fn the_signature_is_looked_at_before_the_time() {
    let app = app().await;
    let now = START.seconds();
    let old = with(
        with(with(claims(), "iat", json!(now - 1000)), "exp", json!(now - 100)),
        "auth_time",
        json!(now - 1000),
    );
    let head = header().to_string();
    let rows = vec![
        ("expired", sign(&head, &old.to_string()), "TOKEN_EXPIRED"),
        ("expired and forged", sign_as("es256_other", &head, &old.to_string()), SIGNATURE),
    ];
    assert_refused(&app, rows).await;
}

#[tokio::test]
async fn a_token_expires_when_the_leeway_is_over_cached_or_not() {
    let app = app().await;
    let (warm, cold) = (
        sign(&header().to_string(), &claims().to_string()),
        sign(&header().to_string(), &claims().to_string()),
    );
    read(&app, &warm).await.unwrap();
    app.clock.advance(std::time::Duration::from_secs(909));
    read(&app, &warm).await.unwrap();
    app.clock.advance(std::time::Duration::from_secs(1));
    for token in [warm, cold] {
        assert_eq!(reason(read(&app, &token).await), "TOKEN_EXPIRED");
    }
}

#[tokio::test]
async fn a_token_is_for_its_audiences_only() {
    let app = builder().config(&tokens("audiences: [shop, blog]")).start().await;
    let signed = |aud: Value| sign(&header().to_string(), &with(claims(), "aud", aud).to_string());
    let ask = async |token: String, audience: &str| {
        let credential = Some(get_session_request::Credential::AccessToken(token));
        let request = GetSessionRequest { credential, audience: audience.to_owned(), ..Default::default() };
        app.auth.clone().get_session(request).await
    };
    ask(signed(json!(["shop"])), "").await.unwrap();
    ask(signed(json!(["other", "blog"])), "blog").await.unwrap();
    for (aud, audience) in [
        (json!(["other"]), ""),
        (json!(["shop"]), "blog"),
        (json!(["shop"]), "sho"),
        (json!(["shop"]), "SHOP"),
    ] {
        assert_eq!(reason(ask(signed(aud), audience).await), "TOKEN_AUDIENCE_MISMATCH");
    }
}

#[test]
fn no_change_of_a_good_token_is_good() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(app());
    let good = sign(&header().to_string(), &claims().to_string());
    let change = (0..good.len(), any::<u8>(), 0..3_u8);
    let config = Config { cases: 400, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&change, |(place, byte, kind)| {
        let mut bytes = good.clone().into_bytes();
        match kind {
            0 => bytes[place] = byte & 0x7f,
            1 => bytes.insert(place, byte & 0x7f),
            _ => drop(bytes.remove(place)),
        }
        let token = String::from_utf8(bytes).unwrap();
        if token != good {
            let refused = reason(runtime.block_on(read(&app, &token)));
            prop_assert!([MALFORMED, SIGNATURE].contains(&refused.as_str()), "{}: {}", refused, token);
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}
