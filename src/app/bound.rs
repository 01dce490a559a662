//! A listening Gatepass server, from its first connection to its last.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::builder::App;
use super::fault::StartFault;
use super::prepare::{Loaded, Prepared};
use super::{fd_limit, keys, listeners, metrics, start};
use crate::auth::{Callbacks, Revocations};
use crate::config::Config;
use crate::grpc::health::Health;
use crate::net::tls::Tls;

/// A Gatepass server that is listening.
pub struct Bound {
    app: App,
    loaded: Loaded,
    grpc: TcpListener,
    tls: Option<Arc<Tls>>,
    http: TcpListener,
    admin: TcpListener,
    health: Health,
}

impl Bound {
    /// Returns the address of the gRPC services.
    #[must_use]
    pub fn grpc_addr(&self) -> Option<SocketAddr> {
        self.grpc.local_addr().ok()
    }

    /// Returns the address of JWKS and discovery.
    #[must_use]
    pub fn http_addr(&self) -> Option<SocketAddr> {
        self.http.local_addr().ok()
    }

    /// Returns the address of probes and metrics.
    #[must_use]
    pub fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin.local_addr().ok()
    }

    /// Returns the certificate of the gRPC port, if it uses TLS.
    #[must_use]
    pub fn tls(&self) -> Option<Arc<Tls>> {
        self.tls.clone()
    }

    /// Returns the health state: ready after the start, until shutdown begins.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Serves until `shutdown`, then drains for at most `server.shutdown_grace`. Until the drain ends, calls in flight
    /// can use the database and probes are answered, because the process is still alive.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), StartFault> {
        let Self { app, loaded, grpc, tls, http, admin, health } = self;
        // Health watchers are notified of the shutdown before their streams end.
        let (shutdown, stop, probes) =
            (shutdown.child_token(), CancellationToken::new(), CancellationToken::new());
        let front = listeners::front(&app.config.server, &health, &app.services);
        let keys = Arc::new(keys::PublishedKeys::new(Arc::clone(&app.clock)));
        let revocations = Arc::new(Revocations::default());
        let providers = app.config.providers.iter().map(|provider| provider.settings.id.clone());
        let specs = front.specs().clone();
        let metrics = metrics::Metrics::new(&*app.clock, specs, Arc::clone(&revocations), providers);
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
            // Probes are answered until the drain ends, because the process is still alive.
            probes.cancel();
            probing.close();
            probing.wait().await;
        };
        tokio::pin!(drain);
        // Boxed because this future is large and would enlarge every future that awaits it.
        let starting = Box::pin(start::start(&app, loaded, &front, &keys, &health, &metrics, revocations));
        let started = tokio::select! {
            started = starting => started,
            () = &mut drain => return Ok(()),
        };
        match started {
            Ok(running) => {
                tracing::info!("ready");
                // The feed is followed and the database stays open until the last call has ended.
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

impl App {
    /// Prepares the server and listens.
    pub async fn bind(self) -> Result<Bound, StartFault> {
        self.prepare().map_err(StartFault::Unfit)?.bind().await
    }
}

impl Prepared {
    /// Listens, and serves health from then on. To do so, raises the process's limit of file descriptors.
    pub async fn bind(self) -> Result<Bound, StartFault> {
        let Self { mut app, tls, loaded } = self;
        if let Some(tls) = &tls {
            tls.tell();
        }
        app.config.server.max_connections = fd_limit::connections(&app.config);
        let server = &app.config.server;
        let [grpc, http, admin] = [
            listen("server.grpc_addr", server.grpc_addr).await?,
            listen("server.http_addr", server.http_addr).await?,
            listen("server.admin_addr", server.admin_addr).await?,
        ];
        let health = Health::new().await;
        Ok(Bound { app, loaded, grpc, tls: tls.map(Arc::new), http, admin, health })
    }
}

async fn listen(setting: &'static str, addr: SocketAddr) -> Result<TcpListener, StartFault> {
    TcpListener::bind(addr).await.map_err(|cause| StartFault::Listen { setting, addr, cause })
}

/// Serves Gatepass with this configuration and these callbacks until `shutdown`.
pub async fn serve(
    config: Config,
    callbacks: impl Callbacks,
    shutdown: CancellationToken,
) -> Result<(), StartFault> {
    App::new(config).callbacks(callbacks).bind().await?.run(shutdown).await
}
