//! TLS on the gRPC port: the certificate and its reloading, the handshake and its limits, and the names in a client's
//! certificate. Which caller they name, `auth/` decides; what is spoken afterwards is the plaintext port's. And TLS towards
//! a callback service, where we are the client.

mod certificate;
mod client;
mod files;
mod handshake;
mod pair;
mod pem;
mod reload;
mod room;
mod serve;
mod time;

pub use client::{ClientTls, ClientTlsFiles};
pub use files::TlsFiles;
pub use pem::TlsFault;
pub use reload::Tls;
pub use serve::serve;
