//! The gRPC port with TLS: the accept loop of the plaintext port, with a handshake before HTTP/2.

use std::convert::Infallible;
use std::sync::Arc;

use http::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tower::Service;

use super::handshake::Handshakes;
use super::reload::Tls;
use crate::grpc::accept::{Limits, accept, of_hyper};
use crate::grpc::connection::{Bridge, http2};
use crate::grpc::first_bytes::FirstBytes;
use crate::model::Entropy;

/// Serves gRPC over TLS until `shutdown`, then drains. Answers how many connections had to be cut.
pub async fn serve<S>(
    listener: TcpListener,
    limits: Limits,
    tls: Arc<Tls>,
    entropy: Arc<dyn Entropy>,
    service: S,
    shutdown: CancellationToken,
) -> usize
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    let http = Arc::new(http2(&limits));
    let handshakes = Arc::new(Handshakes::new(tls, &limits));
    let service = of_hyper(service);
    let (within, stop) = (limits.first_bytes, shutdown.clone());
    let connect = move |tcp, peer, closing| {
        let (http, handshakes) = (Arc::clone(&http), Arc::clone(&handshakes));
        let (service, stop) = (service.clone(), stop.clone());
        async move {
            let (stream, names) = handshakes.shake(tcp, peer, &stop).await?;
            let io = TokioIo::new(FirstBytes::new(stream, within, stop));
            Some(http.serve_connection(io, Bridge::new(service, peer, closing).named(names)).into_owned())
        }
    };
    accept(listener, limits, entropy, connect, shutdown).await
}
