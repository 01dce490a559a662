//! Floor 1, the cryptography: secrets with their derived keys, sealing, the ring of signing keys, and the tokens. An
//! access token is a JWT of RFC 9068 or a reference to a session, with its issuer and verifier. A refresh token derives
//! its successor. This floor has neither a database nor a clock. `auth/` decides what a verified token permits.

mod cache;
mod claims;
mod fit;
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
pub use fit::{TooLarge, fits_in};
pub use grant::GrantToken;
pub use limits::{MAX_TOKEN_BYTES, TOKEN_TYPE};
pub use reference::{Reference, References};
pub use refresh::{GenuineRefreshToken, RefreshFault};
pub use ring::{IssueFault, KeyRing, RingKey};
pub use secrets::{Secrets, SecretsFault};
pub use verifier::{TokenFault, Verifier};
