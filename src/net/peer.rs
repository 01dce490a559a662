//! The peer of a connection, in the extensions of its requests.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::model::San;

/// The address that a request came from: an extension of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerAddr(pub SocketAddr);

/// The names in the certificate that the client presented: an extension of the requests of such a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerNames(pub Arc<[San]>);
