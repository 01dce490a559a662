//! OpenID Connect: the endpoints of a provider, its keys, and the ID tokens that they sign.

mod discovery;
mod id_token;
mod issuer;
mod provider;
mod provider_keys;
mod userinfo;

pub(super) use discovery::Discovery;
pub use issuer::MAX_ISSUER_BYTES;
pub(super) use provider::OidcProvider;
pub(super) use provider_keys::Published;
