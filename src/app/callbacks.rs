//! The chain of callbacks: the built-in policy, those of the configuration, and those of the program that embeds
//! Gatepass. It also wraps remote callbacks in their decorators.

use std::sync::Arc;

use super::builder::App;
use super::prepare;
use crate::auth::{AnyCallbacks, Callback, ClaimRules, Invoke, PerCallback, Rules};
use crate::callbacks::cases::Bench;
use crate::callbacks::{
    Breaker, CallbackMetrics, Cel, Chain, FailOpen, Measured, Policy, SessionCache, Shadow,
};
use crate::config::{Config, OnFailure, Remote};
use crate::grpc::callback_client::{CallbackService, RemoteCallbacks};
use crate::model::{Clock, Entropy, ManualClock, Timestamp};
use crate::net::tls::ClientTls;

/// The cache size for `session` responses, in bytes, of expressions and of a service each. It holds about 10,000
/// responses with few claims.
const CACHED_ANSWERS: u32 = 16 * 1024 * 1024;

/// Creates the callbacks of a remote service, if one is configured. Connecting starts here, but does not delay the
/// start.
pub(super) fn remote(app: &App, tls: Option<ClientTls>, metrics: &CallbackMetrics) -> Option<AnyCallbacks> {
    let remote = app.config.callbacks.remote.as_ref();
    remote.map(|remote| link(remote, tls, &app.clock, &app.entropy, metrics))
}

/// Creates the callbacks of the configuration itself: its policy, then its expressions. Each kind is measured inside
/// its cache, because a cached response is not a call.
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

/// Creates the callbacks for `gatepass callbacks test`: all of this configuration, except those called over the
/// network.
#[must_use]
pub fn bench(config: &Config, now: Timestamp) -> Bench {
    let rules = prepare::build_rules(config);
    let clock = Arc::new(ManualClock::at(now));
    let links = configured(config, &rules, Arc::clone(&clock) as _, |link, _| link);
    Bench {
        invoke: Invoke {
            callbacks: Chain::of(&links),
            base_urls: Arc::new(rules.base_urls),
            claims: ClaimRules { types: rules.claim_types, ..ClaimRules::default() },
        },
        clock,
        now,
        default_role: rules.sign_in.default_role,
        update_allow: rules.update_allow,
    }
}

/// Chains all callbacks, in calling order.
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
    // Measured inside the other decorators, so that ignored failures and shadow-mode responses are counted too.
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
