//! The gRPC port: HTTP/2 in plaintext or over TLS, with tonic's bodies.

use std::convert::Infallible;
use std::sync::Arc;

use ::http::{Request, Response};
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tower::{Service, ServiceExt};

use crate::model::Entropy;
use crate::net::tls::Tls;
use crate::net::{self, Limits, Port, Protocol};

/// Serves gRPC until `shutdown`, then drains. Returns the number of connections that were cut.
pub async fn serve<S>(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    limits: Limits,
    entropy: Arc<dyn Entropy>,
    service: S,
    shutdown: CancellationToken,
) -> usize
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    let service = service.map_request(|request: Request<Incoming>| request.map(Body::new));
    net::serve(Port { listener, limits, protocol: Protocol::Http2, tls }, entropy, service, shutdown).await
}
