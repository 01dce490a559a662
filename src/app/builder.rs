//! The builder of a Gatepass server.

use std::sync::Arc;

use crate::auth::{AnyCallbacks, Callbacks};
use crate::config::Config;
use crate::grpc::mount::Mount;
use crate::grpc::routes::own_services;
use crate::model::{Clock, Entropy, OsEntropy, SystemClock};
use crate::storage::Observer;

/// A Gatepass server before its start.
pub struct App {
    pub(super) config: Config,
    pub(super) callbacks: Vec<AnyCallbacks>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) observer: Option<Observer>,
    pub(super) services: Vec<Mount>,
}

impl App {
    /// Creates a server with this configuration, the system's clock and its randomness.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(OsEntropy));
        let services = own_services().into();
        Self { config, callbacks: Vec::new(), clock, entropy, observer: None, services }
    }

    /// Adds callbacks after the built-in policy and after callbacks added earlier.
    #[must_use]
    pub fn callbacks(mut self, callbacks: impl Callbacks) -> Self {
        self.callbacks.push(AnyCallbacks::new(callbacks));
        self
    }

    /// Adds a service of any package to the gRPC port. It has the same layers and callers as the built-in services.
    #[must_use]
    pub fn service(mut self, service: Mount) -> Self {
        self.services.push(service);
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets an observer of every SQL statement; statements are passed without their values.
    #[must_use]
    pub fn observe_statements(mut self, observer: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.observer = Some(Observer(Arc::new(observer)));
        self
    }
}
