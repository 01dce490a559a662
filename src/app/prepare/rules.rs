//! The configuration in the form that the use cases take.

use std::collections::HashMap;
use std::sync::Arc;

use crate::app::sweep::SweepRules;
use crate::auth::{Caller, Callers, Rules, SignInRules};
use crate::config::{self, Config};
use crate::model::Lifetimes;

/// Builds the rules of the use cases.
pub(in crate::app) fn build_rules(config: &Config) -> Rules {
    Rules {
        issuer: config.issuer.clone(),
        audiences: config.tokens.audiences.clone(),
        user_claims: config.tokens.user_claims.clone(),
        strategy: config.session.strategy,
        lifetimes: Lifetimes {
            idle_ttl: config.session.idle_ttl,
            max_age: config.session.max_age,
            access_ttl: config.tokens.access_ttl,
        },
        clock_leeway: config.tokens.clock_leeway,
        refresh_retry_window: config.session.refresh_retry_window,
        late_retry: config.session.late_retry,
        update_allow: config.session.update_allow.clone(),
        claim_types: Arc::new(config.claims.clone()),
        max_staleness: config.session.max_staleness,
        stale_limit: config.session.stale_limit,
        providers: super::providers::rules(config),
        sign_in: sign_in(&config.sign_in),
        base_urls: config.base_urls.clone(),
        log_exclude: config.auth_log.exclude.clone(),
    }
}

/// Builds the rules of the sweeper.
pub(in crate::app) fn sweeping(config: &Config) -> SweepRules {
    SweepRules {
        max_age: config.session.max_age,
        clock_leeway: config.tokens.clock_leeway,
        log_retention: config.auth_log.retention,
    }
}

fn sign_in(section: &config::SignIn) -> SignInRules {
    SignInRules {
        allowed_email_domains: section.allowed_email_domains.clone(),
        require_verified_email: section.require_verified_email,
        allow_sign_up: section.allow_sign_up,
        default_role: section.default_role.clone(),
        denied_url: section.denied_url.clone(),
        banned_url: section.banned_url.clone(),
        tell_ban_reason: section.tell_ban_reason,
        link_within: section.link_within,
    }
}

/// Treats every caller as the same one, without credentials.
pub(in crate::app) fn open_callers() -> Callers {
    Callers::Open(Arc::new(Caller::local()))
}

/// Builds the configured callers, indexed by credential.
pub(in crate::app) fn callers(callers: &[config::Caller]) -> Callers {
    let (mut by_key, mut by_san) = (HashMap::new(), HashMap::new());
    for entry in callers {
        let caller = Arc::new(Caller {
            id: entry.id.clone(),
            group: entry.group.clone(),
            allow: entry.allow.clone(),
            assert_providers: entry.assert_providers.clone(),
        });
        by_key.extend(entry.key_sha256.iter().map(|hash| (*hash, Arc::clone(&caller))));
        by_san.extend(entry.mtls_san.iter().map(|name| (name.clone(), Arc::clone(&caller))));
    }
    Callers::Known { by_key, by_san }
}
