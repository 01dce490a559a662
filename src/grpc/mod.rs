//! Floor 3, transport: what a gRPC client sees. Owns the generated code, the specifications of services, the layers around
//! every call, health and reflection; what a call does is decided in `auth/`. And callbacks that
//! are a gRPC service, where we are the client.
#![expect(clippy::disallowed_types, reason = "this floor speaks gRPC")]

mod admin_service;
mod auth_service;
mod call;
pub mod callback_client;
mod convert;
pub mod error_details;
pub mod health;
pub mod http_types;
pub mod layers;
pub mod mount;
mod not_yet;
pub mod proto;
mod redact;
pub mod reflection;
mod revocation_service;
pub mod routes;
mod serve;
pub mod service_spec;
mod shield;
mod status;

pub use serve::serve;
