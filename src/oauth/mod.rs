//! Floor 1, the providers: OAuth 2.0 and OpenID Connect. There is one [`Provider`] for each in the configuration; its
//! result is a [`Proof`], or a [`ProviderFault`] with the cause. It knows no rows and no sessions: `auth/` decides what
//! a verified person may do.

mod address;
mod answer;
mod authorization;
mod characters;
mod connect;
mod error_code;
mod fault;
#[cfg(test)]
mod fixture;
mod github;
mod header;
mod oauth2;
mod oidc;
mod parameter;
mod profile;
mod proof;
mod provider;
mod provider_client;
mod settings;
mod shared;
mod token;

pub use characters::{is_error_code, is_scope};
pub use connect::connect;
pub use error_code::is_of_configuration;
pub use fault::{FaultKind, Meaning, ProviderFault};
pub use header::{HeaderFault, userinfo_header};
pub use oidc::MAX_ISSUER_BYTES;
pub use parameter::{MAX_AGE, ParameterFault, check_parameter};
pub use proof::{IdTokenMark, Proof, ProviderTokens};
pub use provider::{
    Asked, AuthorizationCode, AuthorizationPage, AuthorizationRequest, Provider, Providers, Turn,
};
pub use settings::{
    AssertionAudience, ClientAuthentication, ProfileFields, ProviderKind, ReadProfile, ResponseMode,
    Settings, Userinfo, UserinfoMethod, UserinfoRequest,
};
