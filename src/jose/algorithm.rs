//! Signature algorithms, for tokens of Gatepass and of providers. `none` and algorithms with a shared secret are
//! excluded.

use aws_lc_rs::digest::{Algorithm as Hash, SHA256, SHA384, SHA512, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A signature algorithm (RFC 7518 section 3.1, RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256, which the standard library of every language verifies.
    Es256,
    /// ECDSA with P-384 and SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
}

/// The kind of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA.
    Rsa,
    /// The curve P-256.
    P256,
    /// The curve P-384.
    P384,
    /// The curve Ed25519.
    Ed25519,
}

impl Algorithm {
    /// Every algorithm there is.
    pub const ALL: [Self; 9] = [
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
    ];

    /// Returns its `alg` value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
        }
    }

    /// Returns the algorithm of this `alg` value.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Returns the algorithm of this `alg` value in a key or a token of a provider, which may call `EdDSA` with Ed25519
    /// by its name of RFC 9864.
    #[must_use]
    pub fn of_provider(name: &str) -> Option<Self> {
        if name == "Ed25519" { Some(Self::EdDsa) } else { Self::from_name(name) }
    }

    /// Returns the algorithm of this `alg` value, if Gatepass signs with it.
    #[must_use]
    pub fn of_ours(name: &str) -> Option<Self> {
        Self::from_name(name).filter(|algorithm| algorithm.signs())
    }

    /// Returns true if Gatepass signs with it: for RSA keys, one hash is enough.
    #[must_use]
    pub const fn signs(self) -> bool {
        match self {
            Self::Es256 | Self::Es384 | Self::EdDsa | Self::Ps256 | Self::Rs256 => true,
            Self::Ps384 | Self::Ps512 | Self::Rs384 | Self::Rs512 => false,
        }
    }

    /// Returns the kind of its keys.
    #[must_use]
    pub const fn key_kind(self) -> KeyKind {
        match self {
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512 => KeyKind::Rsa,
            Self::Es256 => KeyKind::P256,
            Self::Es384 => KeyKind::P384,
            Self::EdDsa => KeyKind::Ed25519,
        }
    }

    /// Returns true if its keys are RSA keys, which more than one algorithm can use.
    #[must_use]
    pub const fn is_rsa(self) -> bool {
        matches!(self.key_kind(), KeyKind::Rsa)
    }

    pub(super) const fn in_library(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::Es384 => jsonwebtoken::Algorithm::ES384,
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Ps256 => jsonwebtoken::Algorithm::PS256,
            Self::Ps384 => jsonwebtoken::Algorithm::PS384,
            Self::Ps512 => jsonwebtoken::Algorithm::PS512,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
            Self::Rs384 => jsonwebtoken::Algorithm::RS384,
            Self::Rs512 => jsonwebtoken::Algorithm::RS512,
        }
    }

    /// Computes the `at_hash` of an access token under this algorithm (OpenID Connect Core section 3.1.3.6).
    #[must_use]
    pub fn left_half_of_hash(self, access_token: &str) -> String {
        let digest = digest(self.hash(), access_token.as_bytes());
        let digest = digest.as_ref();
        URL_SAFE_NO_PAD.encode(&digest[..digest.len() / 2])
    }

    /// Returns the hash inside the algorithm; that of Ed25519 is SHA-512 (RFC 8032 section 5.1).
    const fn hash(self) -> &'static Hash {
        match self {
            Self::Rs256 | Self::Ps256 | Self::Es256 => &SHA256,
            Self::Rs384 | Self::Ps384 | Self::Es384 => &SHA384,
            Self::Rs512 | Self::Ps512 | Self::EdDsa => &SHA512,
        }
    }
}
