//! The composition root: the only place that names concrete types of every floor. Listens first, then waits for
//! the database as long as it takes; what can never become right stops the start.

mod callbacks;
mod clock;
mod descriptors;
mod fault;
mod key_commands;
mod keys;
mod listeners;
mod metrics;
mod providers;
mod readers;
mod rules;
mod secret_file;
mod start;
mod sweep;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::{Callbacks, Revocations};
use crate::config::Config;
use crate::grpc::health::Health;
use crate::grpc::mount::Mount;
use crate::grpc::routes::own_services;
use crate::grpc::tls::Tls;
use crate::model::{Clock, Entropy, OsEntropy, SystemClock};
use crate::storage::Observer;
use crate::tokens::Secrets;

pub use callbacks::bench;
pub use fault::StartFault;
pub use key_commands::{ListedKeys, list_keys, revoke_key, rotate_keys};
pub use start::migrate;

/// A Gatepass to be started.
pub struct App {
    config: Config,
    callbacks: Vec<Arc<dyn Callbacks>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    observer: Option<Observer>,
    services: Vec<Mount>,
}

impl App {
    /// A Gatepass of this configuration, with the system's clock and randomness.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(OsEntropy));
        let services = own_services().into();
        Self { config, callbacks: Vec::new(), clock, entropy, observer: None, services }
    }

    /// Adds callbacks behind the built-in policy, and behind those added before.
    #[must_use]
    pub fn callbacks(mut self, callbacks: impl Callbacks) -> Self {
        self.callbacks.push(Arc::new(callbacks));
        self
    }

    /// Adds a service, of any package, to those of the gRPC port: behind the same layers, for the same callers.
    #[must_use]
    pub fn service(mut self, service: Mount) -> Self {
        self.services.push(service);
        self
    }

    /// Takes time from this clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Tells every SQL statement, without its values.
    #[must_use]
    pub fn observe_statements(mut self, observer: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.observer = Some(Observer(Arc::new(observer)));
        self
    }

    /// Listens, and serves health from then on. Raises the process's limit of file descriptors for it.
    pub async fn bind(mut self) -> Result<Bound, StartFault> {
        self.config.server.max_connections = descriptors::connections(&self.config);
        let server = &self.config.server;
        let tls = server.tls.clone().map(|files| Tls::load(files, Arc::clone(&self.clock)));
        let tls = tls.transpose().map_err(StartFault::Tls)?.map(Arc::new);
        let [grpc, http, admin] = [
            listen("server.grpc_addr", server.grpc_addr).await?,
            listen("server.http_addr", server.http_addr).await?,
            listen("server.admin_addr", server.admin_addr).await?,
        ];
        let health = Health::new().await;
        Ok(Bound { app: self, grpc, tls, http, admin, health })
    }
}

async fn listen(setting: &'static str, addr: SocketAddr) -> Result<TcpListener, StartFault> {
    TcpListener::bind(addr).await.map_err(|cause| StartFault::Listen { setting, addr, cause })
}

/// A Gatepass that listens.
pub struct Bound {
    app: App,
    grpc: TcpListener,
    tls: Option<Arc<Tls>>,
    http: TcpListener,
    admin: TcpListener,
    health: Health,
}

impl Bound {
    /// Where gRPC is served.
    #[must_use]
    pub fn grpc_addr(&self) -> Option<SocketAddr> {
        self.grpc.local_addr().ok()
    }

    /// Where JWKS and discovery are.
    #[must_use]
    pub fn http_addr(&self) -> Option<SocketAddr> {
        self.http.local_addr().ok()
    }

    /// Where probes and metrics are.
    #[must_use]
    pub fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin.local_addr().ok()
    }

    /// The certificate of the gRPC port, if it has TLS.
    #[must_use]
    pub fn tls(&self) -> Option<Arc<Tls>> {
        self.tls.clone()
    }

    /// Whether it is ready, and not yet told to stop.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Serves until `shutdown`, then drains for at most `server.shutdown_grace`. Calls in flight have the database to
    /// the end of the drain, and probes are answered until then: a process that goes is alive.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), StartFault> {
        let Self { app, grpc, tls, http, admin, health } = self;
        // Watchers of the health learn that it ends before their streams do.
        let (shutdown, stop, probes) =
            (shutdown.child_token(), CancellationToken::new(), CancellationToken::new());
        let front = listeners::front(&app.config.server, &health, &app.services);
        let keys = Arc::new(keys::PublishedKeys::new(Arc::clone(&app.clock)));
        let revocations = Arc::new(Revocations::default());
        let metrics = metrics::Metrics::new(&*app.clock, front.specs().clone(), Arc::clone(&revocations));
        let (tasks, probing) = (TaskTracker::new(), TaskTracker::new());
        listeners::serve_calls(&app, &front, &metrics, (grpc, tls), &stop, &tasks);
        listeners::serve_documents(&app, &keys, http, &stop, &tasks);
        listeners::serve_probes(&app, &health, &metrics, admin, &probes, &probing);
        let drain = async {
            shutdown.cancelled().await;
            health.draining().await;
            stop.cancel();
            tasks.close();
            tasks.wait().await;
            // Probes are answered to the end of the drain: a process that goes is alive.
            probes.cancel();
            probing.close();
            probing.wait().await;
        };
        tokio::pin!(drain);
        // Boxed, since it is large, and so would be all that waits for it.
        let starting = Box::pin(start::start(&app, &front, &keys, &health, &metrics, revocations));
        let started = tokio::select! {
            started = starting => started,
            () = &mut drain => return Ok(()),
        };
        match started {
            Ok(running) => {
                tracing::info!("ready");
                // The feed is followed, and the database stays open, until the last call has ended.
                tokio::select! {
                    () = running.follow(&health, &shutdown) => {}
                    () = &mut drain => {}
                }
                running.close().await;
                Ok(())
            }
            Err(fault) => {
                shutdown.cancel();
                drain.await;
                Err(fault)
            }
        }
    }
}

/// Serves a Gatepass of this configuration and these callbacks until `shutdown`.
pub async fn serve(
    config: Config,
    callbacks: impl Callbacks,
    shutdown: CancellationToken,
) -> Result<(), StartFault> {
    App::new(config).callbacks(callbacks).bind().await?.run(shutdown).await
}

/// Finds what the configuration's own checks can't see: rules that can't be kept, files that can't be used.
pub fn check(config: &Config) -> Vec<StartFault> {
    let mut faults: Vec<_> = rules::build(config).err().map(StartFault::Rules).into_iter().collect();
    let secrets = config.secrets.as_deref().map_or(Ok(()), |secrets| Secrets::new(secrets).map(drop));
    faults.extend(secrets.err().map(StartFault::Secrets));
    let (tls, remote) = (config.server.tls.iter(), config.callbacks.remote.iter());
    let files = tls.flat_map(Tls::check).chain(remote.flat_map(callbacks::check_files));
    faults.extend(files.map(StartFault::Tls));
    faults.extend(providers::check(config));
    faults.extend(keys::check_files(config).map(StartFault::from));
    faults
}
