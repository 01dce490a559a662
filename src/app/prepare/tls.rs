//! The TLS files of the configuration, loaded once.

use std::sync::Arc;

use crate::app::fault::StartFault;
use crate::config::Config;
use crate::model::Clock;
use crate::net::tls::{ClientTls, Tls, TlsFault};

/// The settings of the files, as named in faults.
const SERVER: &str = "server.tls";
const CALLBACKS: &str = "callbacks.remote.tls";

/// Loads the TLS files of the gRPC port, if it uses TLS.
pub(in crate::app) fn of_server(
    config: &Config,
    clock: &Arc<dyn Clock>,
) -> Result<Option<Tls>, Vec<StartFault>> {
    let Some(files) = &config.server.tls else { return Ok(None) };
    Tls::load(SERVER, files.clone(), Arc::clone(clock)).map(Some).map_err(unfit)
}

/// Loads the TLS files of the callback service, if it is called over TLS.
pub(in crate::app) fn of_callbacks(
    config: &Config,
    clock: &Arc<dyn Clock>,
) -> Result<Option<ClientTls>, Vec<StartFault>> {
    let encrypted = config.callbacks.remote.as_ref().filter(|remote| remote.address.is_encrypted());
    let Some(remote) = encrypted else { return Ok(None) };
    ClientTls::load(CALLBACKS, remote.tls.clone(), Arc::clone(clock)).map(Some).map_err(unfit)
}

fn unfit(faults: Vec<TlsFault>) -> Vec<StartFault> {
    faults.into_iter().map(StartFault::Tls).collect()
}
