//! ID tokens (OpenID Connect Core section 3.1.3.7): their signature by a key of the provider, then their claims.

use std::time::Duration;

use serde_json::Value;
use subtle::ConstantTimeEq;

use super::super::fault::{FaultKind, ProviderFault};
use super::super::proof::IdTokenMark;
use super::issuer::Issuer;
use super::provider_keys::ProviderKeys;
use crate::jose::{SignatureFault, Unverified};
use crate::model::claims::member;
use crate::model::{ClaimMap, ProviderId, Timestamp, digest_of};

/// The maximum size of a token from a token endpoint, in bytes. A person in many groups has a large one.
const MAX_BYTES: usize = 256 << 10;
/// The maximum size of a token that a client obtained itself, in bytes.
const MAX_CLIENT_BYTES: usize = 16 << 10;

/// The age beyond which a token is rejected, whatever its `exp`, so that its mark need not be kept longer.
const OLDEST: Duration = Duration::from_hours(24);
/// The longest time since a token without a nonce was issued.
const OLDEST_WITHOUT_NONCE: Duration = Duration::from_mins(10);

/// The claims that an ID token must have.
pub(super) struct Expected<'a> {
    pub(super) provider: &'a ProviderId,
    pub(super) issuer: &'a Issuer,
    pub(super) client_id: &'a str,
    /// Further clients of Gatepass that a token may be for; they are sufficient alone only if no code was redeemed for
    /// it.
    pub(super) audiences: &'a [String],
    /// The nonce of the flow; `None` if the token must have none, and be new.
    pub(super) nonce: Option<&'a str>,
    /// The longest time since the person authenticated, if requested.
    pub(super) max_age: Option<Duration>,
    /// The access token that came with it.
    pub(super) access_token: Option<&'a str>,
    pub(super) now: Timestamp,
    pub(super) leeway: Duration,
}

/// A verified token.
#[derive(Debug)]
pub(super) struct IdToken {
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) claims: ClaimMap,
    pub(super) mark: IdTokenMark,
}

/// Reads a token, which proves nothing yet.
pub(super) fn read(token: &str, is_of_client: bool) -> Result<Unverified<'_>, ProviderFault> {
    if token.len() > if is_of_client { MAX_CLIENT_BYTES } else { MAX_BYTES } {
        return Err(malformed("too large"));
    }
    Unverified::read(token).map_err(|fault| malformed(fault.0))
}

/// Checks the signature with the keys of its provider.
pub(super) fn check_signature(token: &Unverified<'_>, keys: &ProviderKeys) -> Result<(), SignatureFault> {
    token.check_signature(&keys.fitting(token.kid(), token.algorithm(), token.claims()))
}

/// Makes the provider's fault of an invalid signature.
pub(super) fn unsigned(fault: SignatureFault) -> ProviderFault {
    match fault {
        SignatureFault::KeyUnknown => {
            ProviderFault::new(FaultKind::IdTokenKeyUnknown, "no key of the provider matches the ID token")
        }
        SignatureFault::Invalid | SignatureFault::PerhapsOld => {
            ProviderFault::new(FaultKind::IdTokenSignature, "the signature of the ID token is invalid")
        }
    }
}

/// Checks the claims; the signature must have been checked.
pub(super) fn check_claims(token: Unverified<'_>, expected: &Expected<'_>) -> Result<IdToken, ProviderFault> {
    let claims = token.claims();
    let issuer = check_issuer(claims, expected.issuer)?;
    check_audience(claims, expected)?;
    let expires_at = check_times(claims, expected.now, expected.leeway)?;
    match expected.nonce {
        Some(nonce) => check_nonce(claims, nonce)?,
        None => check_new_without_nonce(claims, expected.now, expected.leeway)?,
    }
    if let Some(max_age) = expected.max_age {
        check_auth_time(claims, max_age, expected.now, expected.leeway)?;
    }
    if let Some(access_token) = expected.access_token
        && let Some(at_hash) = member(claims, "at_hash")
    {
        let wanted = token.algorithm().left_half_of_hash(access_token);
        if at_hash.as_str() != Some(&wanted) {
            let cause = "the ID token is for another access token";
            return Err(ProviderFault::new(FaultKind::IdTokenAccessToken, cause));
        }
    }
    let subject = text(claims, "sub").filter(|sub| (1..=255).contains(&sub.len()) && sub.is_ascii());
    let subject = subject.ok_or_else(|| malformed("no sub of 1 to 255 ASCII characters"))?.to_owned();
    let parts = [expected.provider.as_str().as_bytes(), token.message().as_bytes()];
    let mark = IdTokenMark { digest: digest_of(b"gatepass id token", &parts), expires_at };
    Ok(IdToken { issuer, subject, mark, claims: token.into_claims() })
}

fn check_issuer(claims: &ClaimMap, issuer: &Issuer) -> Result<String, ProviderFault> {
    let iss = text(claims, "iss").filter(|iss| issuer.issued(iss, text(claims, "tid")));
    let iss = iss.map(str::to_owned);
    iss.ok_or_else(|| ProviderFault::new(FaultKind::IdTokenIssuer, "the ID token is from another issuer"))
}

