use serde_json::json;

use super::*;

fn read(keys: &Value) -> Result<Jwks, FaultKind> {
    Jwks::read(json!({"keys": keys}).as_object().unwrap()).map_err(|fault| fault.kind)
}

fn text(length: usize, first: u8) -> String {
    let mut bytes = vec![7; length];
    bytes[0] = first;
    URL_SAFE_NO_PAD.encode(bytes)
}

fn rsa() -> Value {
    json!({"kty": "RSA", "kid": "r", "n": text(256, 0x80), "e": "AQAB"})
}

fn p256() -> Value {
    json!({"kty": "EC", "crv": "P-256", "kid": "p", "x": text(32, 1), "y": text(32, 1)})
}

fn with(mut key: Value, name: &str, value: Value) -> Value {
    key[name] = value;
    key
}

#[test]
fn only_keys_for_signatures_are_read() {
    let p384 = json!({"kty": "EC", "crv": "P-384", "x": text(48, 1), "y": text(48, 1)});
    let ed25519 = json!({"kty": "OKP", "crv": "Ed25519", "x": text(32, 1)});
    let leading_zero = URL_SAFE_NO_PAD.encode([&[0, 0x80][..], &[7; 255]].concat());
    for (name, good) in [
        ("rsa", rsa()),
        ("rsa with a leading zero", with(rsa(), "n", leading_zero.into())),
        ("rsa of 4096 bits", with(rsa(), "n", text(512, 1).into())),
        ("rsa for one algorithm", with(rsa(), "alg", "PS512".into())),
        ("p-256", p256()),
        ("for signatures", with(p256(), "use", "sig".into())),
        ("to verify", with(p256(), "key_ops", json!(["verify"]))),
        ("p-384", p384.clone()),
        ("ed25519", ed25519.clone()),
    ] {
        assert!(read(&json!([good])).is_ok(), "{name}");
    }
    for (name, bad) in [
        ("symmetric", json!({"kty": "oct", "k": text(32, 1)})),
        ("rsa of 2047 bits", with(rsa(), "n", text(256, 0x7f).into())),
        ("rsa of 1024 bits", with(rsa(), "n", text(128, 0x80).into())),
        ("rsa of 16384 bits", with(rsa(), "n", text(2048, 0x80).into())),
        ("rsa without exponent", json!({"kty": "RSA", "n": text(256, 0x80)})),
        ("rsa of an elliptic algorithm", with(rsa(), "alg", "ES256".into())),
        ("of a symmetric algorithm", with(rsa(), "alg", "HS256".into())),
        ("to encrypt with", with(rsa(), "alg", "RSA-OAEP".into())),
        ("for encryption", with(rsa(), "use", "enc".into())),
        ("for what is no text", with(rsa(), "use", json!(["sig"]))),
        ("to sign", with(p256(), "key_ops", json!(["sign"]))),
        ("of an odd name", with(p256(), "kid", 7.into())),
        ("of another curve's algorithm", with(p256(), "alg", "ES384".into())),
        ("p-384 with short coordinates", with(p256(), "crv", "P-384".into())),
        ("p-256 with long coordinates", with(p384, "crv", "P-256".into())),
        ("secp256k1", with(p256(), "crv", "secp256k1".into())),
        ("ed448", with(ed25519.clone(), "crv", "Ed448".into())),
        ("x25519", with(ed25519, "crv", "X25519".into())),
        ("padded", with(p256(), "x", format!("{}=", text(32, 1)).into())),
        ("nothing", json!({})),
        ("no object", json!("key")),
    ] {
        assert_eq!(read(&json!([bad])).unwrap_err(), FaultKind::Metadata, "{name}");
        // Beside a good one it is passed over.
        assert_eq!(read(&json!([bad, p256()])).unwrap().keys.len(), 1, "{name}");
    }
}

