//! The chain of callbacks: the built-in policy, those of the configuration, those of the program that links us; and the
//! decorators around those that a service answers.

use std::sync::Arc;

use super::builder::App;
use super::prepare;
use crate::auth::{AnyCallbacks, Callback, Invoke, PerCallback, Rules};
use crate::callbacks::cases::Bench;
use crate::callbacks::{
    Breaker, CallbackMetrics, Cel, Chain, FailOpen, Measured, Policy, SessionCache, Shadow,
};
use crate::config::{Config, OnFailure, Remote};
use crate::grpc::callback_client::{CallbackService, RemoteCallbacks};
use crate::model::{Clock, Entropy, ManualClock, Timestamp};
use crate::net::tls::ClientTls;

/// The most bytes of cached `session` answers, of expressions and of a service each; some 10,000 of few claims.
const CACHED_ANSWERS: u32 = 16 * 1024 * 1024;

/// The callbacks that a service answers, if one is configured. Connecting begins here, and holds up nothing.
pub(super) fn remote(app: &App, tls: Option<ClientTls>, metrics: &CallbackMetrics) -> Option<AnyCallbacks> {
    let remote = app.config.callbacks.remote.as_ref();
    remote.map(|remote| link(remote, tls, &app.clock, &app.entropy, metrics))
}

/// The callbacks of the configuration itself: its policy, then its expressions. Each kind is measured inside its cache: a
/// cached answer is no call.
fn configured(
    config: &Config,
    rules: &Rules,
    clock: Arc<dyn Clock>,
    measured: impl Fn(AnyCallbacks, &'static str) -> AnyCallbacks,
) -> Vec<AnyCallbacks> {
    let policy = Policy::new(rules.sign_in.clone());
    let cel = Cel::new(config.callbacks.cel.clone(), Arc::clone(&clock));
    let timeless = !cel.asks_the_time(Callback::Session);
    let mut cel = measured(AnyCallbacks::new(cel), "cel");
    if timeless {
        cel = cel.decorated(|inner| SessionCache::new(inner, None, CACHED_ANSWERS, clock));
    }
    vec![measured(AnyCallbacks::new(policy), "policy"), cel]
}

/// The callbacks that cases of this configuration ask, for `gatepass callbacks test`: all but those that are reached by the
/// network.
#[must_use]
pub fn bench(config: &Config, now: Timestamp) -> Bench {
    let rules = prepare::build_rules(config);
    let clock = Arc::new(ManualClock::at(now));
    let links = configured(config, &rules, Arc::clone(&clock) as _, |link, _| link);
    Bench {
        invoke: Invoke { callbacks: Chain::of(&links), base_urls: Arc::new(rules.base_urls) },
        clock,
        now,
        default_role: rules.sign_in.default_role,
        update_allow: rules.update_allow,
    }
}

/// All callbacks, in the order they are asked.
pub(super) fn chain(
    app: &App,
    rules: &Rules,
    remote: Option<AnyCallbacks>,
    metrics: &CallbackMetrics,
) -> AnyCallbacks {
    let measured = |callbacks, kind| measured(callbacks, kind, metrics);
    let mut links = configured(&app.config, rules, Arc::clone(&app.clock), measured);
    links.extend(remote);
    links.extend(app.callbacks.iter().map(|callbacks| measured(callbacks.clone(), "library")));
    Chain::of(&links)
}

fn measured(callbacks: AnyCallbacks, kind: &'static str, metrics: &CallbackMetrics) -> AnyCallbacks {
    let implemented = callbacks.implemented();
    callbacks.decorated(|inner| Measured::new(inner, implemented, kind, metrics))
}

fn link(
    remote: &Remote,
    tls: Option<ClientTls>,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
    metrics: &CallbackMetrics,
) -> AnyCallbacks {
    let asked = |callback| remote.callbacks.contains(&callback);
    let service = CallbackService {
        address: remote.address.clone(),
        tls,
        credential: remote.credential.clone(),
        timeouts: PerCallback::of(|callback| asked(callback).then(|| *remote.timeout.get(callback))),
    };
    let client = RemoteCallbacks::connect(service, Arc::clone(clock), entropy);
    let breaker = |inner| Breaker::new(inner, Arc::clone(clock), Arc::clone(entropy));
    let guarded = AnyCallbacks::new(client).decorated(breaker);
    // Inside the rest: a failure counts even if it is ignored, and so does an answer that is only tried out.
    let mut link = measured(guarded, "remote", metrics);
    if let Some(ttl) = remote.session_cache_ttl {
        let cache = |inner| SessionCache::new(inner, Some(ttl), CACHED_ANSWERS, Arc::clone(clock));
        link = link.decorated(cache);
    }
    if remote.shadow {
        return Shadow::of(link);
    }
    let allow = |on_failure| on_failure == OnFailure::Allow;
    let (session, redirect) = (allow(remote.on_failure.session), allow(remote.on_failure.redirect));
    link.decorated(|inner| FailOpen::new(inner, session, redirect))
}
