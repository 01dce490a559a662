//! Callbacks: in the process, as configured expressions, of a gRPC service, and their order as in Auth.js.

mod app_links;
mod authjs;
mod cases;
mod cel;
mod claims;
mod policy_samples;
mod redirect;
mod remote;

use tonic::Code;

/// Returns the refusal of a call whose callback gave no usable answer.
fn unavailable() -> (Code, String) {
    (Code::Unavailable, "CALLBACK_UNAVAILABLE".to_owned())
}
