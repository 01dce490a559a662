//! Signatures, below the floor of providers and tokens. It has algorithms, signing keys, verifying keys, key sets, and
//! unverified tokens (JOSE, RFC 7515 to 7518). The types of `jsonwebtoken` stay in here. It knows no claims: `tokens/`
//! and `oauth/` interpret tokens and choose the accepted keys.
#![expect(clippy::disallowed_types, reason = "this floor holds the keys of the library")]

mod algorithm;
mod compact;
mod fault;
mod jwk_set;
mod key;
mod public_key;
mod published_jwks;
mod signature;
mod unverified;

pub use algorithm::{Algorithm, KeyKind};
pub use compact::Compact;
pub use fault::{JwkSetFault, KeyFault, MalformedToken, SignatureFault};
pub use jwk_set::{Jwk, JwkSet};
pub(crate) use key::generate_pem;
pub use key::{SigningKey, payload_room};
pub use public_key::PublicKey;
pub use published_jwks::PublishedJwks;
pub use unverified::Unverified;
