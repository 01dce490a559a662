//! The connector of outgoing HTTP connections: directly, or by a tunnel of the proxy.
#![expect(clippy::disallowed_types, reason = "this is the connector of the one HTTP client")]

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::GaiResolver;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::rustls::ClientConfig;
use tower::Service;

use super::proxy::Proxy;
use super::resolver::{Plaintext, Reach, Resolver, out_of_reach};
use crate::net::{AddressKind, kind_of_authority};

/// The time limit for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// A connection to a server, or to a proxy that may speak TLS itself.
type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// Opens connections, without the TLS of the destination.
#[derive(Clone)]
pub(in crate::net) struct Route {
    encrypted: HttpConnector<Resolver>,
    plaintext: HttpConnector<Resolver>,
    plaintext_reach: Reach,
    proxy: Option<(Proxy, HttpsConnector<HttpConnector>)>,
}

impl Route {
    /// Makes the connector. `tls` is for a proxy that speaks TLS.
    pub(in crate::net) fn new(plaintext: Plaintext, proxy: Option<Proxy>, tls: ClientConfig) -> Self {
        let plaintext_reach = Reach::Plaintext(plaintext);
        let to_proxy = |proxy| {
            let connector = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(tls);
            (proxy, connector.https_or_http().enable_http1().wrap_connector(tcp(GaiResolver::new())))
        };
        let direct = |reach| tcp(Resolver { reach, names: GaiResolver::new() });
        Self {
            encrypted: direct(Reach::Encrypted),
            plaintext: direct(plaintext_reach),
            plaintext_reach,
            proxy: proxy.map(to_proxy),
        }
    }
}

fn tcp<R>(resolver: R) -> HttpConnector<R> {
    let mut tcp = HttpConnector::new_with_resolver(resolver);
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    tcp.set_nodelay(true);
    tcp
}

impl Service<Uri> for Route {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        let encrypted = destination.scheme() == Some(&Scheme::HTTPS);
        let reach = if encrypted { Reach::Encrypted } else { self.plaintext_reach };
        // The resolver checks names only.
        let kind = destination.host().map_or(AddressKind::Unspecified, kind_of_authority);
        if kind != AddressKind::Name && !reach.covers(kind) {
            return Box::pin(async { Err(out_of_reach().into()) });
        }
        if let Some((proxy, connector)) = self.proxy.as_ref().filter(|_| encrypted)
            && let Some(through) = proxy.of(&destination)
        {
            let mut tunnel = Tunnel::new(through.uri().clone(), connector.clone());
            if let Some(credentials) = through.basic_auth() {
                tunnel = tunnel.with_auth(credentials.clone());
            }
            return Box::pin(async move { Ok(tunnel.call(destination).await?) });
        }
        let connector = if encrypted { &self.encrypted } else { &self.plaintext };
        let connecting = connector.clone().call(destination);
        Box::pin(async move { Ok(MaybeHttpsStream::Http(connecting.await?)) })
    }
}
