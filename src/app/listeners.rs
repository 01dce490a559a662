//! The three listeners: gRPC calls, with TLS if configured; public documents; probes and metrics.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::builder::App;
use super::keys::PublishedKeys;
use super::metrics::Metrics;
use crate::config::Server;
use crate::grpc::health::{Health, SPEC as HEALTH};
use crate::grpc::layers::{Ids, Measure, layered};
use crate::grpc::mount::{Mount, Mounted};
use crate::grpc::reflection;
use crate::grpc::routes::Front;
use crate::grpc::service_spec::Specs;
use crate::http::{admin, public};
use crate::net::Limits;
use crate::net::tls::Tls;

/// The time limit for probes after all calls have ended.
const PROBES_GRACE: Duration = Duration::from_secs(1);

/// The time that the longest call's response may still take on a connection past its maximum age.
const ANSWERS_GRACE: Duration = Duration::from_secs(5);

/// Creates the front of these services and of those that respond before the start is complete.
pub(super) fn front(server: &Server, health: &Health, services: &[Mount]) -> Front {
    let mut specs: Vec<_> = services.iter().map(Mount::spec).chain([&HEALTH]).collect();
    let mut always = vec![Mounted::new(&HEALTH, health.service())];
    match reflection::services(&specs) {
        Ok(reflection) if server.reflection => always.extend(reflection),
        Ok(_) => {}
        Err(error) => tracing::error!(%error, "failed to build reflection service"),
    }
    specs.extend([&reflection::V1, &reflection::V1ALPHA]);
    Front::new(Specs::new(specs), always)
}

pub(super) fn serve_calls(
    app: &App,
    front: &Front,
    metrics: &Metrics,
    (listener, tls): (TcpListener, Option<Arc<Tls>>),
    stop: &CancellationToken,
    tasks: &TaskTracker,
) {
    let limits = limits(&app.config.server);
    let calls = layered(front.clone(), front.specs(), ids(app), app.config.server.request_timeout);
    let calls = Measure::new(calls, Arc::clone(&metrics.calls));
    let entropy = Arc::clone(&app.entropy);
    tasks.spawn(crate::grpc::serve(listener, tls.clone(), limits, entropy, calls, stop.clone()));
    let Some(tls) = tls else { return };
    let stop = stop.clone();
    tasks.spawn(async move { stop.run_until_cancelled(tls.follow()).await });
}

pub(super) fn serve_documents(
    app: &App,
    keys: &Arc<PublishedKeys>,
    listener: TcpListener,
    stop: &CancellationToken,
    tasks: &TaskTracker,
) {
    let documents = public::router(Arc::clone(keys) as Arc<dyn public::PublicKeys>, &app.config.issuer);
    let limits = limits(&app.config.server);
    tasks.spawn(crate::http::serve(listener, limits, Arc::clone(&app.entropy), documents, stop.clone()));
}

pub(super) fn serve_probes(
    app: &App,
    health: &Health,
    metrics: &Metrics,
    listener: TcpListener,
    stop: &CancellationToken,
    tasks: &TaskTracker,
) {
    let specs = Specs::new([&HEALTH]);
    let calls = layered(health.service(), &specs, ids(app), app.config.server.request_timeout);
    let metrics = app.config.telemetry.metrics.then(|| Arc::clone(&metrics.registry));
    let probes = admin::router(health.readiness(), calls, metrics);
    let limits = Limits { shutdown_grace: PROBES_GRACE, ..limits(&app.config.server) };
    tasks.spawn(crate::http::serve(listener, limits, Arc::clone(&app.entropy), probes, stop.clone()));
}

fn ids(app: &App) -> Arc<Ids> {
    Arc::new(Ids::new(Arc::clone(&app.clock), &*app.entropy))
}

fn limits(server: &Server) -> Limits {
    Limits {
        max_connections: server.max_connections,
        max_concurrent_streams: server.max_concurrent_streams,
        max_header_bytes: server.max_header_bytes,
        // No call takes longer, but its response must also be read.
        age_grace: server.sign_in_timeout() + ANSWERS_GRACE,
        shutdown_grace: server.shutdown_grace,
        ..Limits::default()
    }
}
