//! The chain of callbacks: the built-in policy, those of the configuration, those of the program that links us; and what
//! stands around the ones that a service answers.

use std::sync::Arc;

use super::builder::App;
use super::prepare;
use crate::auth::{Callback, Callbacks, PerCallback, Rules};
use crate::callbacks::cases::Bench;
use crate::callbacks::{
    Breaker, CallbackMetrics, Cel, Chain, Measured, PassedOver, Policy, Remembered, Shadow,
};
use crate::config::{Config, OnFailure, Remote};
use crate::grpc::callback_client::{CallbackService, RemoteCallbacks};
use crate::grpc::tls::ClientTls;
use crate::model::{Clock, Entropy, ManualClock, Timestamp};

/// The most bytes of `session` answers that are remembered, of expressions and of a service each; some 10,000 of few claims.
const REMEMBERED_ANSWERS: u32 = 16 * 1024 * 1024;

/// Callbacks of one kind.
type Link = Arc<dyn Callbacks>;

/// The callbacks that a service answers, if one is configured. Connecting begins here, and holds up nothing.
pub(super) fn remote(app: &App, tls: Option<ClientTls>, metrics: &CallbackMetrics) -> Option<Link> {
    let remote = app.config.callbacks.remote.as_ref();
    remote.map(|remote| link(remote, tls, &app.clock, &app.entropy, metrics))
}

/// The callbacks of the configuration itself: its policy, then its expressions. Each kind is measured before its answers are
/// remembered: what is remembered is not asked.
fn configured(
    config: &Config,
    rules: &Rules,
    clock: Arc<dyn Clock>,
    measured: impl Fn(Link, &'static str) -> Link,
) -> Vec<Link> {
    let policy = Policy::new(rules.sign_in.clone());
    let cel = Cel::new(config.callbacks.cel.clone(), Arc::clone(&clock));
    let timeless = !cel.asks_the_time(Callback::Session);
    let mut cel = measured(Arc::new(cel), "cel");
    if timeless {
        cel = Arc::new(Remembered::new(cel, None, REMEMBERED_ANSWERS, clock));
    }
    vec![measured(Arc::new(policy), "policy"), cel]
}

/// The bench that `gatepass callbacks test` asks cases of: its callbacks, without what is reached by
/// the network.
#[must_use]
pub fn bench(config: &Config, now: Timestamp) -> Bench {
    let rules = prepare::build_rules(config);
    let clock = Arc::new(ManualClock::at(now));
    let links = configured(config, &rules, Arc::clone(&clock) as _, |link, _| link);
    Bench {
        callbacks: Arc::new(Chain::new(links)),
        clock,
        now,
        base_urls: rules.base_urls,
        default_role: rules.sign_in.default_role,
        update_allow: rules.update_allow,
    }
}

/// All callbacks, in the order they are asked.
pub(super) fn chain(app: &App, rules: &Rules, remote: Option<Link>, metrics: &CallbackMetrics) -> Chain {
    let measured = |link, kind| Arc::new(Measured::new(link, kind, metrics)) as Link;
    let mut links = configured(&app.config, rules, Arc::clone(&app.clock), measured);
    links.extend(remote);
    links.extend(app.callbacks.iter().map(|callbacks| measured(Arc::clone(callbacks), "library")));
    Chain::new(links)
}

fn link(
    remote: &Remote,
    tls: Option<ClientTls>,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
    metrics: &CallbackMetrics,
) -> Link {
    let asked = |callback| remote.callbacks.contains(&callback);
    let service = CallbackService {
        address: remote.address.clone(),
        tls,
        credential: remote.credential.clone(),
        timeouts: PerCallback::of(|callback| asked(callback).then(|| *remote.timeout.get(callback))),
    };
    let client = RemoteCallbacks::connect(service, Arc::clone(clock), entropy);
    let guarded = Breaker::new(Arc::new(client), Arc::clone(clock), Arc::clone(entropy));
    // Around no more than this: a failure counts though it is passed over, and so does what is only tried out.
    let mut link: Link = Arc::new(Measured::new(Arc::new(guarded), "remote", metrics));
    if let Some(ttl) = remote.session_cache_ttl {
        link = Arc::new(Remembered::new(link, Some(ttl), REMEMBERED_ANSWERS, Arc::clone(clock)));
    }
    if remote.shadow {
        return Arc::new(Shadow::new(link));
    }
    let allow = |on_failure| on_failure == OnFailure::Allow;
    let (session, redirect) = (allow(remote.on_failure.session), allow(remote.on_failure.redirect));
    Arc::new(PassedOver::new(link, session, redirect))
}
