//! Who is at the other end of a connection, as its requests tell: both are their extensions.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::model::San;

/// Whom a request came from: an extension of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerAddr(pub SocketAddr);

/// What the certificate that the client presented names: an extension of the requests of such a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerNames(pub Arc<[San]>);
