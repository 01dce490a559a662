//! One port, in plaintext or over TLS, and its service. The caller maps the bodies of requests.

use std::convert::Infallible;
use std::error::Error;
use std::future::ready;
use std::sync::Arc;

use ::http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::Service;

use super::accept::accept;
use super::bridge::Bridge;
use super::connection::{http, http2};
use super::limits::Limits;
use super::preface_timeout::PrefaceTimeout;
use super::tls::{Handshakes, Tls};
use crate::model::Entropy;

/// The protocol of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1 and HTTP/2.
    Http,
    /// HTTP/2 alone, as gRPC does.
    Http2,
}

/// A port to be served.
pub struct Port {
    /// The source of connections.
    pub listener: TcpListener,
    /// The limits of the connections.
    pub limits: Limits,
    /// The protocol of the connections.
    pub protocol: Protocol,
    /// The certificate; `None` for plaintext. TLS is for HTTP/2 only.
    pub tls: Option<Arc<Tls>>,
}

/// Serves a port until `shutdown`, then drains. Returns the number of connections that were cut.
pub async fn serve<S, B>(
    port: Port,
    entropy: Arc<dyn Entropy>,
    service: S,
    shutdown: CancellationToken,
) -> usize
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let Port { listener, limits, protocol, tls } = port;
    let http = match protocol {
        Protocol::Http => http(&limits),
        Protocol::Http2 => http2(&limits),
    };
    let (within, stop) = (limits.first_bytes, shutdown.clone());
    let Some(tls) = tls else {
        let connect = move |tcp, peer, closing| {
            let io = TokioIo::new(PrefaceTimeout::new(tcp, within, stop.clone()));
            ready(Some(http.serve_connection(io, Bridge::new(service.clone(), peer, closing)).into_owned()))
        };
        return accept(listener, limits, entropy, connect, shutdown).await;
    };
    let http = Arc::new(http);
    let handshakes = Arc::new(Handshakes::new(tls, &limits));
    let connect = move |tcp, peer, closing| {
        let (http, handshakes) = (Arc::clone(&http), Arc::clone(&handshakes));
        let (service, stop) = (service.clone(), stop.clone());
        async move {
            let (stream, names) = handshakes.shake(tcp, peer, &stop).await?;
            let io = TokioIo::new(PrefaceTimeout::new(stream, within, stop));
            Some(http.serve_connection(io, Bridge::new(service, peer, closing).named(names)).into_owned())
        }
    };
    accept(listener, limits, entropy, connect, shutdown).await
}
