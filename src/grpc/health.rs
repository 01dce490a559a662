//! `grpc.health.v1`: what [`Readiness`] knows, published under every name together.
//! `""` and the services serve from ready to draining; `liveness` as long as the process; `AuthService` also
//! stops where the revocation feed is too old. Who decides those is the composition root.

use std::sync::Arc;

use tokio::sync::Mutex;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

use super::service_spec::{ASKED_BY_NAME, Access, ErrorEncoding, MethodKind, MethodSpec, ServiceSpec};
use crate::net::Readiness;

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

/// The handle by which the program says how it is.
#[derive(Debug, Clone)]
pub struct Health(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    reporter: HealthReporter,
    readiness: Readiness,
    /// Held over the publishing, so that two changes are published in the order they were made.
    publishing: Mutex<()>,
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
        Self(Arc::new(Inner { reporter, readiness: Readiness::default(), publishing: Mutex::new(()) }))
    }

    /// The gRPC service.
    #[must_use]
    pub fn service(&self) -> HealthServer<HealthService> {
        HealthServer::new(HealthService::from_health_reporter(self.0.reporter.clone()))
            .max_decoding_message_size(ASKED_BY_NAME)
    }

    /// What is published, for others to show.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        self.0.readiness.clone()
    }

    /// Migrations, keys and the first feed snapshot are there.
    pub async fn ready(&self) {
        self.change(Readiness::ready).await;
    }

    /// Whether `AuthService` can answer: false while the feed is older than the stale limit.
    pub async fn auth_service(&self, serves: bool) {
        self.change(|readiness| readiness.fresh(serves)).await;
    }

    /// The process was told to go. Nothing serves again after it.
    pub async fn draining(&self) {
        self.change(Readiness::draining).await;
    }

    /// What `/readyz` answers: ready, and not draining.
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
        // Only what changed: the reporter wakes its watchers for an unchanged status too.
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
