//! The reference: an access token that names a session instead of containing claims. Its text is `gps_` and base64url
//! of secret id (8) ‖ session id (16) ‖ version of the row (8) ‖ issued at (8) ‖ expires at (8) ‖ audiences, each its
//! length (1) and its bytes ‖ MAC (32). Numbers are big-endian, times whole seconds. The MAC is verified before any
//! field is read.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

use super::limits::MAX_TOKEN_BYTES;
use super::ring::IssueFault;
use super::secrets::{Secrets, mac};
use super::verifier::TokenFault;
use crate::model::{LONGEST_TOKEN, SessionId, Timestamp};

const PREFIX: &str = "gps_";
const HEAD: usize = 8 + 16 + 8 + 8 + 8;
const MAC: usize = 32;

/// The contents of a reference. They are not authenticated; [`References`] converts them to a token and verifies one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The id of the session.
    pub session_id: SessionId,
    /// The version of the session's row at the time of issue; an older row would lack promised data.
    pub version: i64,
    /// Time of issue; whole seconds.
    pub issued_at: Timestamp,
    /// Time of expiry; whole seconds.
    pub expires_at: Timestamp,
    /// The audiences; one or more names of 1 to 255 bytes.
    pub audiences: Vec<String>,
}

/// Issues and verifies references. The first secret issues them; all accepted secrets verify them.
#[derive(Debug, Clone)]
pub struct References {
    secrets: Arc<Secrets>,
    leeway: Duration,
}

impl References {
    /// Creates the issuer of references with these secrets; `leeway` is the clock skew tolerated.
    #[must_use]
    pub fn new(secrets: Arc<Secrets>, leeway: Duration) -> Self {
        Self { secrets, leeway }
    }

    /// Tells whether a token has the form of a reference.
    #[must_use]
    pub fn are_meant_by(token: &str) -> bool {
        token.starts_with(PREFIX)
    }

    /// Issues the token; it can be too large only because of long audiences.
    pub fn issue(&self, reference: &Reference) -> Result<String, IssueFault> {
        let secret = self.secrets.current();
        let mut bytes = secret.id.to_vec();
        reference.write(&mut bytes)?;
        let tag = mac(&secret.reference, &[&bytes]);
        bytes.extend_from_slice(&tag);
        let token = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        if token.len() > MAX_TOKEN_BYTES { Err(IssueFault::ClaimsTooLarge) } else { Ok(token) }
    }

    /// Verifies a token at this time.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Reference, TokenFault> {
        let reference = self.verify_genuine(token, now)?;
        let expired = now >= reference.expires_at.plus(self.leeway);
        if expired { Err(TokenFault::Expired) } else { Ok(reference) }
    }

    /// Verifies that Gatepass issued a token, expired or not; sign-out needs this.
    pub fn verify_genuine(&self, token: &str, now: Timestamp) -> Result<Reference, TokenFault> {
        let encoded = token.strip_prefix(PREFIX).filter(|_| token.len() <= MAX_TOKEN_BYTES);
        let bytes = encoded.and_then(|encoded| URL_SAFE_NO_PAD.decode(encoded).ok());
        let bytes = bytes.filter(|bytes| bytes.len() > HEAD + MAC).ok_or(TokenFault::Malformed)?;
        let (body, tag) = bytes.split_at(bytes.len() - MAC);
        let (id, said) = body.split_first_chunk().ok_or(TokenFault::Malformed)?;
        let secret = self.secrets.find(*id).ok_or(TokenFault::Signature)?;
        if !bool::from(mac(&secret.reference, &[body]).ct_eq(tag)) {
            return Err(TokenFault::Signature);
        }
        let reference = Reference::read(said).ok_or(TokenFault::Malformed)?;
        if reference.is_well_formed(now.plus(self.leeway)) {
            Ok(reference)
        } else {
            Err(TokenFault::Malformed)
        }
    }
}

