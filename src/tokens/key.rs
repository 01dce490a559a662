//! A signing key: private half, public half and name, from PEM. Managed keys are PEM too, sealed: `record`. What signs
//! with the private half is `signer`.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, KeyAlgorithm, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde_json::json;

use super::signer::Signer;
use super::verifier::TOKEN_TYPE;
use crate::model::ClaimMap;

/// How tokens are signed (RFC 7518 section 3.1, RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256: what every language's stock library verifies.
    Es256,
    /// ECDSA with P-384 and SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl Algorithm {
    /// Every algorithm there is.
    pub const ALL: [Self; 5] = [Self::Es256, Self::Es384, Self::EdDsa, Self::Ps256, Self::Rs256];

    /// Its `alg` value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
            Self::Ps256 => "PS256",
            Self::Rs256 => "RS256",
        }
    }

    /// The algorithm of this `alg` value.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Whether its keys are RSA keys, which may be used by more than one algorithm.
    #[must_use]
    pub const fn is_rsa(self) -> bool {
        matches!(self, Self::Ps256 | Self::Rs256)
    }

    pub(super) const fn in_library(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::Es384 => jsonwebtoken::Algorithm::ES384,
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Ps256 => jsonwebtoken::Algorithm::PS256,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
        }
    }
}

/// Why a key can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFault {
    /// Not a private key in PEM (PKCS#8; PKCS#1 for RSA) of a kind we know.
    NotAKey,
    /// A key of another kind than the algorithm wants.
    OtherKind(Algorithm),
    /// A key that is there already: keys have their names of their public halves.
    Twice,
    /// An RSA key, and nothing says which of its algorithms it has.
    Unsaid,
    /// No accepted secret opens the record, or it was changed.
    Sealed,
    /// The library could not make one.
    NotMade,
}

impl std::fmt::Display for KeyFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotAKey => f.write_str("not a PEM private key (PKCS#8) of P-256, P-384, Ed25519 or RSA"),
            Self::OtherKind(algorithm) => write!(f, "not a key for {}", algorithm.name()),
            Self::Twice => f.write_str("the key of another file, too; leave one out, or make a new key"),
            Self::Unsaid => f.write_str(
                "an RSA key, which does not tell what it has signed by; write {file: PATH, algorithm: RS256}, or PS256",
            ),
            Self::Sealed => f.write_str("no configured secret opens this signing key"),
            Self::NotMade => f.write_str("no key could be made"),
        }
    }
}

/// A key that signs and verifies, under one algorithm.
pub struct SigningKey {
    pub(super) kid: String,
    pub(super) algorithm: Algorithm,
    /// The header of its tokens, encoded (RFC 7515 section 4): all of them have the same.
    header: String,
    private: Signer,
    pub(super) public: DecodingKey,
    pub(super) jwk: Jwk,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({} {})", self.kid, self.algorithm.name())
    }
}

impl SigningKey {
    /// Reads a PEM private key. `rsa` says which algorithm an RSA key has; of other keys their kind says it.
    pub fn from_pem(pem: &[u8], rsa: Algorithm) -> Result<Self, KeyFault> {
        let candidates = [Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa, rsa];
        candidates.into_iter().find_map(|algorithm| Self::of_kind(pem, algorithm)).ok_or(KeyFault::NotAKey)
    }

    pub(super) fn of_kind(pem: &[u8], algorithm: Algorithm) -> Option<Self> {
        let private = match algorithm {
            Algorithm::Es256 | Algorithm::Es384 => EncodingKey::from_ec_pem(pem),
            Algorithm::EdDsa => EncodingKey::from_ed_pem(pem),
            Algorithm::Ps256 | Algorithm::Rs256 => EncodingKey::from_rsa_pem(pem),
        }
        .ok()?;
        let mut jwk = Jwk::from_encoding_key(&private, algorithm.in_library()).ok()?;
        let kid = jwk.thumbprint(ThumbprintHash::SHA256).ok()?;
        let public = DecodingKey::from_jwk(&jwk).ok()?;
        jwk.common.key_id = Some(kid.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        jwk.common.key_algorithm = Some(KeyAlgorithm::from(algorithm.in_library()));
        let header = json!({"alg": algorithm.name(), "kid": kid, "typ": TOKEN_TYPE}).to_string();
        let (header, private) = (URL_SAFE_NO_PAD.encode(header), Signer::new(&private, algorithm)?);
        let key = Self { kid, algorithm, header, private, public, jwk };
        key.proves_itself().then_some(key)
    }

    /// Whether what it signs verifies: a key that is broken, or too weak for the library, shows here.
    fn proves_itself(&self) -> bool {
        let Some(signature) = self.private.sign(b"gatepass") else { return false };
        let signature = URL_SAFE_NO_PAD.encode(signature);
        jsonwebtoken::crypto::verify(&signature, b"gatepass", &self.public, self.algorithm.in_library())
            .unwrap_or(false)
    }

    /// The token that says these claims, signed (RFC 7515 section 3.1).
    pub(super) fn sign(&self, claims: &ClaimMap) -> Option<String> {
        let mut token = self.header.clone();
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(claims).ok()?, &mut token);
        let signature = self.private.sign(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Some(token)
    }

    /// Its name: the SHA-256 thumbprint of its public half (RFC 7638).
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Its one algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// A fresh private key in PEM (PKCS#8).
pub(super) fn generate_pem(algorithm: Algorithm) -> Option<String> {
    let der: Vec<u8> = match algorithm {
        Algorithm::Es256 => ecdsa_der(&ECDSA_P256_SHA256_FIXED_SIGNING)?,
        Algorithm::Es384 => ecdsa_der(&ECDSA_P384_SHA384_FIXED_SIGNING)?,
        Algorithm::EdDsa => Ed25519KeyPair::generate().ok()?.to_pkcs8v1().ok()?.as_ref().to_vec(),
        Algorithm::Ps256 | Algorithm::Rs256 => {
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
    fn what_is_no_private_key_is_refused() {
        for bad in ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "nonsense"] {
            assert_eq!(
                SigningKey::from_pem(bad.as_bytes(), Algorithm::Rs256).unwrap_err(),
                KeyFault::NotAKey
            );
        }
    }
}
