//! Floor 3, transport: what a gRPC client sees. Owns the generated code and the table of permissions; what a call
//! does is decided in `auth/`.
#![expect(clippy::disallowed_types, reason = "this floor speaks gRPC")]

pub mod proto;
mod redact;
