//! `server`: where Gatepass listens, and the limits of a connection and a call.

use super::read::{Section, Setting};
use crate::net::tls::TlsFiles;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Listeners and their limits.
#[derive(Debug, Clone)]
pub struct Server {
    /// `grpc_addr`: the gRPC services. Default 127.0.0.1:50051; port 0 takes any free one.
    pub grpc_addr: SocketAddr,
    /// `http_addr`: JWKS and discovery. Default 127.0.0.1:8080.
    pub http_addr: SocketAddr,
    /// `admin_addr`: plaintext gRPC health, `/metrics`, `/livez`, `/readyz`. Default 127.0.0.1:8081.
    pub admin_addr: SocketAddr,
    /// `tls`: the certificate of `grpc_addr`, its key, and the authorities of client certificates. Default none.
    pub tls: Option<TlsFiles>,
    /// `plaintext`: listen beyond loopback without TLS, because something before Gatepass ends it. Default false.
    pub plaintext: bool,
    /// `reflection`: answer gRPC server reflection. Default true while `grpc_addr` is on loopback, else false.
    pub reflection: bool,
    /// `request_timeout`: the longest a call may take, 10ms to 5m; `SignIn` has twice as long. Default 5s.
    pub request_timeout: Duration,
    /// `shutdown_grace`: how long calls may go on after SIGTERM, 0s to 10m. Default 20s.
    pub shutdown_grace: Duration,
    /// `max_message_bytes`: the largest request message, 1024 to 4194304; to health and reflection it is 1024. Default
    /// 65536.
    pub max_message_bytes: usize,
    /// `max_header_bytes`: the largest header list of a request, 2048 to 1048576. Default 16384.
    pub max_header_bytes: u32,
    /// `max_concurrent_streams`: calls at once on one connection, 1 to 10000. Default 200.
    pub max_concurrent_streams: u32,
    /// `max_connections`: connections at once on each listener, 1 to 1000000, and no more than file descriptors are
    /// there for. Default 10000.
    pub max_connections: usize,
}

impl Server {
    pub(super) fn read(section: &mut Section) -> Self {
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let seconds = Duration::from_secs;
        let grpc_addr = section.read("grpc_addr", Setting::address).unwrap_or(local(50051));
        Self {
            grpc_addr,
            http_addr: section.read("http_addr", Setting::address).unwrap_or(local(8080)),
            admin_addr: section.read("admin_addr", Setting::address).unwrap_or(local(8081)),
            tls: section.read("tls", tls),
            plaintext: section.read("plaintext", Setting::boolean).unwrap_or(false),
            reflection: section.read("reflection", Setting::boolean).unwrap_or(grpc_addr.ip().is_loopback()),
            request_timeout: section
                .read("request_timeout", |s| s.duration(&(Duration::from_millis(10)..=seconds(300))))
                .unwrap_or(seconds(5)),
            shutdown_grace: section
                .read("shutdown_grace", |s| s.duration(&(Duration::ZERO..=seconds(600))))
                .unwrap_or(seconds(20)),
            max_message_bytes: section
                .read("max_message_bytes", |s| s.integer(&(1024..=4 << 20)))
                .unwrap_or(64 << 10),
            max_header_bytes: section
                .read("max_header_bytes", |s| s.integer(&(2048..=1 << 20)))
                .unwrap_or(16 << 10),
            max_concurrent_streams: section
                .read("max_concurrent_streams", |s| s.integer(&(1..=10_000)))
                .unwrap_or(200),
            max_connections: section
                .read("max_connections", |s| s.integer(&(1..=1_000_000)))
                .unwrap_or(10_000),
        }
    }

    /// How long a `SignIn` may take: it waits for the provider, so twice `request_timeout`.
    #[must_use]
    pub fn sign_in_timeout(&self) -> Duration {
        self.request_timeout * 2
    }

    /// The listeners, by the path of their setting.
    #[must_use]
    pub fn listeners(&self) -> [(&'static str, SocketAddr); 3] {
        [
            ("server.grpc_addr", self.grpc_addr),
            ("server.http_addr", self.http_addr),
            ("server.admin_addr", self.admin_addr),
        ]
    }
}

fn tls(setting: Setting) -> Option<TlsFiles> {
    let files = setting.section(|section| {
        let wanted = "the PEM file of the certificate, its intermediates after it";
        let cert = section.require("cert", wanted, Setting::pem_file);
        let key = section.require("key", "the PEM file of the certificate's private key", Setting::pem_file);
        let client_ca = section.read("client_ca", Setting::pem_file);
        Some(TlsFiles { cert: cert?, key: key?, client_ca })
    });
    files.flatten()
}
