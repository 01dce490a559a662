use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::*;

fn p256() -> Value {
    let coordinate = URL_SAFE_NO_PAD.encode([&[1][..], &[7; 31]].concat());
    json!({"kty": "EC", "crv": "P-256", "kid": "p", "x": coordinate, "y": coordinate})
}

fn with(mut key: Value, name: &str, value: Value) -> Value {
    key[name] = value;
    key
}

#[test]
fn a_set_without_keys_is_no_usable_response() {
    for set in
        [json!({}), json!({"keys": []}), json!({"keys": [with(p256(), "issuer", "x".repeat(256).into())]})]
    {
        assert_eq!(
            ProviderKeys::read(set.as_object().unwrap(), Instant::now()).unwrap_err().kind,
            FaultKind::Malformed,
            "{set}"
        );
    }
}

#[test]
fn a_key_of_one_issuer_signs_for_no_other() {
    let (tenant, other) = ("9188040d-6c67-4c5b-b112-36a304b66dad", "9188040d-6c67-4c5b-b112-36a304b66dae");
    let issuer = |tenant: &str| format!("https://login.example/{tenant}/v2.0");
    let keys = json!([
        with(with(p256(), "kid", "all".into()), "issuer", issuer("{tenantid}").into()),
        with(with(p256(), "kid", "one".into()), "issuer", issuer(tenant).into()),
        with(with(p256(), "kid", "odd".into()), "issuer", 7.into()),
        with(with(p256(), "kid", "long".into()), "issuer", "x".repeat(256).into()),
    ]);
    let keys = ProviderKeys::read(json!({"keys": keys}).as_object().unwrap(), Instant::now()).unwrap();
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
