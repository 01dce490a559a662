//! The TLS files of the configuration, loaded once.

use std::sync::Arc;

use crate::app::fault::StartFault;
use crate::config::Config;
use crate::grpc::tls::{ClientTls, Tls, TlsFault};
use crate::model::Clock;

/// The TLS of the gRPC port, if it has any.
pub(in crate::app) fn of_server(
    config: &Config,
    clock: &Arc<dyn Clock>,
) -> Result<Option<Tls>, Vec<StartFault>> {
    let Some(files) = &config.server.tls else { return Ok(None) };
    let loaded = Tls::load(files.clone(), Arc::clone(clock));
    loaded.map(Some).map_err(|fault| all(Tls::check(files), fault))
}

/// The TLS of the callback service, if it is called over TLS.
pub(in crate::app) fn of_callbacks(
    config: &Config,
    clock: &Arc<dyn Clock>,
) -> Result<Option<ClientTls>, Vec<StartFault>> {
    let encrypted = config.callbacks.remote.as_ref().filter(|remote| remote.address.is_encrypted());
    let Some(remote) = encrypted else { return Ok(None) };
    let loaded = ClientTls::load(remote.tls.clone(), Arc::clone(clock));
    loaded.map(Some).map_err(|fault| all(ClientTls::check(&remote.tls), fault))
}

/// All that is wrong with files; loading stops at the first.
fn all(mut faults: Vec<TlsFault>, first: TlsFault) -> Vec<StartFault> {
    if faults.is_empty() {
        faults.push(first);
    }
    faults.into_iter().map(StartFault::Tls).collect()
}
