use serde_json::json;

use super::*;

fn read(keys: &Value) -> Result<JwkSet, JwkSetFault> {
    JwkSet::read(json!({"keys": keys}).as_object().unwrap(), |_| true)
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
        assert_eq!(read(&json!([bad])).unwrap_err(), JwkSetFault::NoneForSignatures, "{name}");
        // Beside a valid key it is skipped.
        assert_eq!(read(&json!([bad, p256()])).unwrap().0.len(), 1, "{name}");
    }
}

#[test]
fn a_set_is_bounded_and_has_keys() {
    assert!(read(&json!(vec![p256(); MAX_KEYS])).is_ok());
    assert_eq!(read(&json!(vec![p256(); MAX_KEYS + 1])).unwrap_err(), JwkSetFault::TooMany);
    // Only keys for signatures count.
    let others = vec![with(p256(), "use", json!("enc")); MAX_KEYS];
    assert!(read(&json!([others, vec![p256(); MAX_KEYS]].concat())).is_ok());
    assert_eq!(read(&json!({})).unwrap_err(), JwkSetFault::NoKeys);
    assert_eq!(JwkSet::read(&ClaimMap::new(), |_| true).unwrap_err(), JwkSetFault::NoKeys);
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
        // Without a name, only if there is exactly one candidate.
        (None, Algorithm::Es256, 0),
        (None, Algorithm::Rs256, 0),
        (None, Algorithm::Rs512, 1),
        (None, Algorithm::EdDsa, 0),
    ] {
        assert_eq!(keys.fitting(kid, algorithm, |_| true).len(), wanted, "{kid:?} {algorithm:?}");
    }
}

#[test]
fn rejected_keys_of_an_issuer_are_skipped() {
    let of = |issuer: Value| with(p256(), "issuer", issuer);
    let set = json!({"keys": [of("a".into()), of("b".into()), of(7.into()), p256()]});
    let keys = JwkSet::read(set.as_object().unwrap(), |issuer| issuer == "a").unwrap();
    assert_eq!(keys.0.iter().map(Jwk::issuer).collect::<Vec<_>>(), [Some("a"), None]);
}
