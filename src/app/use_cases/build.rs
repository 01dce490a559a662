//! Builds the use cases from the process's resources; each gets only those that it needs.

use std::sync::Arc;

use super::readers;
use super::resources::Resources;
use crate::auth::{
    AccessRules, AccessTokens, Audit, Auth, BeginSignIn, ClaimRules, CompleteSignIn, Credentials,
    DenialSampler, DenialUrls, Denials, Flows, GetSession, GetUser, Invoke, IssueToken, LinkAccount,
    LinkRules, LinkSessions, LocalRevocations, OpenSession, OutcomeNews, ProviderRules, RedirectRules,
    RefreshRules, RefreshToken, Repeats, ResolveRedirect, ResolveUser, RevokeSession, RevokeUserSessions,
    RotationRules, Rules, SessionDrafts, SessionEnder, SignIn, SignOut, TokenIssuer, TokenNames, UpdateUser,
};
use crate::model::Clock;
use crate::storage::{SessionStore, UserStore};
use crate::tokens::{References, Verifier};

/// Builds the use cases under these rules.
pub(in crate::app) fn build(has: &Resources, rules: &Rules) -> Auth {
    let shared = Shared::new(has, rules);
    Auth {
        begin_sign_in: shared.begin_sign_in(),
        sign_in: shared.sign_in(),
        issue_token: shared.issue_token(),
        refresh_token: shared.refresh_token(),
        get_session: GetSession {
            readers: shared.link_sessions.readers.clone(),
            invoke: shared.invoke.clone(),
        },
        resolve_redirect: ResolveRedirect { invoke: shared.invoke.clone() },
        sign_out: shared.sign_out(),
        get_user: GetUser { users: shared.users() },
        update_user: UpdateUser {
            users: shared.users(),
            audit: Arc::clone(&shared.audit),
            local: Arc::clone(&shared.local),
            clock: shared.clock(),
        },
        revoke_session: RevokeSession {
            sessions: shared.sessions(),
            ender: Arc::clone(&shared.ender),
            audit: Arc::clone(&shared.audit),
        },
        revoke_user_sessions: RevokeUserSessions {
            users: shared.users(),
            ender: Arc::clone(&shared.ender),
            audit: Arc::clone(&shared.audit),
            clock: shared.clock(),
        },
        audit: Arc::clone(&shared.audit),
        clock: shared.clock(),
    }
}

/// The parts that several use cases share.
struct Shared<'a> {
    has: &'a Resources,
    rules: &'a Rules,
    verifier: Verifier,
    references: References,
    audit: Arc<Audit>,
    invoke: Invoke,
    local: Arc<LocalRevocations>,
    ender: Arc<SessionEnder>,
    issuer: Arc<TokenIssuer>,
    flows: Flows,
    drafts: SessionDrafts,
    redirects: RedirectRules,
    link_sessions: Arc<LinkSessions>,
}

