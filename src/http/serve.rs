//! HTTP/1.1 and HTTP/2 on one plaintext port, for probes and browsers as well as gRPC health.

use std::sync::Arc;

use ::http::Request;
use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::grpc::accept::{Limits, accept};
use crate::grpc::connection::{Bridge, http};
use crate::model::Entropy;

/// Serves `router` until `shutdown`, then drains. Answers how many connections had to be cut.
pub async fn serve(
    listener: TcpListener,
    limits: Limits,
    entropy: Arc<dyn Entropy>,
    router: Router,
    shutdown: CancellationToken,
) -> usize {
    let http = http(&limits);
    let service = router.map_request(|request: Request<Incoming>| request.map(Body::new));
    let connect = move |io, peer| {
        http.serve_connection(TokioIo::new(io), Bridge::new(service.clone(), peer)).into_owned()
    };
    accept(listener, limits, entropy, connect, shutdown).await
}
