//! Floor 3, transport: what a gRPC client sees. Owns the generated code and the table of permissions, the accept
//! loop, the layers around every call, health and reflection; what a call does is decided in `auth/`. And callbacks that
//! are a gRPC service, where we are the client.
#![expect(clippy::disallowed_types, reason = "this floor speaks gRPC")]

pub mod accept;
mod admin_service;
mod auth_service;
mod call;
pub mod callback_client;
pub mod connection;
mod convert;
pub mod error_details;
pub mod first_bytes;
pub mod health;
pub mod layers;
pub mod must_read;
mod not_yet;
pub mod proto;
mod redact;
pub mod reflection;
mod revocation_service;
pub mod routes;
mod status;
pub mod tls;
mod to_the_end;

/// The most bytes of a message to what answers anybody: health and reflection are asked by a name. Each stream may hold
/// as much, and who opens them is not known.
const ASKED_BY_NAME: usize = 1024;
