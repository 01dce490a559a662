//! HTTP/1.1 and HTTP/2 on one plaintext port, for probes and browsers as well as gRPC health.

use std::future::ready;
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
use crate::grpc::first_bytes::FirstBytes;
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
    let (within, stop) = (limits.first_bytes, shutdown.clone());
    let connect = move |tcp, peer, closing| {
        let io = TokioIo::new(FirstBytes::new(tcp, within, stop.clone()));
        ready(Some(http.serve_connection(io, Bridge::new(service.clone(), peer, closing)).into_owned()))
    };
    accept(listener, limits, entropy, connect, shutdown).await
}
