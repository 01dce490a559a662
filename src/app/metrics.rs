//! The metrics at `/metrics`: those of each floor, and a few facts about the process.

use std::sync::Arc;

use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::auth::{DroppedAttributes, Revocations, SignInCounts};
use crate::callbacks::CallbackMetrics;
use crate::grpc::layers::CallMetrics;
use crate::grpc::service_spec::Specs;
use crate::metrics::{LeftOutClaims, Reading};
use crate::model::{Clock, ProviderId};

/// The metrics registry, and the metrics in it.
pub(super) struct Metrics {
    pub(super) registry: Arc<Registry>,
    pub(super) calls: Arc<CallMetrics>,
    pub(super) callbacks: CallbackMetrics,
    pub(super) dropped_attributes: DroppedAttributes,
    pub(super) left_out: LeftOutClaims,
    pub(super) sign_ins: SignInCounts,
}

impl Metrics {
    /// Creates the metrics of a process that starts now, with these services, revocations and providers.
    pub(super) fn new(
        clock: &dyn Clock,
        specs: Specs,
        revocations: Arc<Revocations>,
        providers: impl IntoIterator<Item = ProviderId>,
    ) -> Self {
        let mut registry = Registry::default();
        let calls = Arc::new(CallMetrics::register(&mut registry, specs));
        let callbacks = CallbackMetrics::register(&mut registry);
        let dropped_attributes = DroppedAttributes::register(&mut registry);
        let left_out = LeftOutClaims::register(&mut registry);
        let sign_ins = SignInCounts::register(&mut registry, providers);
        registry.register_collector(Box::new(Reading {
            name: "gatepass_revocations_age",
            help: "Time since the revocation feed was last read to its end.",
            unit: Unit::Seconds,
            read: move || revocations.checked().map(|(_, age)| age.as_secs_f64()),
        }));
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("gatepass_build", "Version of Gatepass", version);
        let start = ConstGauge::new(clock.now().seconds());
        registry.register_with_unit(
            "process_start_time",
            "Start time of the process, in Unix time",
            Unit::Seconds,
            start,
        );
        Self { registry: Arc::new(registry), calls, callbacks, dropped_attributes, left_out, sign_ins }
    }
}
