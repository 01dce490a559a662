//! `server`: the listeners of Gatepass, and the limits of a connection and a call.

use super::entry::{Absent, Address, AnyEntry, Entry, Flag, Keys, PemFile, Span, Whole};
use super::reader::Section;
use crate::net::tls::TlsFiles;
use std::net::SocketAddr;
use std::time::Duration;

pub(super) static SERVER: Entry<Keys> =
    Entry { path: "server", kind: Keys, absent: Absent::Default("{}"), doc: "Listeners and their limits." };

static GRPC_ADDR: Entry<Address> = Entry {
    path: "server.grpc_addr",
    kind: Address,
    absent: Absent::Default("127.0.0.1:50051"),
    doc: "The listener of the gRPC services. Port 0 takes any free one.",
};

static HTTP_ADDR: Entry<Address> = Entry {
    path: "server.http_addr",
    kind: Address,
    absent: Absent::Default("127.0.0.1:8080"),
    doc: "The listener of `/.well-known/jwks.json` and `/.well-known/openid-configuration`.",
};

static ADMIN_ADDR: Entry<Address> = Entry {
    path: "server.admin_addr",
    kind: Address,
    absent: Absent::Default("127.0.0.1:8081"),
    doc: "The listener of `/livez`, `/readyz`, `/metrics` and gRPC health, in plaintext and without credentials.",
};

static TLS: Entry<Keys> = Entry {
    path: "server.tls",
    kind: Keys,
    absent: Absent::Means("plaintext"),
    doc: "The TLS files of `grpc_addr`.",
};

static CERT: Entry<PemFile> = Entry {
    path: "server.tls.cert",
    kind: PemFile,
    absent: Absent::Required("the PEM file of the certificate, followed by its intermediates"),
    doc: "The certificate of `grpc_addr`, followed by its intermediates.",
};

static KEY: Entry<PemFile> = Entry {
    path: "server.tls.key",
    kind: PemFile,
    absent: Absent::Required("the PEM file of the certificate's private key"),
    doc: "The private key of the certificate.",
};

static CLIENT_CA: Entry<PemFile> = Entry {
    path: "server.tls.client_ca",
    kind: PemFile,
    absent: Absent::Means("no client certificates are requested"),
    doc: "The authorities that sign client certificates.",
};

static PLAINTEXT: Entry<Flag> = Entry {
    path: "server.plaintext",
    kind: Flag,
    absent: Absent::Default("false"),
    doc: "Allows listening beyond loopback without TLS, because a proxy or mesh in front encrypts.",
};

static REFLECTION: Entry<Flag> = Entry {
    path: "server.reflection",
    kind: Flag,
    absent: Absent::Means("`true` if `grpc_addr` is on loopback, else `false`"),
    doc: "Serves gRPC server reflection, v1 and v1alpha.",
};

static REQUEST_TIMEOUT: Entry<Span> = Entry {
    path: "server.request_timeout",
    kind: Span(Duration::from_millis(10)..=Duration::from_mins(5)),
    absent: Absent::Default("5s"),
    doc: "The longest time that a call may take. BeginSignIn and SignIn have twice as long.",
};

static SHUTDOWN_GRACE: Entry<Span> = Entry {
    path: "server.shutdown_grace",
    kind: Span(Duration::ZERO..=Duration::from_mins(10)),
    absent: Absent::Default("20s"),
    doc: "The longest time that calls may continue after SIGTERM.",
};

static MAX_MESSAGE_BYTES: Entry<Whole<usize>> = Entry {
    path: "server.max_message_bytes",
    kind: Whole(1024..=4 << 20, "bytes"),
    absent: Absent::Default("65536"),
    doc: "The largest request message. Health and reflection take 1024 bytes.",
};

static MAX_HEADER_BYTES: Entry<Whole<u32>> = Entry {
    path: "server.max_header_bytes",
    kind: Whole(2048..=1 << 20, "bytes"),
    absent: Absent::Default("16384"),
    doc: "The largest header list of a request.",
};

static MAX_CONCURRENT_STREAMS: Entry<Whole<u32>> = Entry {
    path: "server.max_concurrent_streams",
    kind: Whole(1..=10_000, "calls"),
    absent: Absent::Default("200"),
    doc: "The maximum number of concurrent calls on one connection.",
};