#[test]
fn a_set_is_bounded_and_has_keys() {
    assert!(read(&json!(vec![p256(); MAX_KEYS])).is_ok());
    assert_eq!(read(&json!(vec![p256(); MAX_KEYS + 1])).unwrap_err(), FaultKind::Metadata);
    assert_eq!(read(&json!({})).unwrap_err(), FaultKind::Metadata);
    assert_eq!(Jwks::read(&ClaimMap::new()).unwrap_err().kind, FaultKind::Metadata);
}

#[test]
fn a_key_is_found_by_its_name_and_its_kind() {
    let keys = json!([
        p256(),
        with(p256(), "kid", "twice".into()),
        with(p256(), "kid", "twice".into()),
        with(rsa(), "kid", "twice".into()),
        with(rsa(), "alg", "RS256".into()),
    ]);
    let keys = read(&keys).unwrap();
    for (kid, algorithm, wanted) in [
        (Some("p"), Algorithm::Es256, 1),
        (Some("p"), Algorithm::Es384, 0),
        (Some("p"), Algorithm::Rs256, 0),
        (Some("twice"), Algorithm::Es256, 2),
        (Some("twice"), Algorithm::Ps384, 1),
        (Some("r"), Algorithm::Rs256, 1),
        (Some("r"), Algorithm::Ps256, 0),
        (Some("other"), Algorithm::Es256, 0),
        (Some(""), Algorithm::Es256, 0),
        // Without a name, only where there is no choice.
        (None, Algorithm::Es256, 0),
        (None, Algorithm::Rs256, 0),
        (None, Algorithm::Rs512, 1),
        (None, Algorithm::EdDsa, 0),
    ] {
        assert_eq!(keys.fitting(kid, algorithm, &ClaimMap::new()).len(), wanted, "{kid:?} {algorithm:?}");
    }
}

#[test]
fn a_key_of_one_issuer_signs_for_no_other() {
    let (tenant, other) = ("9188040d-6c67-4c5b-b112-36a304b66dad", "9188040d-6c67-4c5b-b112-36a304b66dae");
    let issuer = |tenant: &str| format!("https://login.example/{tenant}/v2.0");
    let keys = read(&json!([
        with(with(p256(), "kid", "all".into()), "issuer", issuer("{tenantid}").into()),
        with(with(p256(), "kid", "one".into()), "issuer", issuer(tenant).into()),
        with(with(p256(), "kid", "odd".into()), "issuer", 7.into()),
        with(with(p256(), "kid", "long".into()), "issuer", text(256, 1).into()),
    ]));
    let keys = keys.unwrap();
    for (kid, of, wanted) in [
        ("all", tenant, 1),
        ("all", other, 1),
        ("one", tenant, 1),
        ("one", other, 0),
        ("odd", tenant, 0),
        ("long", tenant, 0),
    ] {
        let claims = json!({"iss": issuer(of), "tid": of});
        let fitting = keys.fitting(Some(kid), Algorithm::Es256, claims.as_object().unwrap());
        assert_eq!(fitting.len(), wanted, "{kid} {of}");
    }
    let crossed = json!({"iss": issuer(tenant), "tid": other});
    assert!(keys.fitting(Some("all"), Algorithm::Es256, crossed.as_object().unwrap()).is_empty());
}

#[test]
fn keys_are_kept_as_long_as_the_provider_says_within_bounds() {
    for (header, wanted) in [
        (None, FRESH_FOR),
        (Some("max-age=7200"), Duration::from_hours(2)),
        (Some("public, max-age=600, must-revalidate"), Duration::from_mins(10)),
        (Some("Max-Age=\"900\""), Duration::from_mins(15)),
        (Some("max-age=0"), SHORTEST),
        (Some("max-age=99999999"), LONGEST),
        (Some("max-age=soon"), FRESH_FOR),
        (Some("max-age=-1"), FRESH_FOR),
        (Some("no-store"), FRESH_FOR),
    ] {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert(CACHE_CONTROL, header.parse().unwrap());
        }
        assert_eq!(fresh_for(&headers), wanted, "{header:?}");
    }
}
