//! Floor 1, the providers: OAuth 2.0 and OpenID Connect towards whoever proves people to us. One [`Provider`] for each in the
//! configuration; what it answers is a [`Proof`], or a [`ProviderFault`] that says why there is none.
//! Knows no row and no session: what a proven person may do is for `auth/` to say.
#![expect(
    clippy::disallowed_types,
    reason = "this floor verifies with providers' keys, and signs with ours for them"
)]

mod address;
mod algorithm;
mod answer;
mod authorization;
mod client;
mod connect;
mod discovery;
mod exchange;
mod fault;
#[cfg(test)]
mod fixture;
mod github;
mod http;
mod id_token;
mod issuer;
mod jwks;
mod kept;
mod merge;
mod oauth2;
mod oidc;
mod parameter;
mod profile;
mod proof;
mod provider;
mod settings;
mod shared;
mod tls;
mod token_answer;

pub use connect::connect;
pub use fault::{FaultKind, Meaning, ProviderFault};
pub use issuer::MAX_ISSUER_BYTES;
pub use parameter::{MAX_AGE, ParameterFault, check_parameter};
pub use proof::{IdTokenMark, Proof, ProviderTokens};
pub use provider::{
    Asked, AuthorizationCode, AuthorizationPage, AuthorizationRequest, Provider, Providers, Turn,
};
pub use settings::{
    AssertionAudience, ClientAuthentication, ProfileFields, ProviderKind, ReadProfile, ResponseMode,
    Settings, Userinfo,
};
