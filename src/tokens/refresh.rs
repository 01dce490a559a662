//! The refresh token: `gpr_` and base64url of secret id (8) ‖ session id (16) ‖ generation (8) ‖ secret (32) ‖ MAC
//! (32). The MAC is verified first, so a forged token costs no database call and ends no session. A successor is
//! derived from its predecessor and the row's salt. So if a client lost the response, a retry returns the same
//! successor.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::secrets::{Secret, Secrets, mac};
use crate::model::{Entropy, SessionId, digest_of, random};

const PREFIX: &str = "gpr_";
const BODY: usize = 8 + 16 + 8 + 32;
const WHOLE: usize = BODY + 32;
/// 96 bytes are 128 characters without padding.
const ENCODED: usize = WHOLE / 3 * 4;

/// The text is not a refresh token made by an accepted secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshFault;

/// A refresh token with a verified MAC: it is authentic, but may no longer be valid.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct GenuineRefreshToken([u8; WHOLE]);

impl fmt::Debug for GenuineRefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GenuineRefreshToken({} #{})", self.session_id(), self.generation())
    }
}

impl GenuineRefreshToken {
    /// Parses a token and verifies its MAC.
    pub fn verify(secrets: &Secrets, text: &str) -> Result<Self, RefreshFault> {
        let encoded = text.strip_prefix(PREFIX).filter(|rest| rest.len() == ENCODED).ok_or(RefreshFault)?;
        let mut bytes = [0; WHOLE];
        let written = URL_SAFE_NO_PAD.decode_slice(encoded, &mut bytes).map_err(|_| RefreshFault)?;
        let token = Self(bytes);
        let id = *token.0.first_chunk().ok_or(RefreshFault)?;
        let secret = secrets.find(id).filter(|_| written == WHOLE).ok_or(RefreshFault)?;
        let expected = mac(&secret.refresh_mac, &[&token.0[..BODY]]);
        if bool::from(expected.ct_eq(&token.0[BODY..])) { Ok(token) } else { Err(RefreshFault) }
    }

    /// Creates the first token of a session at random.
    #[must_use]
    pub fn first(secrets: &Secrets, entropy: &dyn Entropy, session_id: SessionId) -> Self {
        Self::make(secrets.current(), session_id, 0, &random(entropy))
    }

    /// Derives the first token of a session from a named redemption; the same salt gives the same token.
    #[must_use]
    pub fn first_of(
        secrets: &Secrets,
        session_id: SessionId,
        redemption: &[u8; 32],
        salt: &[u8; 32],
    ) -> Self {
        Self::first_from(secrets.current(), session_id, redemption, salt)
    }

    /// Derives that token again, if one of the accepted secrets gives this hash.
    #[must_use]
    pub fn first_again(
        secrets: &Secrets,
        session_id: SessionId,
        redemption: &[u8; 32],
        salt: &[u8; 32],
        hash: &[u8; 32],
    ) -> Option<Self> {
        secrets
            .iter()
            .map(|secret| Self::first_from(secret, session_id, redemption, salt))
            .find(|token| token.has_hash(hash))
    }

    /// Derives the successor of this token with the current secret.
    #[must_use]
    pub fn successor(&self, secrets: &Secrets, salt: &[u8; 32]) -> Self {
        self.successor_from(secrets.current(), salt)
    }

    /// Derives the successor again, if one of the accepted secrets gives this hash.
    #[must_use]
    pub fn successor_again(&self, secrets: &Secrets, salt: &[u8; 32], hash: &[u8; 32]) -> Option<Self> {
        secrets.iter().map(|secret| self.successor_from(secret, salt)).find(|token| token.has_hash(hash))
    }

    /// Returns the session that it belongs to.
    #[must_use]
    pub fn session_id(&self) -> SessionId {
        let mut id = [0; 16];
        id.copy_from_slice(&self.0[8..24]);
        SessionId(uuid::Uuid::from_bytes(id))
    }

    /// Returns the number of tokens of the session before this one.
    #[must_use]
    pub fn generation(&self) -> u64 {
        let mut generation = [0; 8];
        generation.copy_from_slice(&self.0[24..32]);
        u64::from_be_bytes(generation)
    }

