//! The limits of one listener and its connections.

use std::time::Duration;

/// The limits of a listener.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The maximum number of connections.
    pub max_connections: usize,
    /// The maximum number of TLS handshakes of clients that have sent their `ClientHello`.
    pub max_handshakes: usize,
    /// The maximum number of concurrent calls on one connection.
    pub max_concurrent_streams: u32,
    /// The maximum size of request headers, in bytes.
    pub max_header_bytes: u32,
    /// The time for a new connection, its TLS handshake, or an HTTP/1.1 request's headers to arrive.
    pub first_bytes: Duration,
    /// The pause between two HTTP/2 pings of the server.
    pub keepalive_interval: Duration,
    /// The time for the answer to a ping.
    pub keepalive_timeout: Duration,
    /// The age at which a connection is closed gracefully, plus or minus a tenth: clients look for new replicas only
    /// then.
    pub connection_age: Duration,
    /// The grace period for calls in progress at that age.
    pub age_grace: Duration,
    /// The grace period for calls in progress after the shutdown.
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
