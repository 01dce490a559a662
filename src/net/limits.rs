//! The bounds of one listener and its connections.

use std::time::Duration;

/// Bounds of a listener.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at a time.
    pub max_connections: usize,
    /// TLS handshakes at a time, of clients that have said what they want (`ClientHello`).
    pub max_handshakes: usize,
    /// Calls at a time on one connection.
    pub max_concurrent_streams: u32,
    /// Bytes of request headers.
    pub max_header_bytes: u32,
    /// The time for a new connection, its TLS handshake, or an HTTP/1.1 request's headers to arrive.
    pub first_bytes: Duration,
    /// The pause between two HTTP/2 pings of ours.
    pub keepalive_interval: Duration,
    /// The time for the answer to a ping.
    pub keepalive_timeout: Duration,
    /// The age at which a connection is told to go, give or take a tenth: clients look for new replicas only then.
    pub connection_age: Duration,
    /// The time for calls in flight to end then.
    pub age_grace: Duration,
    /// The time for calls in flight to end after the shutdown.
    pub shutdown_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            max_handshakes: 512,
            max_concurrent_streams: 200,
            max_header_bytes: 16_384,
            first_bytes: Duration::from_secs(10),
            keepalive_interval: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(20),
            connection_age: Duration::from_mins(15),
            age_grace: Duration::from_secs(20),
            shutdown_grace: Duration::from_secs(20),
        }
    }
}
