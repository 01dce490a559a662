//! The chain of callbacks: the built-in policy, those of the configuration, those of the program that links us; and what
//! stands around the ones that a service answers.

use std::sync::Arc;

use super::App;
use super::fault::StartFault;
use crate::auth::{Callbacks, PerCallback, Rules};
use crate::callbacks::{Breaker, CallbackMetrics, Chain, Measured, PassedOver, Policy, Remembered, Shadow};
use crate::config::{OnFailure, Remote};
use crate::grpc::callback_client::{CallbackService, RemoteCallbacks};
use crate::grpc::tls::{ClientTls, TlsFault};
use crate::model::{Clock, Entropy};

/// The most bytes of `session` answers that are remembered; some 20,000 of few claims.
const REMEMBERED_ANSWERS: u32 = 16 * 1024 * 1024;

/// The callbacks that a service answers, if one is configured. Connecting begins here, and holds up nothing.
pub(super) fn remote(app: &App) -> Result<Option<Arc<dyn Callbacks>>, StartFault> {
    let remote = app.config.callbacks.remote.as_ref();
    let link = remote.map(|remote| link(remote, &app.clock, &app.entropy));
    link.transpose().map_err(StartFault::Tls)
}

/// All callbacks, in the order they are asked.
pub(super) fn chain(
    app: &App,
    rules: &Rules,
    remote: Option<Arc<dyn Callbacks>>,
    metrics: &CallbackMetrics,
) -> Chain {
    let policy: Arc<dyn Callbacks> = Arc::new(Policy::new(rules.sign_in.clone()));
    let mut links = vec![(policy, "policy")];
    links.extend(remote.map(|remote| (remote, "remote")));
    links.extend(app.callbacks.iter().map(|callbacks| (Arc::clone(callbacks), "library")));
    Chain::new(
        links.into_iter().map(|(link, kind)| Arc::new(Measured::new(link, kind, metrics)) as _).collect(),
    )
}

/// Finds what is wrong with the files of `callbacks.remote.tls`.
pub(super) fn check_files(remote: &Remote) -> Result<(), TlsFault> {
    if remote.address.is_encrypted() { ClientTls::check(&remote.tls) } else { Ok(()) }
}

fn link(
    remote: &Remote,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Arc<dyn Callbacks>, TlsFault> {
    let asked = |callback| remote.callbacks.contains(&callback);
    let service = CallbackService {
        address: remote.address.clone(),
        tls: remote.tls.clone(),
        credential: remote.credential.clone(),
        timeouts: PerCallback::of(|callback| asked(callback).then(|| *remote.timeout.get(callback))),
    };
    let client = RemoteCallbacks::connect(service, Arc::clone(clock), entropy)?;
    let mut link: Arc<dyn Callbacks> =
        Arc::new(Breaker::new(Arc::new(client), Arc::clone(clock), Arc::clone(entropy)));
    if let Some(ttl) = remote.session_cache_ttl {
        link = Arc::new(Remembered::new(link, ttl, REMEMBERED_ANSWERS, Arc::clone(clock)));
    }
    if remote.shadow {
        return Ok(Arc::new(Shadow::new(link)));
    }
    let allow = |on_failure| on_failure == OnFailure::Allow;
    let (session, redirect) = (allow(remote.on_failure.session), allow(remote.on_failure.redirect));
    Ok(Arc::new(PassedOver::new(link, session, redirect)))
}
