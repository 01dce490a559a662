//! The admin port: `/livez`, `/readyz`, `/metrics`, and gRPC health for probes that support it. [`Readiness`] and the
//! metrics registry supply the content.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use prometheus_client::encoding::prometheus_text;
use prometheus_client::registry::Registry;
use tonic::body::Body;
use tower::{Service, ServiceExt};

use crate::net::Readiness;

/// The Prometheus text format, which all collectors read.
const TEXT: HeaderValue = HeaderValue::from_static(prometheus_text::CONTENT_TYPE);

/// Makes the router of the admin port; `grpc_health` is the health service with its layers. Without `metrics` that page
/// does not exist.
pub fn router<S>(readiness: Readiness, grpc_health: S, metrics: Option<Arc<Registry>>) -> Router
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    let grpc_health = grpc_health.map_request(|request: Request<axum::body::Body>| request.map(Body::new));
    let router = Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(async move || readyz(&readiness)))
        .route_service("/grpc.health.v1.Health/{method}", grpc_health);
    match metrics {
        Some(metrics) => router.route("/metrics", get(async move || text(&metrics))),
        None => router,
    }
}

fn readyz(readiness: &Readiness) -> (StatusCode, &'static str) {
    if readiness.serves() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}

fn text(metrics: &Registry) -> Result<([(http::HeaderName, HeaderValue); 1], String), StatusCode> {
    let mut text = String::new();
    prometheus_text::encode(&mut text, metrics).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(([(CONTENT_TYPE, TEXT)], text))
}
