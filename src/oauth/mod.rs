//! Floor 1, the providers: OAuth 2.0 and OpenID Connect towards whoever proves people to us. One [`Provider`] for each in the
//! configuration; what it answers is a [`Proof`], or a [`ProviderFault`] that says why there is none.
//! Knows no row and no session: what a proven person may do is for `auth/` to say.

mod fault;
mod proof;
mod provider;
mod settings;

pub use fault::{FaultKind, Meaning, ProviderFault};
pub use proof::{IdTokenMark, Proof, ProviderTokens};
pub use provider::{AuthorizationCode, AuthorizationRequest, Provider, Providers, RESERVED_PARAMS};
pub use settings::{
    ClientAuthentication, ProfileFields, ProviderKind, ReadProfile, ResponseMode, Settings, Userinfo,
};
