//! Callbacks that a gRPC service of the users' answers (`gatepass.callback.v1.CallbackService`, in any language): one warm
//! connection for each of the four, messages there and back, and what counts as an answer. When a service that does not
//! answer is not asked, what is remembered, passed over or only compared is decided around it, in `callbacks/`.

mod channel;
mod client;
mod connection;
mod connector;
mod credential;
mod failure;
mod messages;

pub use client::{CallbackService, RemoteCallbacks};
pub use credential::Credential;
