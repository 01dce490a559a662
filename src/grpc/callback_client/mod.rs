//! The client of a callback service (`gatepass.callback.v1.CallbackService`, which users implement in any language):
//! one warm connection for each of the four callbacks, and their messages. The decorators around it, such as the
//! circuit breaker and the cache, are in `callbacks/`.

mod channel;
mod client;
mod connection;
mod connector;
mod credential;
mod failure;
mod messages;

pub use client::{CallbackService, RemoteCallbacks};
pub use credential::Credential;
