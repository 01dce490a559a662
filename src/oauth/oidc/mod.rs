//! OpenID Connect: where a provider's endpoints are, its keys, and the ID tokens that they sign.

mod discovery;
mod id_token;
mod issuer;
mod provider;
mod provider_keys;

pub(super) use discovery::Discovery;
pub use issuer::MAX_ISSUER_BYTES;
pub(super) use provider::OidcProvider;
pub(super) use provider_keys::Published;
