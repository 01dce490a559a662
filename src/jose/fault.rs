//! The faults of keys, key sets and tokens.

use std::fmt;

use super::algorithm::Algorithm;

/// The fault of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFault {
    /// The text is no private key in PEM (PKCS#8; PKCS#1 for RSA) of a supported kind.
    NotAKey,
    /// The key is of another kind than the algorithm requires.
    OtherKind(Algorithm),
    /// The key exists already: the public half of a key determines its name.
    Twice,
    /// An RSA key without an algorithm.
    Unsaid,
    /// No accepted secret opens the record, or the record was changed.
    Sealed,
    /// The library failed to generate a key.
    NotMade,
}

impl fmt::Display for KeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAKey => f.write_str("not a PEM private key (PKCS#8) of P-256, P-384, Ed25519 or RSA"),
            Self::OtherKind(algorithm) => write!(f, "not a key for {}", algorithm.name()),
            Self::Twice => f.write_str("the same key as in another file; remove one, or generate a new key"),
            Self::Unsaid => {
                f.write_str("an RSA key without an algorithm; write {file: PATH, algorithm: RS256}, or PS256")
            }
            Self::Sealed => f.write_str("no configured secret opens this signing key"),
            Self::NotMade => f.write_str("key generation failed"),
        }
    }
}

impl std::error::Error for KeyFault {}

/// The fault of a key set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwkSetFault {
    /// It has no list of keys.
    NoKeys,
    /// It has more keys than the maximum.
    TooMany,
    /// It has no key for signatures by a supported algorithm.
    NoneForSignatures,
}

impl fmt::Display for JwkSetFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoKeys => "no keys",
            Self::TooMany => "too many keys",
            Self::NoneForSignatures => "no key for signatures",
        })
    }
}

impl std::error::Error for JwkSetFault {}

/// The fault of a text that is no acceptable signed JWT. Its message contains nothing of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MalformedToken(pub &'static str);

impl fmt::Display for MalformedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for MalformedToken {}

/// The fault of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureFault {
    /// No key matches. A newer key may.
    KeyUnknown,
    /// It was not made by the key that the token names.
    Invalid,
    /// It was not made by the only key, and the token names none. A newer key may have made it.
    PerhapsOld,
}

impl fmt::Display for SignatureFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KeyUnknown => "no matching key",
            Self::Invalid | Self::PerhapsOld => "the signature is invalid",
        })
    }
}

impl std::error::Error for SignatureFault {}
