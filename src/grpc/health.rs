//! `grpc.health.v1`: publishes the state of [`Readiness`] under all service names. `""` and the services serve from
//! ready to draining; `liveness` as long as the process. `AuthService` also stops if the revocation data is stale. The
//! composition root decides those states.

use std::sync::Arc;

use tokio::sync::Mutex;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

use super::service_spec::{ASKED_BY_NAME, Access, ErrorEncoding, MethodKind, MethodSpec, ServiceSpec};
use crate::net::Readiness;

/// The specification of the health service, for probes without a credential.
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
/// The names that serve whenever the whole process does.
const OTHERS: [&str; 3] = ["", "gatepass.v1.AdminService", "gatepass.v1.RevocationService"];

/// The handle by which the program reports its state.
#[derive(Debug, Clone)]
pub struct Health(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    reporter: HealthReporter,
    readiness: Readiness,
    /// Held while publishing, so that changes are published in the order they were made.
    publishing: Mutex<()>,
}

impl Health {
    /// Registers every name, with only `liveness` serving. A name that is registered later would end its watchers with
    /// `NOT_FOUND`, and tonic-health would begin with `""` SERVING.
    pub async fn new() -> Self {
        let reporter = HealthReporter::new();
        reporter.set_service_status("liveness", ServingStatus::Serving).await;
        for name in OTHERS.into_iter().chain([AUTH]) {
            reporter.set_service_status(name, ServingStatus::NotServing).await;
        }
        Self(Arc::new(Inner { reporter, readiness: Readiness::default(), publishing: Mutex::new(()) }))
    }

    /// Returns the gRPC service.
    #[must_use]
    pub fn service(&self) -> HealthServer<HealthService> {
        HealthServer::new(HealthService::from_health_reporter(self.0.reporter.clone()))
            .max_decoding_message_size(ASKED_BY_NAME)
    }

    /// Returns the published readiness, for other endpoints.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        self.0.readiness.clone()
    }

    /// Records that migrations, keys and the first feed snapshot are complete.
    pub async fn ready(&self) {
        self.change(Readiness::ready).await;
    }

    /// Records if `AuthService` can answer: false while the revocation data is stale.
    pub async fn auth_service(&self, serves: bool) {
        self.change(|readiness| readiness.fresh(serves)).await;
    }

    /// Records that shutdown has begun. Nothing serves again afterwards.
    pub async fn draining(&self) {
        self.change(Readiness::draining).await;
    }

    /// Returns the state of `/readyz`: ready, and not draining.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.readiness.serves()
    }

    async fn change(&self, change: impl FnOnce(&Readiness)) {
        let Inner { reporter, readiness, publishing } = &*self.0;
        let _publishing = publishing.lock().await;
        let before = (readiness.serves(), readiness.serves_fresh());
        change(readiness);
        let now = (readiness.serves(), readiness.serves_fresh());
        // Only changes: the reporter wakes its watchers for an unchanged status, too.
        if before.0 != now.0 {
            for name in OTHERS {
                reporter.set_service_status(name, status(now.0)).await;
            }
        }
        if before.1 != now.1 {
            reporter.set_service_status(AUTH, status(now.1)).await;
        }
    }
}

fn status(serves: bool) -> ServingStatus {
    if serves { ServingStatus::Serving } else { ServingStatus::NotServing }
}
