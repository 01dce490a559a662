//! The peer of a connection, in the extensions of its requests.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::model::San;

/// The address that a request came from: an extension of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerAddr(pub SocketAddr);

/// The names in the client's certificate: an extension of the requests of such a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerNames(pub Arc<[San]>);

/// A signal that the connection is about to close, at its age or at shutdown. It is an extension of every request, for
/// streams, which do not end by themselves.
#[derive(Debug, Clone)]
pub struct Closing(Arc<CancellationToken>); // Cloning the token itself would take a lock.

impl Closing {
    /// Makes the signal of a connection that only this shutdown closes so far.
    pub(super) fn until(shutdown: &CancellationToken) -> Self {
        Self(Arc::new(shutdown.child_token()))
    }

    /// Sends the signal.
    pub(super) fn cancel(&self) {
        self.0.cancel();
    }

    /// Waits for the signal.
    pub fn wait(&self) -> WaitForCancellationFutureOwned {
        (*self.0).clone().cancelled_owned()
    }
}
