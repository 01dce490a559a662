//! Signed responses of userinfo endpoints (`application/jwt`, OpenID Connect Core section 5.3.2). The signature and `sub`
//! are required; `iss`, `aud` and `exp` are checked where present.

use std::time::Duration;

use serde_json::Value;

use super::super::fault::{FaultKind, ProviderFault};
use super::issuer::Issuer;
use crate::jose::Unverified;
use crate::model::{ClaimMap, Timestamp};

/// The maximum size of a signed response, in bytes.
const MAX_BYTES: usize = 256 << 10;

/// The values that a signed response must match.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a Issuer,
    pub(super) client_id: &'a str,
    pub(super) audiences: &'a [String],
    pub(super) now: Timestamp,
    pub(super) leeway: Duration,
}

/// Reads a signed response, which proves nothing yet.
pub(super) fn read(text: &str) -> Result<Unverified<'_>, ProviderFault> {
    if text.len() > MAX_BYTES {
        return Err(ProviderFault::new(
            FaultKind::TooLarge,
            "userinfo: more bytes than a signed response has",
        ));
    }
    Unverified::read(text).map_err(|fault| malformed(fault.0))
}

/// Checks the claims of a response whose signature was checked. The caller compares `sub` with the ID token's.
pub(super) fn check_claims(claims: ClaimMap, expected: &Expected<'_>) -> Result<ClaimMap, ProviderFault> {
    let told = |name: &str| claims.get(name).filter(|value| !value.is_null());
    let text = |name: &str| told(name).and_then(Value::as_str);
    if text("sub").is_none_or(str::is_empty) {
        return Err(malformed("no sub"));
    }
    if told("iss").is_some() && !text("iss").is_some_and(|iss| expected.issuer.issued(iss, text("tid"))) {
        return Err(ProviderFault::new(FaultKind::IssuerMismatch, "userinfo: signed by another issuer"));
    }
    let is_ours = |audience: &Value| {
        audience == expected.client_id || expected.audiences.iter().any(|other| audience == other)
    };
    let is_for_us = told("aud").is_none_or(|aud| match aud.as_array() {
        Some(audiences) => audiences.iter().any(is_ours),
        None => is_ours(aud),
    });
    if !is_for_us {
        return Err(malformed("signed for another client (aud)"));
    }
    if let Some(exp) = told("exp") {
        #[expect(clippy::cast_possible_truncation, reason = "beyond 2^53 no number is read")]
        let seconds = exp.as_i64().or_else(|| exp.as_f64().map(|seconds| seconds.floor() as i64));
        let is_valid = |seconds| Timestamp::from_seconds(seconds).plus(expected.leeway) > expected.now;
        if !seconds.is_some_and(is_valid) {
            return Err(malformed("an exp that is over, or no date"));
        }
    }
    Ok(claims)
}

fn malformed(cause: &str) -> ProviderFault {
    ProviderFault::new(FaultKind::Malformed, format!("userinfo: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(claims: &Value) -> Result<(), FaultKind> {
        let issuer = Issuer::Exact("https://idp.example".to_owned());
        let expected = Expected {
            issuer: &issuer,
            client_id: "client",
            audiences: &["app".to_owned()],
            now: Timestamp::from_seconds(1000),
            leeway: Duration::from_secs(10),
        };
        let claims = claims.as_object().unwrap().clone();
        check_claims(claims, &expected).map(drop).map_err(|fault| fault.kind)
    }

    #[test]
    fn only_sub_is_required_and_the_rest_is_checked_where_present() {
        for (claims, outcome) in [
            (json!({"sub": "1"}), Ok(())),
            (json!({"sub": "1", "iss": null, "aud": null, "exp": null}), Ok(())),
            (json!({"sub": "1", "iss": "https://idp.example", "aud": "client", "exp": 1000}), Ok(())),
            (json!({"sub": "1", "aud": ["other", "app"], "exp": 990.5}), Err(FaultKind::Malformed)),
            (json!({"sub": "1", "aud": ["other", "app"], "exp": 991}), Ok(())),
            (json!({}), Err(FaultKind::Malformed)),
            (json!({"sub": ""}), Err(FaultKind::Malformed)),
            (json!({"sub": 1}), Err(FaultKind::Malformed)),
            (json!({"sub": "1", "iss": "https://other.example"}), Err(FaultKind::IssuerMismatch)),
            (json!({"sub": "1", "iss": 7}), Err(FaultKind::IssuerMismatch)),
            (json!({"sub": "1", "aud": "other"}), Err(FaultKind::Malformed)),
            (json!({"sub": "1", "aud": []}), Err(FaultKind::Malformed)),
            (json!({"sub": "1", "exp": 990}), Err(FaultKind::Malformed)),
            (json!({"sub": "1", "exp": "soon"}), Err(FaultKind::Malformed)),
        ] {
            assert_eq!(check(&claims), outcome, "{claims}");
        }
    }
}
