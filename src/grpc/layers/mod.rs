//! What surrounds every call, outermost first: its id, its log line, gRPC statuses only, its deadline, panics, the
//! end of streams at the shutdown. Each is a plain tower service without boxes, because `GetSession` passes through
//! all of them; who the caller is and may do comes inside, with the services. On the gRPC port [`Measure`] stands around
//! them all.

mod call_metrics;
mod callers;
mod catch_panic;
mod context;
mod deadline;
mod drain;
mod measure;
mod plain_status;
mod request_id;
mod trace;

use std::sync::Arc;
use std::time::Duration;

use http::uri::PathAndQuery;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;

use super::proto::METHODS;

pub use call_metrics::CallMetrics;
pub use callers::KnownCallers;
pub use catch_panic::CatchPanic;
pub use deadline::Deadlines;
pub use drain::Drain;
pub use measure::Measure;
pub use plain_status::PlainStatus;
pub use request_id::{Ids, RequestId, RequestIds};
pub use trace::{CallerName, Trace};

/// A request as every layer takes it.
pub type Request = http::Request<Body>;
/// A response as every layer answers it.
pub type Response = http::Response<Body>;

/// A service with all layers around it.
pub type Layered<S> = RequestIds<Trace<PlainStatus<Deadlines<CatchPanic<Drain<S>>>>>>;

/// Puts all layers around `service`. `draining` ends its streams.
pub fn layered<S>(
    service: S,
    ids: Arc<Ids>,
    request_timeout: Duration,
    draining: CancellationToken,
) -> Layered<S> {
    let service = CatchPanic::new(Drain::new(service, draining));
    RequestIds::new(Trace::new(PlainStatus::new(Deadlines::new(service, request_timeout))), ids)
}

/// Whether a call answers a stream without an end of its own.
fn streams(path: &str) -> bool {
    reflects(path) || method(path).starts_with("Watch")
}

/// Whether a call is reflection's: the one whose requests are a stream too.
fn reflects(path: &str) -> bool {
    path.starts_with("/grpc.reflection.")
}

/// What is served besides our own services.
const OTHERS: [&str; 4] = [
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/// Every method that is served, by its path.
fn served() -> impl Iterator<Item = &'static str> {
    METHODS.iter().map(|(path, _)| *path).chain(OTHERS)
}

/// Service and method of a path for the log, which repeats nothing that a client made up.
fn names(path: Option<&PathAndQuery>) -> (&'static str, &'static str) {
    let known = path.and_then(|asked| served().find(|path| *path == asked.path()));
    known.map_or(("unknown", "unknown"), |path| (service(path), method(path)))
}

fn method(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(_, method)| method)
}

fn service(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(service, _)| service.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_told_by_their_path() {
        assert!(streams("/grpc.health.v1.Health/Watch"));
        assert!(streams("/gatepass.v1.RevocationService/WatchRevocations"));
        assert!(streams("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"));
        assert!(!streams("/grpc.health.v1.Health/Check"));
        assert!(!streams("/gatepass.v1.Watch/GetSession"));
        assert!(!streams("Watch"));
    }
}
