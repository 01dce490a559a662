//! Verification of each kind of credential.

mod callback;
mod id_token;
pub(in crate::auth) mod presented;
mod profile;
pub(in crate::auth) mod prove;
pub(in crate::auth) mod proven;
mod refused;
