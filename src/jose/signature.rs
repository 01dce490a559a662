//! The private half of a key, parsed once. `jsonwebtoken` stores a key as bytes and parses it for each token, which
//! takes about as long as signing. This module therefore keeps the parsed key, from the same library.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use jsonwebtoken::EncodingKey;

use super::algorithm::Algorithm;

/// Signs with one algorithm.
pub(super) enum Signer {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
}

impl Signer {
    /// Makes the signer of a key; returns `None` if the key is invalid or of another kind.
    pub(super) fn new(key: &EncodingKey, algorithm: Algorithm) -> Option<Self> {
        let der = key.as_bytes();
        let ecdsa = |curve| EcdsaKeyPair::from_pkcs8(curve, der).map(Self::Ecdsa);
        let rsa = |encoding| RsaKeyPair::from_der(der).map(|pair| Self::Rsa(pair, encoding));
        match algorithm {
            Algorithm::Es256 => ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::Es384 => ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING),
            Algorithm::EdDsa => Ed25519KeyPair::from_pkcs8(der).map(Self::Ed25519),
            Algorithm::Ps256 => rsa(&RSA_PSS_SHA256),
            Algorithm::Rs256 => rsa(&RSA_PKCS1_SHA256),
            Algorithm::Ps384 | Algorithm::Ps512 | Algorithm::Rs384 | Algorithm::Rs512 => return None,
        }
        .ok()
    }

    /// Returns the size of its signatures, in bytes.
    pub(super) fn signature_size(&self) -> usize {
        match self {
            Self::Ecdsa(pair) if pair.algorithm() == &ECDSA_P384_SHA384_FIXED_SIGNING => 96,
            Self::Ecdsa(_) | Self::Ed25519(_) => 64,
            Self::Rsa(pair, _) => pair.public_modulus_len(),
        }
    }

    /// Signs a message, in the form of JWS (RFC 7518 section 3, RFC 8037 section 3.1).
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::Ecdsa(pair) => Some(pair.sign(&random, message).ok()?.as_ref().to_vec()),
            Self::Ed25519(pair) => Some(pair.sign(message).as_ref().to_vec()),
            Self::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature).ok()?;
                Some(signature)
            }
        }
    }
}
