//! The proof of a person by a provider.

use secrecy::SecretString;

use crate::model::{Profile, Timestamp};

/// A verified person.
#[derive(Debug)]
pub struct Proof {
    /// The person's profile.
    pub profile: Profile,
    /// The ID token of the proof, so that it can be used only once.
    pub id_token: Option<IdTokenMark>,
    /// The provider's tokens, if a code was redeemed. They are not stored.
    pub tokens: Option<ProviderTokens>,
}

/// The mark of an ID token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdTokenMark {
    /// A digest of the signed part, because several signatures of it may be valid.
    pub digest: [u8; 32],
    /// The expiry of the token.
    pub expires_at: Timestamp,
}

/// The tokens in a response of a token endpoint (RFC 6749 section 5.1, OpenID Connect Core section 3.1.3.3).
#[derive(Debug, Clone)]
pub struct ProviderTokens {
    /// The access token.
    pub access_token: SecretString,
    /// Its type, as the provider spells it.
    pub token_type: String,
    /// Its expiry, if the provider returns one.
    pub expires_at: Option<Timestamp>,
    /// The refresh token.
    pub refresh_token: Option<SecretString>,
    /// The ID token.
    pub id_token: Option<SecretString>,
    /// The granted scopes, if the provider returns them; empty if none was granted.
    pub scope: Option<String>,
}
