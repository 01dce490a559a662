//! The credentials that `SignIn` accepts.

use crate::model::{Profile, ProviderId};

/// A credential of a person.
pub enum Credential {
    /// A profile that the caller vouches for.
    Profile(Box<Profile>),
    /// The response of a provider's page.
    OAuthCallback(OAuthCallback),
    /// An ID token that the client obtained itself.
    IdToken(IdTokenCredential),
}

/// The response of a provider's page (RFC 6749 section 4.1.2).
pub struct OAuthCallback {
    /// The sealed flow.
    pub flow: String,
    /// The code; empty if `error` is set.
    pub code: String,
    /// The `state` of the response.
    pub state: String,
    /// The issuer of the response (RFC 9207).
    pub iss: Option<String>,
    /// The provider's error.
    pub error: Option<String>,
    /// The JSON that Apple posts at the first sign-in.
    pub user: Option<String>,
    /// The provider whose route the browser came back to, if the caller says so.
    pub provider: Option<ProviderId>,
}

/// An ID token that the client obtained itself.
pub struct IdTokenCredential {
    /// The provider.
    pub provider: ProviderId,
    /// The token.
    pub token: String,
    /// The binding to this sign-in; `None` if the token has no nonce.
    pub binding: Option<Binding>,
}

/// The binding of an ID token to a sign-in.
pub enum Binding {
    /// A sealed flow, whose nonce the token must have.
    Flow(String),
    /// A nonce that the caller kept.
    Nonce(String),
}

impl Credential {
    /// Returns the provider, if it is known without opening a flow.
    pub(in crate::auth::sign_in) fn provider(&self) -> Option<&ProviderId> {
        match self {
            Self::Profile(profile) => Some(&profile.identity.provider),
            Self::OAuthCallback(callback) => callback.provider.as_ref(),
            Self::IdToken(credential) => Some(&credential.provider),
        }
    }
}