    /// Returns the hash that the row stores.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        digest_of(b"gatepass refresh token", &[&self.0])
    }

    /// Returns true if this is its hash, in constant time.
    #[must_use]
    pub fn has_hash(&self, hash: &[u8; 32]) -> bool {
        self.hash().ct_eq(hash).into()
    }

    /// Returns the token as text.
    #[must_use]
    pub fn encode(&self) -> String {
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(self.0))
    }

    fn first_from(secret: &Secret, session_id: SessionId, redemption: &[u8; 32], salt: &[u8; 32]) -> Self {
        Self::make(
            secret,
            session_id,
            0,
            &mac(&secret.refresh_first, &[redemption, session_id.0.as_bytes(), salt]),
        )
    }

    fn successor_from(&self, secret: &Secret, salt: &[u8; 32]) -> Self {
        let generation = self.generation().saturating_add(1);
        Self::make(secret, self.session_id(), generation, &mac(&secret.refresh_successor, &[&self.0, salt]))
    }

    fn make(secret: &Secret, session_id: SessionId, generation: u64, random: &[u8; 32]) -> Self {
        let mut bytes = [0; WHOLE];
        bytes[..8].copy_from_slice(&secret.id);
        bytes[8..24].copy_from_slice(session_id.0.as_bytes());
        bytes[24..32].copy_from_slice(&generation.to_be_bytes());
        bytes[32..BODY].copy_from_slice(random);
        let tag = Self::tag(&secret.refresh_mac, &bytes[..BODY]);
        bytes[BODY..].copy_from_slice(&tag);
        Self(bytes)
    }

    fn tag(key: &hmac::Key, body: &[u8]) -> [u8; 32] {
        mac(key, &[body])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{OsEntropy, SystemClock};
    use proptest::prelude::*;

    fn secrets(list: &[&str]) -> Secrets {
        Secrets::new(&list.iter().map(|text| text.repeat(32).into()).collect::<Vec<_>>()).unwrap()
    }

    fn session() -> SessionId {
        SessionId::mint(&SystemClock, &OsEntropy)
    }

    #[test]
    fn a_token_reads_back_and_names_its_session() {
        let secrets = secrets(&["a"]);
        let id = session();
        let token = GenuineRefreshToken::first(&secrets, &OsEntropy, id);
        let read = GenuineRefreshToken::verify(&secrets, &token.encode()).unwrap();
        assert_eq!((read.session_id(), read.generation(), read.hash()), (id, 0, token.hash()));
    }

    #[test]
    fn every_changed_character_is_a_forgery() {
        let secrets = secrets(&["a"]);
        let text = GenuineRefreshToken::first(&secrets, &OsEntropy, session()).encode();
        for place in 0..text.len() {
            for other in ["A", "B", "_", "=", "/", "é", ""] {
                let bent = format!("{}{other}{}", &text[..place], &text[place + 1..]);
                if bent != text {
                    assert!(GenuineRefreshToken::verify(&secrets, &bent).is_err(), "{place} {other}");
                }
            }
        }
    }

    #[test]
    fn a_successor_depends_on_token_and_salt_and_secret_and_nothing_else() {
        let (old, new) = (secrets(&["a"]), secrets(&["b", "a"]));
        let token = GenuineRefreshToken::first(&old, &OsEntropy, session());
        let next = token.successor(&old, &[1; 32]);
        assert_eq!(next.encode(), token.successor(&old, &[1; 32]).encode());
        assert_ne!(next.encode(), token.successor(&old, &[2; 32]).encode());
        assert_ne!(next.encode(), token.successor(&new, &[1; 32]).encode());
        assert_eq!(next.generation(), 1);
        let again = token.successor_again(&new, &[1; 32], &next.hash()).unwrap();
        assert_eq!(again.encode(), next.encode());
        assert!(token.successor_again(&new, &[2; 32], &next.hash()).is_none());
    }

    #[test]
    fn a_removed_secret_no_longer_proves_anything() {
        let token = GenuineRefreshToken::first(&secrets(&["a"]), &OsEntropy, session()).encode();
        assert!(GenuineRefreshToken::verify(&secrets(&["b", "a"]), &token).is_ok());
        assert_eq!(GenuineRefreshToken::verify(&secrets(&["b"]), &token).unwrap_err(), RefreshFault);
    }

    proptest! {
        #[test]
        fn no_other_text_is_a_token(text in ".{0,200}", tail in "[A-Za-z0-9_-]{128}") {
            let secrets = secrets(&["a"]);
            prop_assert!(GenuineRefreshToken::verify(&secrets, &text).is_err());
            let random = format!("gpr_{tail}");
            prop_assert!(GenuineRefreshToken::verify(&secrets, &random).is_err());
        }
    }
}