/// Checks that the token is for this client only (section 3.1.3.7, 3 to 5). Each audience must be a client of Gatepass,
/// and so must the authorized party, if there is one.
fn check_audience(claims: &ClaimMap, expected: &Expected<'_>) -> Result<(), ProviderFault> {
    let is_ours = |audience: &Value| {
        audience == expected.client_id || expected.audiences.iter().any(|other| audience == other)
    };
    let is_for_us = match member(claims, "aud") {
        Some(Value::Array(audiences)) => !audiences.is_empty() && audiences.iter().all(is_ours),
        Some(audience) => is_ours(audience),
        None => false,
    };
    let is_of_client = |azp: &Value| azp == expected.client_id;
    let names_client = match (expected.access_token, claims.get("aud")) {
        // The client that redeemed the code must be among the audiences.
        (Some(_), Some(Value::Array(audiences))) => audiences.iter().any(is_of_client),
        (Some(_), audience) => audience.is_some_and(is_of_client),
        (None, _) => true,
    };
    let issued_to_us = match (expected.access_token, member(claims, "azp")) {
        (_, None) => true,
        (Some(_), Some(azp)) => is_of_client(azp),
        (None, Some(azp)) => is_ours(azp),
    };
    if is_for_us && names_client && issued_to_us {
        Ok(())
    } else {
        Err(ProviderFault::new(FaultKind::IdTokenAudience, "the ID token is for another client (aud, azp)"))
    }
}

/// Checks the times; returns when the token expires.
fn check_times(claims: &ClaimMap, now: Timestamp, leeway: Duration) -> Result<Timestamp, ProviderFault> {
    let required = |name: &str| date(claims, name)?.ok_or_else(|| malformed(&format!("no {name}")));
    let (expires_at, issued_at) = (required("exp")?, required("iat")?);
    let not_before = date(claims, "nbf")?;
    let ends_at = expires_at.min(issued_at.plus(OLDEST)).plus(leeway);
    let latest = now.plus(leeway);
    if expires_at.plus(leeway) <= now {
        Err(ProviderFault::new(FaultKind::IdTokenExpired, "the ID token has expired"))
    } else if issued_at > latest || not_before.is_some_and(|not_before| not_before > latest) {
        Err(ProviderFault::new(FaultKind::IdTokenIssuedAt, "the ID token is not valid yet"))
    } else if ends_at <= now {
        Err(ProviderFault::new(FaultKind::IdTokenIssuedAt, "the ID token was issued too long ago"))
    } else {
        Ok(ends_at)
    }
}

fn check_nonce(claims: &ClaimMap, wanted: &str) -> Result<(), ProviderFault> {
    let nonce = text(claims, "nonce").filter(|_| !wanted.is_empty());
    if nonce.is_some_and(|nonce| nonce.as_bytes().ct_eq(wanted.as_bytes()).into()) {
        Ok(())
    } else {
        Err(ProviderFault::new(FaultKind::IdTokenNonce, "the nonce is missing, or belongs to another flow"))
    }
}

/// Checks a token that nothing binds to a sign-in: it has no nonce, and was issued in the last minutes.
fn check_new_without_nonce(claims: &ClaimMap, now: Timestamp, leeway: Duration) -> Result<(), ProviderFault> {
    if claims.get("nonce").is_some_and(|nonce| !nonce.is_null()) {
        return Err(ProviderFault::new(
            FaultKind::IdTokenNonce,
            "the ID token has a nonce, and the call has none",
        ));
    }
    match date(claims, "iat")? {
        Some(issued_at) if issued_at.plus(OLDEST_WITHOUT_NONCE).plus(leeway) > now => Ok(()),
        _ => {
            let cause = "the ID token has no nonce, and was issued more than 10 minutes ago";
            Err(ProviderFault::new(FaultKind::IdTokenIssuedAt, cause))
        }
    }
}

/// Checks that a requested `auth_time` is present (section 3.1.2.1) and recent enough (section 3.1.3.7, 13). A future
/// time is rejected: it would come from a clock of milliseconds, and never expire.
fn check_auth_time(
    claims: &ClaimMap,
    max_age: Duration,
    now: Timestamp,
    leeway: Duration,
) -> Result<(), ProviderFault> {
    let cause = match date(claims, "auth_time") {
        Ok(Some(at)) if at > now.plus(leeway) => "its auth_time is in the future",
        Ok(Some(at)) if at.plus(max_age).plus(leeway) < now => {
            "its auth_time is older than the requested max_age"
        }
        Ok(Some(_)) => return Ok(()),
        Ok(None) | Err(_) => "no valid auth_time although max_age was requested",
    };
    Err(ProviderFault::new(FaultKind::IdTokenAuthTime, format!("the ID token: {cause}")))
}

fn text<'c>(claims: &'c ClaimMap, name: &str) -> Option<&'c str> {
    claims.get(name).and_then(Value::as_str)
}

/// Parses a `NumericDate` (RFC 7519 section 2), which may have a fraction.
fn date(claims: &ClaimMap, name: &str) -> Result<Option<Timestamp>, ProviderFault> {
    let Some(value) = member(claims, name) else { return Ok(None) };
    #[expect(clippy::cast_possible_truncation, reason = "beyond 2^53 no number is read")]
    let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds.floor() as i64));
    match seconds.filter(|seconds| *seconds >= 0) {
        Some(seconds) => Ok(Some(Timestamp::from_seconds(seconds))),
        None => Err(malformed(&format!("its {name} is not a date"))),
    }
}

fn malformed(cause: &str) -> ProviderFault {
    ProviderFault::new(FaultKind::IdTokenMalformed, format!("the ID token: {cause}"))
}

#[cfg(test)]
#[expect(clippy::disallowed_types, reason = "tokens of a provider are signed here with keys of the library")]
mod tests;
