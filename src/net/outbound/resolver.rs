//! The addresses that an outgoing connection may reach, and the resolver that drops all others. Names are checked after
//! they were resolved, so that no name leads around the rule.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower::Service;

use crate::net::{AddressKind, kind_of_ip};

/// The destinations that may be reached without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plaintext {
    /// This machine.
    Loopback,
    /// This machine and private networks.
    Private,
}

/// The addresses that a connection may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Every address but those of the local link, where clouds serve credentials to their machines.
    Encrypted,
    /// Only these.
    Plaintext(Plaintext),
}

impl Reach {
    /// Returns true if a connection may be opened to an address of this kind.
    pub(super) fn covers(self, kind: AddressKind) -> bool {
        match (self, kind) {
            (_, AddressKind::LinkLocal | AddressKind::Unspecified) => false,
            (_, AddressKind::Loopback) | (Self::Encrypted, _) => true,
            (Self::Plaintext(Plaintext::Private), kind) => kind == AddressKind::Private,
            (Self::Plaintext(Plaintext::Loopback), _) => false,
        }
    }
}

/// Resolves names to the addresses within reach.
#[derive(Clone)]
pub(super) struct Resolver {
    pub(super) reach: Reach,
    pub(super) names: GaiResolver,
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.names.poll_ready(cx)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (reach, resolving) = (self.reach, self.names.call(name));
        Box::pin(async move {
            let within = resolving.await?.filter(|address| reach.covers(kind_of_ip(address.ip())));
            let within: Vec<_> = within.collect();
            if within.is_empty() { Err(out_of_reach()) } else { Ok(within.into_iter()) }
        })
    }
}

/// Makes the error of a destination that must not be connected to.
pub(super) fn out_of_reach() -> io::Error {
    let kind = io::ErrorKind::PermissionDenied;
    io::Error::new(kind, "its address is outside the networks that may be reached this way")
}

#[cfg(test)]
mod tests {
    use super::*;
    use AddressKind::{LinkLocal, Loopback, Name as ByName, Private, Public, Unspecified};

    #[test]
    fn only_encrypted_connections_leave_the_private_networks() {
        let rows = [
            (Reach::Encrypted, [true, true, true, true, false, false]),
            (Reach::Plaintext(Plaintext::Private), [false, false, true, true, false, false]),
            (Reach::Plaintext(Plaintext::Loopback), [false, false, false, true, false, false]),
        ];
        for (reach, wanted) in rows {
            let kinds = [Public, ByName, Private, Loopback, LinkLocal, Unspecified];
            assert_eq!(kinds.map(|kind| reach.covers(kind)), wanted, "{reach:?}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_elsewhere_is_not_connected_to() {
        let resolver =
            |reach| Resolver { reach, names: GaiResolver::new() }.call("localhost".parse().unwrap());
        assert!(resolver(Reach::Plaintext(Plaintext::Loopback)).await.unwrap().next().is_some());
        let public = Resolver { reach: Reach::Plaintext(Plaintext::Private), names: GaiResolver::new() };
        let fault = { public }.call("192.0.2.1".parse().unwrap()).await.unwrap_err();
        assert_eq!(fault.kind(), io::ErrorKind::PermissionDenied);
    }
}
