//! The server around the calls: connections, TLS, callers, layers, health and metrics.

mod accept;
mod callers;
mod descriptors;
mod foreign_service;
mod health;
mod http_endpoints;
mod layers;
mod manners;
mod metrics;
mod mtls;
mod request_limits;
mod tls;
mod tls_reload;

use std::time::Duration;

use gatepass::net::Limits;
use tokio::io::AsyncReadExt as _;

/// A time that no test waits for.
const NEVER: Duration = Duration::from_hours(1);

/// Returns limits of connections that end no connection by themselves.
fn limits() -> Limits {
    Limits { shutdown_grace: NEVER, first_bytes: NEVER, ..Limits::default() }
}

/// Frames a message as gRPC does.
fn frame(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap();
    [&[0], &length.to_be_bytes()[..], message].concat()
}

/// Reads everything until the server closes the connection: nothing or a reset, if the server never spoke HTTP/2.
async fn until_hung_up(mut stream: impl tokio::io::AsyncRead + Unpin) -> Vec<u8> {
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said).await;
    said
}
