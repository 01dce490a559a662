//! Floor 3, transport: what a gRPC client sees. Owns the generated code and the table of permissions, the
//! layers around every call, health and reflection; what a call does is decided in `auth/`. And callbacks that
//! are a gRPC service, where we are the client.
#![expect(clippy::disallowed_types, reason = "this floor speaks gRPC")]

mod admin_service;
mod asked_by_name;
mod auth_service;
mod call;
pub mod callback_client;
mod convert;
pub mod error_details;
pub mod health;
pub mod layers;
mod not_yet;
pub mod proto;
mod redact;
pub mod reflection;
mod revocation_service;
pub mod routes;
mod serve;
mod shield;
mod status;

pub use serve::serve;