impl<'a> Shared<'a> {
    fn new(has: &'a Resources, rules: &'a Rules) -> Self {
        let (clock, entropy) = (|| Arc::clone(&has.clock), || Arc::clone(&has.entropy));
        let sessions = || Arc::clone(&has.stores) as Arc<dyn SessionStore>;
        let verifier = Verifier::new(Arc::clone(&has.ring), rules.issuer.clone(), rules.clock_leeway);
        let references = References::new(Arc::clone(&has.secrets), rules.clock_leeway);
        let base_urls = Arc::new(rules.base_urls.clone());
        let invoke = Invoke {
            callbacks: has.callbacks.clone(),
            base_urls: Arc::clone(&base_urls),
            claims: ClaimRules { types: Arc::clone(&rules.claim_types), left_out: has.left_out.clone() },
        };
        let audit = Arc::new(Audit {
            log: Arc::clone(&has.stores) as _,
            clock: clock(),
            entropy: entropy(),
            exclude: rules.log_exclude.clone(),
            sampled: DenialSampler::default(),
        });
        let local = Arc::new(LocalRevocations {
            index: Arc::clone(&has.index),
            follower: Arc::clone(&has.follower),
            remember: rules.remember(),
            user_claims: rules.user_claims.clone(),
        });
        let ender = Arc::new(SessionEnder {
            sessions: sessions(),
            local: Arc::clone(&local),
            audit: Arc::clone(&audit),
            clock: clock(),
        });
        let access = AccessTokens {
            ring: Arc::clone(&has.ring),
            references: references.clone(),
            invoke: invoke.clone(),
            clock: clock(),
            entropy: entropy(),
            rules: AccessRules {
                issuer: rules.issuer.clone(),
                strategy: rules.strategy,
                access_ttl: rules.lifetimes.access_ttl,
                user_claims: rules.user_claims.clone(),
            },
        };
        let issuer = Arc::new(TokenIssuer {
            access,
            secrets: Arc::clone(&has.secrets),
            entropy: entropy(),
            audiences: rules.audiences.clone(),
        });
        let link_sessions = Arc::new(LinkSessions {
            readers: readers::readers(has, rules, &verifier, &references),
            sessions: sessions(),
            clock: clock(),
            rules: LinkRules { within: rules.sign_in.link_within, lifetimes: rules.lifetimes },
        });
        Self {
            has,
            rules,
            verifier,
            references,
            audit,
            invoke,
            local,
            ender,
            issuer,
            flows: Flows { secrets: Arc::clone(&has.secrets), clock: clock(), entropy: entropy() },
            drafts: SessionDrafts {
                secrets: Arc::clone(&has.secrets),
                clock: clock(),
                entropy: entropy(),
                lifetimes: rules.lifetimes,
            },
            redirects: RedirectRules { base_urls, providers: Arc::new(rules.providers.clone()) },
            link_sessions,
        }
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.has.clock)
    }

    fn users(&self) -> Arc<dyn UserStore> {
        Arc::clone(&self.has.stores) as _
    }

    fn sessions(&self) -> Arc<dyn SessionStore> {
        Arc::clone(&self.has.stores) as _
    }

    fn begin_sign_in(&self) -> BeginSignIn {
        BeginSignIn {
            providers: Arc::clone(&self.has.providers),
            flows: self.flows.clone(),
            link_sessions: Arc::clone(&self.link_sessions),
            redirects: self.redirects.clone(),
        }
    }

    fn sign_in(&self) -> SignIn {
        let sign_in = &self.rules.sign_in;
        let resolve = Arc::new(ResolveUser {
            users: self.users(),
            providers: Arc::clone(&self.redirects.providers),
            default_rules: ProviderRules::default(),
            default_role: sign_in.default_role.clone(),
            clock: self.clock(),
            entropy: Arc::clone(&self.has.entropy),
        });
        let denials = Arc::new(Denials {
            audit: Arc::clone(&self.audit),
            urls: DenialUrls { banned: sign_in.banned_url.clone(), denied: sign_in.denied_url.clone() },
            tell_ban_reason: sign_in.tell_ban_reason,
            invoke: self.invoke.clone(),
        });
        let complete = CompleteSignIn {
            credentials: Credentials {
                providers: Arc::clone(&self.has.providers),
                flows: self.flows.clone(),
                used_marks: Arc::clone(&self.has.stores) as _,
                clock: self.clock(),
                dropped: self.has.dropped_attributes.clone(),
            },
            invoke: self.invoke.clone(),
            open: OpenSession {
                sessions: self.sessions(),
                drafts: self.drafts.clone(),
                audit: Arc::clone(&self.audit),
                local: Arc::clone(&self.local),
                clock: self.clock(),
            },
            link: LinkAccount {
                users: self.users(),
                link_sessions: Arc::clone(&self.link_sessions),
                resolve: Arc::clone(&resolve),
                invoke: self.invoke.clone(),
                audit: Arc::clone(&self.audit),
                denials: Arc::clone(&denials),
                clock: self.clock(),
            },
            resolve,
            link_sessions: Arc::clone(&self.link_sessions),
            denials: Arc::clone(&denials),
        };
        let repeats = Repeats {
            used_marks: Arc::clone(&self.has.stores) as _,
            users: self.users(),
            flows: self.flows.clone(),
            denials: Arc::clone(&denials),
            news: OutcomeNews::default(),
        };
        SignIn { complete, repeats, denials, counts: self.has.sign_ins.clone() }
    }

    fn issue_token(&self) -> IssueToken {
        IssueToken {
            sessions: self.sessions(),
            drafts: self.drafts.clone(),
            invoke: self.invoke.clone(),
            issuer: Arc::clone(&self.issuer),
            ender: Arc::clone(&self.ender),
            audit: Arc::clone(&self.audit),
            clock: self.clock(),
        }
    }

    fn refresh_token(&self) -> RefreshToken {
        let rotation = RotationRules {
            window: self.rules.refresh_retry_window,
            late_retry: self.rules.late_retry,
            clock_leeway: self.rules.clock_leeway,
        };
        RefreshToken {
            sessions: self.sessions(),
            invoke: self.invoke.clone(),
            issuer: Arc::clone(&self.issuer),
            ender: Arc::clone(&self.ender),
            audit: Arc::clone(&self.audit),
            rules: RefreshRules {
                rotation,
                lifetimes: self.rules.lifetimes,
                update_allow: self.rules.update_allow.clone(),
            },
            clock: self.clock(),
        }
    }

    fn sign_out(&self) -> SignOut {
        SignOut {
            sessions: self.sessions(),
            token_names: TokenNames {
                verifier: self.verifier.clone(),
                references: self.references.clone(),
                keys: Arc::clone(&self.has.keys),
                secrets: Arc::clone(&self.has.secrets),
                clock: self.clock(),
            },
            ender: Arc::clone(&self.ender),
            audit: Arc::clone(&self.audit),
            clock: self.clock(),
            clock_leeway: self.rules.clock_leeway,
        }
    }
}