static MAX_CONNECTIONS: Entry<Whole<usize>> = Entry {
    path: "server.max_connections",
    kind: Whole(1..=1_000_000, "connections"),
    absent: Absent::Default("10000"),
    doc: "The maximum number of connections on each listener; lower if the limit of file descriptors requires it.",
};

pub(super) fn entries() -> Vec<AnyEntry> {
    vec![
        &SERVER,
        &GRPC_ADDR,
        &HTTP_ADDR,
        &ADMIN_ADDR,
        &TLS,
        &CERT,
        &KEY,
        &CLIENT_CA,
        &PLAINTEXT,
        &REFLECTION,
        &REQUEST_TIMEOUT,
        &SHUTDOWN_GRACE,
        &MAX_MESSAGE_BYTES,
        &MAX_HEADER_BYTES,
        &MAX_CONCURRENT_STREAMS,
        &MAX_CONNECTIONS,
    ]
}

/// Listeners and their limits.
#[derive(Debug, Clone)]
pub struct Server {
    /// The address of the gRPC services.
    pub grpc_addr: SocketAddr,
    /// The address of JWKS and discovery.
    pub http_addr: SocketAddr,
    /// The address of probes and metrics.
    pub admin_addr: SocketAddr,
    /// The TLS files of `grpc_addr`.
    pub tls: Option<TlsFiles>,
    /// True if it may listen beyond loopback without TLS.
    pub plaintext: bool,
    /// True if gRPC server reflection is served.
    pub reflection: bool,
    /// The longest time that a call may take.
    pub request_timeout: Duration,
    /// The longest time that calls may continue after SIGTERM.
    pub shutdown_grace: Duration,
    /// The largest request message.
    pub max_message_bytes: usize,
    /// The largest header list of a request.
    pub max_header_bytes: u32,
    /// The maximum number of concurrent calls on one connection.
    pub max_concurrent_streams: u32,
    /// The maximum number of concurrent connections on each listener.
    pub max_connections: usize,
}

impl Server {
    pub(super) fn read(section: &mut Section) -> Option<Self> {
        let grpc_addr = section.get(&GRPC_ADDR)?;
        Some(Self {
            grpc_addr,
            http_addr: section.get(&HTTP_ADDR)?,
            admin_addr: section.get(&ADMIN_ADDR)?,
            tls: section.optional(&TLS, tls),
            plaintext: section.get(&PLAINTEXT)?,
            reflection: section.get(&REFLECTION).unwrap_or_else(|| {
                let local = is_on_loopback(grpc_addr);
                section.assume(&REFLECTION, local, local.to_string())
            }),
            request_timeout: section.get(&REQUEST_TIMEOUT)?,
            shutdown_grace: section.get(&SHUTDOWN_GRACE)?,
            max_message_bytes: section.get(&MAX_MESSAGE_BYTES)?,
            max_header_bytes: section.get(&MAX_HEADER_BYTES)?,
            max_concurrent_streams: section.get(&MAX_CONCURRENT_STREAMS)?,
            max_connections: section.get(&MAX_CONNECTIONS)?,
        })
    }

    /// Returns the time limit of a `SignIn`: twice `request_timeout`, because it waits for the provider.
    #[must_use]
    pub fn sign_in_timeout(&self) -> Duration {
        self.request_timeout * 2
    }

    /// Returns the listeners, by the path of their setting.
    #[must_use]
    pub fn listeners(&self) -> [(&'static str, SocketAddr); 3] {
        [
            (GRPC_ADDR.path, self.grpc_addr),
            (HTTP_ADDR.path, self.http_addr),
            (ADMIN_ADDR.path, self.admin_addr),
        ]
    }
}

fn tls(section: &mut Section) -> Option<TlsFiles> {
    let (cert, key, client_ca) = (section.get(&CERT), section.get(&KEY), section.get(&CLIENT_CA));
    Some(TlsFiles { cert: cert?, key: key?, client_ca })
}

/// Returns true if a listener is plainly on loopback. A mapped address (`::ffff:127.0.0.1`) counts as beyond it: the
/// exemption from credentials applies only to addresses that need no interpretation.
pub(super) fn is_on_loopback(addr: SocketAddr) -> bool {
    addr.ip().is_loopback()
}
