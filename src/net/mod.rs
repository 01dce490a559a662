//! The network, below the floor of providers and tokens: listeners and their connections, both sides of TLS, the HTTP
//! client and its cache. The shared rules for addresses and back-off are here, too. It knows no RPC and no provider:
//! `grpc/` and `http/` choose the protocol of a connection, `oauth/` the requests.

mod accept;
mod address;
mod backoff;
mod bridge;
mod connection;
mod http_client;
mod http_fault;
mod limits;
mod outbound;
mod peer;
mod preface_timeout;
mod readiness;
mod refreshed_cache;
mod serve;
mod shield;
mod target;
pub mod tls;
mod write_timeout;

pub use address::{AddressKind, kind_of_authority, kind_of_host, kind_of_ip};
pub use backoff::Backoff;
pub use http_client::{HttpClient, HttpClientSettings};
pub use http_fault::{FetchFault, HttpFault};
pub use limits::Limits;
pub use outbound::{Plaintext, Proxy};
pub use peer::{Closing, PeerAddr, PeerNames};
pub use readiness::Readiness;
pub use refreshed_cache::{Allowance, RefreshedCache, Source};
pub use serve::{Port, Protocol, serve};
pub(crate) use shield::Shield;
pub use target::Target;
