//! HTTP/1.1 and HTTP/2 on one plaintext port, for probes and browsers as well as gRPC health.

use std::sync::Arc;

use ::http::Request;
use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::model::Entropy;
use crate::net::{self, Limits, Port, Protocol};

/// Serves `router` until `shutdown`, then drains. Returns the number of connections that were cut.
pub async fn serve(
    listener: TcpListener,
    limits: Limits,
    entropy: Arc<dyn Entropy>,
    router: Router,
    shutdown: CancellationToken,
) -> usize {
    let service = router.map_request(|request: Request<Incoming>| request.map(Body::new));
    net::serve(Port { listener, limits, protocol: Protocol::Http, tls: None }, entropy, service, shutdown)
        .await
}
