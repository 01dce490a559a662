//! The metrics at `/metrics`: those of each floor, and a few facts about the process.

use std::sync::Arc;

use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::auth::{Revocations, SignInCounts};
use crate::callbacks::CallbackMetrics;
use crate::grpc::layers::CallMetrics;
use crate::grpc::service_spec::Specs;
use crate::metrics::Reading;
use crate::model::{Clock, ProviderId};

/// The metrics registry, and the metrics in it.
pub(super) struct Metrics {
    pub(super) registry: Arc<Registry>,
    pub(super) calls: Arc<CallMetrics>,
    pub(super) callbacks: CallbackMetrics,
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
        let sign_ins = SignInCounts::register(&mut registry, providers);
        registry.register_collector(Box::new(Reading {
            name: "gatepass_revocations_age",
            help: "How long ago the feed of revocations was last read to its end.",
            unit: Unit::Seconds,
            read: move || revocations.checked().map(|(_, age)| age.as_secs_f64()),
        }));
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("gatepass_build", "Which Gatepass this is", version);
        let start = ConstGauge::new(clock.now().seconds());
        registry.register_with_unit(
            "process_start_time",
            "When it started, in Unix time",
            Unit::Seconds,
            start,
        );
        Self { registry: Arc::new(registry), calls, callbacks, sign_ins }
    }
}
