//! The way of outgoing HTTP connections: the proxy that they go through, and the addresses that they may reach.

mod proxy;
mod resolver;
mod route;

pub use proxy::Proxy;
pub use resolver::Plaintext;

pub(super) use route::Route;
