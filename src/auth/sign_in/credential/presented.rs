//! The credentials that `SignIn` takes.

use crate::model::{Profile, ProviderId};

/// A credential that proves a person.
pub enum Credential {
    /// The caller vouches.
    Profile(Box<Profile>),
    /// A provider's page answered.
    OAuthCallback(OAuthCallback),
    /// A client got an ID token by itself.
    IdToken(IdTokenCredential),
}

/// The answer of a provider's page (RFC 6749 section 4.1.2).
pub struct OAuthCallback {
    /// The sealed flow.
    pub flow: String,
    /// The code; empty with `error`.
    pub code: String,
    /// The `state` that came back.
    pub state: String,
    /// The issuer of the response (RFC 9207).
    pub iss: Option<String>,
    /// The provider's error.
    pub error: Option<String>,
    /// The JSON that Apple posts at the first sign-in.
    pub user: Option<String>,
    /// The provider whose route the browser came back to, if the caller tells.
    pub provider: Option<ProviderId>,
}

/// An ID token that the client got by itself.
pub struct IdTokenCredential {
    /// The provider.
    pub provider: ProviderId,
    /// The token.
    pub token: String,
    /// The binding to this sign-in.
    pub binding: Binding,
}

/// The binding of an ID token to a sign-in.
pub enum Binding {
    /// A sealed flow, whose nonce it must have.
    Flow(String),
    /// A nonce that the caller kept.
    Nonce(String),
}

impl Credential {
    /// The provider, where it is known without opening anything.
    pub(in crate::auth::sign_in) fn provider(&self) -> Option<&ProviderId> {
        match self {
            Self::Profile(profile) => Some(&profile.provider),
            Self::OAuthCallback(callback) => callback.provider.as_ref(),
            Self::IdToken(credential) => Some(&credential.provider),
        }
    }
}
