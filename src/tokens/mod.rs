//! Floor 1, the cryptography: secrets and what is derived or sealed with them, the ring of signing keys, and the tokens —
//! the access token, which is a JWT of RFC 9068 or a reference to a session, with its issuer and verifier, and the
//! refresh token with its successor.
//! Knows no database and no clock of its own; what a verified token may do is for `auth/` to say.

mod cache;
mod claims;
mod grant;
mod limits;
mod record;
mod reference;
mod refresh;
mod ring;
mod seal;
mod secrets;
mod verifier;

pub use cache::{CachingVerifier, VerifiedToken, VerifyToken};
pub use claims::{AccessClaims, UserClaims};
pub use grant::GrantToken;
pub use limits::{MAX_TOKEN_BYTES, TOKEN_TYPE};
pub use reference::{Reference, References};
pub use refresh::{GenuineRefreshToken, RefreshFault};
pub use ring::{IssueFault, KeyRing, RingKey};
pub use secrets::{Secrets, SecretsFault};
pub use verifier::{TokenFault, Verifier};
