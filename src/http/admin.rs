//! The admin port: `/livez`, `/readyz`, and gRPC health for probes that speak it. What they say is decided by
//! [`Health`]; metrics come with their feature and are not found until then.

use std::convert::Infallible;

use axum::Router;
use axum::routing::get;
use http::{Request, Response, StatusCode};
use tonic::body::Body;
use tower::{Service, ServiceExt};

use crate::grpc::health::Health;

/// The admin port's answers; `grpc_health` is the health service with the layers around it.
pub fn router<S>(health: Health, grpc_health: S) -> Router
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    let grpc_health = grpc_health.map_request(|request: Request<axum::body::Body>| request.map(Body::new));
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(async move || readyz(&health)))
        .route_service("/grpc.health.v1.Health/{method}", grpc_health)
}

fn readyz(health: &Health) -> (StatusCode, &'static str) {
    if health.is_ready() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}
