//! The keys that sign ID tokens.

use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepass::model::ClaimMap;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::Value;

use super::super::KEYS;

/// A signing key, and its published public half.
pub struct SigningKey {
    pub kid: String,
    algorithm: Algorithm,
    private: EncodingKey,
    pub jwk: Value,
}

impl SigningKey {
    /// Generates a key. The RSA key is always the same, since generating one is slow.
    pub fn generate(algorithm: Algorithm, kid: &str) -> Self {
        let private = match algorithm {
            Algorithm::ES256 => elliptic(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::ES384 => elliptic(&ECDSA_P384_SHA384_FIXED_SIGNING),
            Algorithm::EdDSA => {
                let der = Ed25519KeyPair::generate().unwrap().to_pkcs8v1().unwrap();
                EncodingKey::from_ed_pem(&pem(der.as_ref())).unwrap()
            }
            _ => EncodingKey::from_rsa_pem(&std::fs::read(format!("{KEYS}/rsa.pem")).unwrap()).unwrap(),
        };
        Self::new(private, algorithm, kid)
    }

    fn new(private: EncodingKey, algorithm: Algorithm, kid: &str) -> Self {
        let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&private, algorithm).unwrap()).unwrap();
        let members = jwk.as_object_mut().unwrap();
        members.insert("kid".into(), kid.into());
        members.insert("use".into(), "sig".into());
        members.insert("alg".into(), format!("{algorithm:?}").into());
        Self { kid: kid.to_owned(), algorithm, private, jwk }
    }

    /// Returns its `alg`.
    pub fn name(&self) -> String {
        format!("{:?}", self.algorithm)
    }

    /// Signs a token with any header.
    pub fn sign(&self, header: &ClaimMap, claims: &ClaimMap) -> String {
        let message = message(header, claims);
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), &self.private, self.algorithm).unwrap();
        format!("{message}.{signature}")
    }

    /// Computes `at_hash` (OpenID Connect Core section 3.1.3.6).
    pub fn left_half_of_hash(&self, access_token: &str) -> String {
        let hash = match self.algorithm {
            Algorithm::ES384 | Algorithm::RS384 | Algorithm::PS384 => &SHA384,
            Algorithm::EdDSA | Algorithm::RS512 | Algorithm::PS512 => &SHA512,
            _ => &SHA256,
        };
        let digest = digest(hash, access_token.as_bytes());
        URL_SAFE_NO_PAD.encode(&digest.as_ref()[..digest.as_ref().len() / 2])
    }
}

/// Builds a token with `alg: none`.
pub fn unsigned(header: &ClaimMap, claims: &ClaimMap) -> String {
    format!("{}.", message(header, claims))
}

/// Builds a token with HS256.
pub fn symmetric(header: &ClaimMap, claims: &ClaimMap, secret: &str) -> String {
    let message = message(header, claims);
    let key = EncodingKey::from_secret(secret.as_bytes());
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    format!("{message}.{signature}")
}

fn message(header: &ClaimMap, claims: &ClaimMap) -> String {
    let part = |map: &ClaimMap| URL_SAFE_NO_PAD.encode(serde_json::to_vec(map).unwrap());
    format!("{}.{}", part(header), part(claims))
}

fn elliptic(algorithm: &'static aws_lc_rs::signature::EcdsaSigningAlgorithm) -> EncodingKey {
    let der = EcdsaKeyPair::generate(algorithm).unwrap().to_pkcs8v1().unwrap();
    EncodingKey::from_ec_pem(&pem(der.as_ref())).unwrap()
}

fn pem(der: &[u8]) -> Vec<u8> {
    pem::encode(&pem::Pem::new("PRIVATE KEY", der)).into_bytes()
}