impl Reference {
    /// Returns true if a token for these audiences has at most the largest size.
    #[must_use]
    pub fn fits(audiences: &[String]) -> bool {
        let names: usize = audiences.iter().map(|audience| audience.len() + 1).sum();
        PREFIX.len() + ((HEAD + names + MAC) * 4).div_ceil(3) <= MAX_TOKEN_BYTES
    }

    fn write(&self, to: &mut Vec<u8>) -> Result<(), IssueFault> {
        to.extend_from_slice(self.session_id.0.as_bytes());
        for number in [self.version, self.issued_at.seconds(), self.expires_at.seconds()] {
            to.extend_from_slice(&number.to_be_bytes());
        }
        for audience in &self.audiences {
            to.push(u8::try_from(audience.len()).map_err(|_| IssueFault::ClaimsTooLarge)?);
            to.extend_from_slice(audience.as_bytes());
        }
        Ok(())
    }

    /// Parses the output of [`Self::write`]; trailing bytes are an error.
    fn read(said: &[u8]) -> Option<Self> {
        let (session_id, said) = said.split_first_chunk()?;
        let (version, said) = read_number(said)?;
        let (issued_at, said) = read_number(said)?;
        let (expires_at, mut said) = read_number(said)?;
        let mut audiences = Vec::new();
        while let Some((length, rest)) = said.split_first() {
            let (audience, rest) = rest.split_at_checked(usize::from(*length))?;
            audiences.push(std::str::from_utf8(audience).ok()?.to_owned());
            said = rest;
        }
        Some(Self {
            session_id: SessionId(uuid::Uuid::from_bytes(*session_id)),
            version,
            issued_at: Timestamp::from_seconds(issued_at),
            expires_at: Timestamp::from_seconds(expires_at),
            audiences,
        })
    }

    fn is_well_formed(&self, latest: Timestamp) -> bool {
        self.issued_at <= latest
            && self.issued_at < self.expires_at
            && self.expires_at.since(self.issued_at) <= LONGEST_TOKEN
            && self.audiences.iter().all(|audience| !audience.is_empty())
    }
}

