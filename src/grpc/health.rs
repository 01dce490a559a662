//! `grpc.health.v1` and what `/livez` and `/readyz` say: one state, published under every name together.
//! `""` and the services serve from ready to draining; `liveness` as long as the process; `AuthService` also
//! stops where the revocation feed is too old. Who decides those is the composition root.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Mutex;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

use super::service_spec::{ASKED_BY_NAME, Access, ErrorEncoding, MethodKind, MethodSpec, ServiceSpec};

/// The specification of the health service, for probes that show no credential.
pub static SPEC: ServiceSpec = ServiceSpec {
    prefix: "/grpc.health.v1.Health/",
    methods: &[
        MethodSpec { name: "Check", access: Access::Anybody, kind: MethodKind::Unary, timeouts: 1 },
        MethodSpec { name: "Watch", access: Access::Anybody, kind: MethodKind::ServerStream, timeouts: 1 },
    ],
    errors: ErrorEncoding::Status,
    max_message_bytes: Some(ASKED_BY_NAME),
    descriptors: tonic_health::pb::FILE_DESCRIPTOR_SET,
};

const AUTH: &str = "gatepass.v1.AuthService";
/// What serves whenever the process as a whole does.
const OTHERS: [&str; 3] = ["", "gatepass.v1.AdminService", "gatepass.v1.RevocationService"];

#[derive(Debug, Clone, Copy)]
struct State {
    ready: bool,
    draining: bool,
    auth: bool,
}

impl State {
    fn serves(self) -> bool {
        self.ready && !self.draining
    }

    fn serves_auth(self) -> bool {
        self.serves() && self.auth
    }
}

/// The handle by which the program says how it is.
#[derive(Debug, Clone)]
pub struct Health(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    reporter: HealthReporter,
    state: Mutex<State>,
    serving: AtomicBool,
}

impl Health {
    /// Every name registered, none serving but `liveness`: a name that came later would end its watchers with
    /// `NOT_FOUND`, and tonic-health would begin with `""` SERVING.
    pub async fn new() -> Self {
        let reporter = HealthReporter::new();
        reporter.set_service_status("liveness", ServingStatus::Serving).await;
        for name in OTHERS.into_iter().chain([AUTH]) {
            reporter.set_service_status(name, ServingStatus::NotServing).await;
        }
        let state = State { ready: false, draining: false, auth: true };
        Self(Arc::new(Inner { reporter, state: Mutex::new(state), serving: AtomicBool::new(false) }))
    }

    /// The gRPC service.
    #[must_use]
    pub fn service(&self) -> HealthServer<HealthService> {
        HealthServer::new(HealthService::from_health_reporter(self.0.reporter.clone()))
            .max_decoding_message_size(ASKED_BY_NAME)
    }

    /// Migrations, keys and the first feed snapshot are there.
    pub async fn ready(&self) {
        self.change(|state| state.ready = true).await;
    }

    /// Whether `AuthService` can answer: false while the feed is older than the stale limit.
    pub async fn auth_service(&self, serves: bool) {
        self.change(|state| state.auth = serves).await;
    }

    /// The process was told to go. Nothing serves again after it.
    pub async fn draining(&self) {
        self.change(|state| state.draining = true).await;
    }

    /// What `/readyz` answers: ready, and not draining.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.serving.load(Ordering::Acquire)
    }

    async fn change(&self, change: impl FnOnce(&mut State)) {
        // Held over the publishing, so that two changes are published in the order they were made.
        let mut state = self.0.state.lock().await;
        let before = *state;
        change(&mut state);
        self.0.serving.store(state.serves(), Ordering::Release);
        // Only what changed: the reporter wakes its watchers for an unchanged status too.
        if before.serves() != state.serves() {
            for name in OTHERS {
                self.0.reporter.set_service_status(name, status(state.serves())).await;
            }
        }
        if before.serves_auth() != state.serves_auth() {
            self.0.reporter.set_service_status(AUTH, status(state.serves_auth())).await;
        }
    }
}

fn status(serves: bool) -> ServingStatus {
    if serves { ServingStatus::Serving } else { ServingStatus::NotServing }
}
