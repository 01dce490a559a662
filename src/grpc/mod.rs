//! Floor 3, transport: the gRPC interface. It owns the generated code, the specifications of services, the layers
//! around every call, health and reflection; `auth/` decides what a call does. It also has the client of callbacks that
//! are a gRPC service.
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
