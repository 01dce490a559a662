//! A signing key: private half, public half and name, from PEM. `signature` signs with the private half.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, KeyAlgorithm, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde_json::json;

use super::algorithm::{Algorithm, KeyKind};
use super::fault::KeyFault;
use super::public_key::PublicKey;
use super::signature::Signer;
use crate::model::ClaimMap;

/// The modulus of RSA keys that Gatepass makes, in bytes.
const RSA_BYTES: usize = 384;
/// The length of a SHA-256 thumbprint.
const THUMBPRINT_LENGTH: usize = 43;

/// A key that signs and verifies, under one algorithm.
pub struct SigningKey {
    kid: String,
    algorithm: Algorithm,
    /// The header of its tokens, encoded (RFC 7515 section 4); it is the same for all of them.
    header: String,
    private: Signer,
    public: PublicKey,
    jwk: Jwk,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({} {})", self.kid, self.algorithm.name())
    }
}

impl SigningKey {
    /// Reads a PEM private key, for tokens of this type (`typ`). `rsa` is the algorithm of an RSA key; the kind of any
    /// other key determines its algorithm.
    pub fn from_pem(pem: &[u8], rsa: Algorithm, token_type: &str) -> Result<Self, KeyFault> {
        let candidates = [Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa, rsa];
        let mut keys =
            candidates.into_iter().filter_map(|algorithm| Self::of_kind(pem, algorithm, token_type));
        keys.next().ok_or(KeyFault::NotAKey)
    }

    /// Reads a PEM private key for one algorithm; returns `None` if the key is of another kind.
    pub(crate) fn of_kind(pem: &[u8], algorithm: Algorithm, token_type: &str) -> Option<Self> {
        let private = match algorithm.key_kind() {
            KeyKind::P256 | KeyKind::P384 => EncodingKey::from_ec_pem(pem),
            KeyKind::Ed25519 => EncodingKey::from_ed_pem(pem),
            KeyKind::Rsa => EncodingKey::from_rsa_pem(pem),
        }
        .ok()?;
        let mut jwk = Jwk::from_encoding_key(&private, algorithm.in_library()).ok()?;
        let kid = jwk.thumbprint(ThumbprintHash::SHA256).ok()?;
        let public = PublicKey(DecodingKey::from_jwk(&jwk).ok()?);
        jwk.common.key_id = Some(kid.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        jwk.common.key_algorithm = Some(KeyAlgorithm::from(algorithm.in_library()));
        let header = header(algorithm, Some(&kid), token_type);
        let private = Signer::new(&private, algorithm)?;
        let key = Self { kid, algorithm, header, private, public, jwk };
        key.proves_itself().then_some(key)
    }

    /// Returns true if its signatures verify, which those of a broken or weak key do not.
    fn proves_itself(&self) -> bool {
        let Some(signature) = self.private.sign(b"gatepass") else { return false };
        self.public.verifies(self.algorithm, b"gatepass", &URL_SAFE_NO_PAD.encode(signature))
    }

    /// Renames the key in the header of its tokens; without a name they have no `kid`.
    #[must_use]
    pub fn named(self, kid: Option<&str>, token_type: &str) -> Self {
        Self { header: header(self.algorithm, kid, token_type), ..self }
    }

    /// Signs a token of these claims (RFC 7515 section 3.1).
    #[must_use]
    pub fn sign(&self, claims: &ClaimMap) -> Option<String> {
        self.sign_payload(&serde_json::to_vec(claims).ok()?)
    }

    /// Signs a token of these claims as JSON.
    #[must_use]
    pub fn sign_payload(&self, claims: &[u8]) -> Option<String> {
        let mut token = self.header.clone();
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = self.private.sign(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Some(token)
    }

    /// Returns the maximum size of claims as JSON, in bytes, of a token of this size.
    #[must_use]
    pub fn payload_room(&self, token_size: usize) -> usize {
        room(&self.header, self.private.signature_size(), token_size)
    }

    /// Returns its name: the SHA-256 thumbprint of its public half (RFC 7638).
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Returns its one algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns its public half.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    pub(super) fn jwk(&self) -> &Jwk {
        &self.jwk
    }
}

/// Returns the maximum size of claims as JSON, in bytes, of a token of this size and type under a key that Gatepass
/// made.
#[must_use]
pub fn payload_room(algorithm: Algorithm, token_type: &str, token_size: usize) -> usize {
    let signature = match algorithm.key_kind() {
        KeyKind::P256 | KeyKind::Ed25519 => 64,
        KeyKind::P384 => 96,
        KeyKind::Rsa => RSA_BYTES,
    };
    room(&header(algorithm, Some(&"k".repeat(THUMBPRINT_LENGTH)), token_type), signature, token_size)
}

fn room(header: &str, signature_size: usize, token_size: usize) -> usize {
    token_size.saturating_sub(header.len() + (signature_size * 4).div_ceil(3) + 2) * 3 / 4
}

/// Encodes the header of tokens.
fn header(algorithm: Algorithm, kid: Option<&str>, token_type: &str) -> String {
    let mut header = json!({"alg": algorithm.name(), "typ": token_type});
    if let Some(kid) = kid {
        header["kid"] = kid.into();
    }
    URL_SAFE_NO_PAD.encode(header.to_string())
}

/// Generates a private key in PEM (PKCS#8).
pub(crate) fn generate_pem(algorithm: Algorithm) -> Option<String> {
    let der: Vec<u8> = match algorithm.key_kind() {
        KeyKind::P256 => ecdsa_der(&ECDSA_P256_SHA256_FIXED_SIGNING)?,
        KeyKind::P384 => ecdsa_der(&ECDSA_P384_SHA384_FIXED_SIGNING)?,
        KeyKind::Ed25519 => Ed25519KeyPair::generate().ok()?.to_pkcs8v1().ok()?.as_ref().to_vec(),
        KeyKind::Rsa => {
            let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa3072).ok()?;
            AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).ok()?.as_ref().to_vec()
        }
    };
    Some(pem::encode(&pem::Pem::new("PRIVATE KEY", der)))
}

fn ecdsa_der(algorithm: &'static aws_lc_rs::signature::EcdsaSigningAlgorithm) -> Option<Vec<u8>> {
    let pair = EcdsaKeyPair::generate(algorithm).ok()?;
    Some(pair.to_pkcs8v1().ok()?.as_ref().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_but_a_private_key_is_rejected() {
        for bad in ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "nonsense"] {
            assert_eq!(
                SigningKey::from_pem(bad.as_bytes(), Algorithm::Rs256, "JWT").unwrap_err(),
                KeyFault::NotAKey
            );
        }
    }

    #[test]
    fn a_payload_of_the_room_makes_a_token_of_the_size() {
        for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa, Algorithm::Ps256] {
            let pem = generate_pem(algorithm).unwrap();
            let key = SigningKey::from_pem(pem.as_bytes(), algorithm, "JWT").unwrap();
            for size in [4093, 4094, 4095, 4096] {
                let room = key.payload_room(size);
                assert_eq!(room, payload_room(algorithm, "JWT", size), "{algorithm:?}");
                let sizes = [room, room + 1].map(|room| key.sign_payload(&vec![b'x'; room]).unwrap().len());
                assert!(sizes[0] <= size && size < sizes[1], "{algorithm:?} {size} {sizes:?}");
            }
        }
    }
}
