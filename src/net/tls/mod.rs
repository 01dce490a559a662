//! Both sides of TLS: certificates and their files, which are reloaded while connections live; handshakes and their
//! limits; the names in a client's certificate. `auth/` decides which caller they identify.

mod authorities;
mod certificate;
mod client;
mod handshake;
mod handshake_limit;
mod pair;
mod pem;
mod reload;
mod server;
mod time;

pub(super) use client::client_config;
pub use client::{ClientTls, ClientTlsFiles};
pub(super) use handshake::Handshakes;
pub use pem::TlsFault;
pub use server::{Tls, TlsFiles};
