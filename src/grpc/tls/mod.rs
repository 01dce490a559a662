//! TLS on the gRPC port: the certificate and its reloading, the handshake and its limits, and the names in a client's
//! certificate. Which caller they name, `auth/` decides; what is spoken afterwards is the plaintext port's.

mod certificate;
mod files;
mod handshake;
mod pem;
mod reload;
mod serve;

pub use files::TlsFiles;
pub use pem::TlsFault;
pub use reload::Tls;
pub use serve::serve;