fn read_number(said: &[u8]) -> Option<(i64, &[u8])> {
    let (number, rest) = said.split_first_chunk()?;
    Some((i64::from_be_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{OsEntropy, SystemClock};
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp(1_767_225_600_000);
    const MINUTE: Duration = Duration::from_mins(1);

    fn references(secrets: &[&str]) -> References {
        let secrets: Vec<_> = secrets.iter().map(|text| text.repeat(32).into()).collect();
        References::new(Arc::new(Secrets::new(&secrets).unwrap()), Duration::from_secs(10))
    }

    fn reference() -> Reference {
        Reference {
            session_id: SessionId::mint(&SystemClock, &OsEntropy),
            version: 3,
            issued_at: NOW,
            expires_at: NOW.plus(15 * MINUTE),
            audiences: vec!["shop".to_owned(), "bücher".to_owned()],
        }
    }

    #[test]
    fn a_reference_reads_back() {
        let (references, reference) = (references(&["a"]), reference());
        let token = references.issue(&reference).unwrap();
        assert!(References::are_meant_by(&token));
        assert_eq!(references.verify(&token, NOW), Ok(reference));
    }

    #[test]
    fn every_changed_character_is_a_forgery() {
        let references = references(&["a"]);
        let text = references.issue(&reference()).unwrap();
        for place in 0..text.len() {
            for other in ["A", "B", "_", "=", "/", "+", ".", " ", "é", ""] {
                let bent = format!("{}{other}{}", &text[..place], &text[place + 1..]);
                if bent != text {
                    let fault = references.verify_genuine(&bent, NOW).unwrap_err();
                    assert!(
                        [TokenFault::Malformed, TokenFault::Signature].contains(&fault),
                        "{place} {other}"
                    );
                }
            }
            assert!(references.verify_genuine(&text[..place], NOW).is_err());
        }
    }

    fn decoded(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX).unwrap()).unwrap()
    }

    fn encoded(bytes: &[u8]) -> String {
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    #[test]
    fn every_changed_bit_is_a_forgery() {
        let references = references(&["a"]);
        let good = decoded(&references.issue(&reference()).unwrap());
        for place in 0..good.len() {
            for bit in 0..8 {
                let mut bent = good.clone();
                bent[place] ^= 1 << bit;
                let fault = references.verify_genuine(&encoded(&bent), NOW).unwrap_err();
                assert_eq!(fault, TokenFault::Signature, "bit {bit} of byte {place}");
            }
        }
    }

    #[test]
    fn every_other_length_is_a_forgery() {
        let references = references(&["a"]);
        let good = decoded(&references.issue(&reference()).unwrap());
        for length in 0..good.len() {
            // A text shorter than a header and a MAC is malformed.
            let wanted = if length > 48 + 32 { TokenFault::Signature } else { TokenFault::Malformed };
            let fault = references.verify_genuine(&encoded(&good[..length]), NOW).unwrap_err();
            assert_eq!(fault, wanted, "cut to {length}");
        }
        let (body, tag) = good.split_at(good.len() - 32);
        for more in [&[0][..], &[9, b'x'], &good] {
            for longer in [[&good[..], more].concat(), [more, &good].concat(), [body, more, tag].concat()] {
                let fault = references.verify_genuine(&encoded(&longer), NOW).unwrap_err();
                assert_eq!(fault, TokenFault::Signature, "{more:?}");
            }
        }
    }

    #[test]
    fn one_reference_has_one_spelling() {
        let references = references(&["a"]);
        let audiences = vec!["gatepass".to_owned()];
        let text = references.issue(&Reference { audiences, ..reference() }).unwrap();
        assert_ne!(decoded(&text).len() % 3, 0, "a length that leaves bits of the last character unused");
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        for last in alphabet.chars().filter(|last| !text.ends_with(*last)) {
            let bent = format!("{}{last}", &text[..text.len() - 1]);
            let is_base64 = URL_SAFE_NO_PAD.decode(&bent[PREFIX.len()..]).is_ok();
            let wanted = if is_base64 { TokenFault::Signature } else { TokenFault::Malformed };
            assert_eq!(references.verify_genuine(&bent, NOW).unwrap_err(), wanted, "ends in {last}");
        }
    }

    /// Returns a token of these bytes with a valid MAC, which only the server can compute.
    fn maced(references: &References, said: &[u8]) -> String {
        let secret = references.secrets.current();
        let body = [&secret.id[..], said].concat();
        let tag = mac(&secret.reference, &[&body]);
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode([&body[..], &tag].concat()))
    }

    #[test]
    fn references_of_a_removed_secret_are_invalid() {
        let token = references(&["a"]).issue(&reference()).unwrap();
        assert!(references(&["b", "a"]).verify(&token, NOW).is_ok());
        assert_eq!(references(&["b"]).verify(&token, NOW), Err(TokenFault::Signature));
    }

    #[test]
    fn the_mac_is_checked_before_time_and_contents() {
        let (ours, theirs) = (references(&["a"]), references(&["b"]));
        let old = Reference { issued_at: Timestamp(0), expires_at: Timestamp(1000), ..reference() };
        assert_eq!(ours.verify(&ours.issue(&old).unwrap(), NOW), Err(TokenFault::Expired));
        assert_eq!(ours.verify(&theirs.issue(&old).unwrap(), NOW), Err(TokenFault::Signature));
        let nonsense = [0xff; 60];
        assert_eq!(ours.verify(&maced(&ours, &nonsense), NOW), Err(TokenFault::Malformed));
        assert_eq!(ours.verify(&maced(&theirs, &nonsense), NOW), Err(TokenFault::Signature));
    }

    #[test]
    fn a_reference_is_valid_until_its_expiry_plus_the_leeway() {
        let references = references(&["a"]);
        let token = references.issue(&reference()).unwrap();
        let end = NOW.plus(15 * MINUTE).plus(Duration::from_secs(10));
        assert!(references.verify(&token, Timestamp(end.0 - 1)).is_ok());
        assert_eq!(references.verify(&token, end), Err(TokenFault::Expired));
        assert!(references.verify_genuine(&token, end.plus(1000 * MINUTE)).is_ok());
    }

    #[test]
    fn times_that_we_never_issue_are_malformed() {
        let references = references(&["a"]);
        let tried = |issued_at: i64, expires_at: i64| {
            let (issued_at, expires_at) = (Timestamp(NOW.0 + issued_at), Timestamp(NOW.0 + expires_at));
            let token = references.issue(&Reference { issued_at, expires_at, ..reference() }).unwrap();
            references.verify_genuine(&token, NOW).map(drop)
        };
        for (issued_at, expires_at) in [(0, 3_600_000), (10_000, 11_000), (-4_000_000, -400_000)] {
            assert_eq!(tried(issued_at, expires_at), Ok(()));
        }
        for (issued_at, expires_at) in [(0, 3_601_000), (11_000, 12_000), (0, 0), (0, -1000)] {
            assert_eq!(tried(issued_at, expires_at), Err(TokenFault::Malformed));
        }
    }

    #[test]
    fn audiences_that_do_not_fit_are_refused_when_it_is_issued() {
        let references = references(&["a"]);
        let of = |audiences: Vec<String>| references.issue(&Reference { audiences, ..reference() });
        assert_eq!(of(vec!["x".repeat(256)]), Err(IssueFault::ClaimsTooLarge));
        assert_eq!(of(vec!["x".repeat(255); 12]), Err(IssueFault::ClaimsTooLarge));
        let largest = of(vec!["x".repeat(255); 11]).unwrap();
        assert_eq!(references.verify(&largest, NOW).unwrap().audiences.len(), 11);
    }

    #[test]
    fn extended_or_truncated_references_are_malformed() {
        let references = references(&["a"]);
        let mut said = Vec::new();
        reference().write(&mut said).unwrap();
        assert!(references.verify(&maced(&references, &said), NOW).is_ok());
        for bad in [&said[..said.len() - 1], &[&said[..], &[0]].concat(), &[&said[..], &[9, b'x']].concat()] {
            assert_eq!(references.verify(&maced(&references, bad), NOW), Err(TokenFault::Malformed));
        }
        let no_text = [&said[..], &[1, 0xff]].concat();
        assert_eq!(references.verify(&maced(&references, &no_text), NOW), Err(TokenFault::Malformed));
    }

    #[test]
    fn secrets_stay_out_of_debug_output() {
        assert_eq!(format!("{:?}", references(&["a"])), "References { secrets: Secrets(1), leeway: 10s }");
    }

    proptest! {
        #[test]
        fn one_reference_has_one_text_and_one_text_one_reference(
            id in any::<[u8; 16]>(),
            version in 0..i64::MAX,
            lives in 1..=3600_i64,
            audiences in proptest::collection::vec("[^\\p{C}\\s]{1,20}", 1..8),
        ) {
            let references = references(&["a"]);
            let (issued_at, expires_at) = (NOW, Timestamp::from_seconds(NOW.seconds() + lives));
            let session_id = SessionId(uuid::Uuid::from_bytes(id));
            let reference = Reference { session_id, version, issued_at, expires_at, audiences };
            let token = references.issue(&reference).unwrap();
            let read = references.verify(&token, NOW).unwrap();
            prop_assert_eq!(&read, &reference);
            prop_assert_eq!(references.issue(&read).unwrap(), token);
        }

        #[test]
        fn no_other_text_is_a_reference(text in ".{0,200}", tail in "[A-Za-z0-9_-]{80,400}") {
            let references = references(&["a"]);
            prop_assert!(references.verify_genuine(&text, NOW).is_err());
            let random = format!("{PREFIX}{tail}");
            prop_assert!(references.verify_genuine(&random, NOW).is_err());
        }
    }
}
