//! `serve`, and the signals that stop it or reload its certificate.

use std::process::ExitCode;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::field::display;

use super::output::at_fault;
use crate::app::App;
use crate::config::Config;
use crate::net::tls::Tls;
use crate::telemetry;

pub(super) async fn serve(config: Config) -> ExitCode {
    let settings = config.telemetry.clone();
    let prepared = match App::new(config).prepare() {
        Ok(prepared) => prepared,
        Err(faults) => return at_fault(faults),
    };
    telemetry::start(&settings);
    let shutdown = CancellationToken::new();
    tokio::spawn(cancel_on_signal(shutdown.clone()));
    let served = match prepared.bind().await {
        Ok(bound) => {
            let (grpc, http, admin) = (bound.grpc_addr(), bound.http_addr(), bound.admin_addr());
            let (grpc, http, admin) = (grpc.map(display), http.map(display), admin.map(display));
            if let Some(tls) = bound.tls() {
                reload_on_signal(tls);
            }
            tracing::info!(grpc, http, admin, "listening");
            bound.run(shutdown).await
        }
        Err(fault) => Err(fault),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            tracing::error!(%fault, "failed to start");
            ExitCode::FAILURE
        }
    }
}

async fn cancel_on_signal(shutdown: CancellationToken) {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("failed to handle signals; only SIGKILL stops this process");
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("draining");
    shutdown.cancel();
}

/// Reloads the TLS files on SIGHUP. Without TLS, SIGHUP terminates Gatepass like other programs.
fn reload_on_signal(tls: Arc<Tls>) {
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            tls.reload();
        }
    });
}
