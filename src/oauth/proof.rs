//! The proof that a provider's answer gives.

use secrecy::SecretString;

use crate::model::{Profile, Timestamp};

/// A person, proven.
#[derive(Debug)]
pub struct Proof {
    /// The person's profile.
    pub profile: Profile,
    /// The ID token that proved it, so that it proves it once.
    pub id_token: Option<IdTokenMark>,
    /// The provider's tokens, where a code was redeemed. Kept nowhere.
    pub tokens: Option<ProviderTokens>,
}

/// The mark of an ID token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdTokenMark {
    /// A digest of what the provider signed: not of the signature, of which there may be several that hold.
    pub digest: [u8; 32],
    /// The end of the token.
    pub expires_at: Timestamp,
}

/// The tokens of a token endpoint's answer (RFC 6749 section 5.1, OpenID Connect Core section 3.1.3.3).
#[derive(Debug, Clone)]
pub struct ProviderTokens {
    /// The access token.
    pub access_token: SecretString,
    /// Its type, as the provider spells it.
    pub token_type: String,
    /// Its end, if the provider tells.
    pub expires_at: Option<Timestamp>,
    /// The refresh token.
    pub refresh_token: Option<SecretString>,
    /// The ID token.
    pub id_token: Option<SecretString>,
    /// The scopes that were granted, if the provider tells; empty where it tells that none was.
    pub scope: Option<String>,
}
