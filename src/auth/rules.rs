//! The configured rules, as the composition root reads them. A use case takes only those that it goes by.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use crate::model::{
    AuthLogAction, BaseUrls, DeniedUrl, EmailDomain, LONGEST_TOKEN, Lifetimes, ProviderId, Timestamp, User,
};
use crate::tokens::UserClaims;

/// The configured rules.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The `iss` of every token.
    pub issuer: String,
    /// Every audience there is.
    pub audiences: Vec<String>,
    /// Which claims tell of the user.
    pub user_claims: BTreeSet<UserClaim>,
    /// Which kind of access token is issued.
    pub strategy: Strategy,
    /// How long sessions and tokens live.
    pub lifetimes: Lifetimes,
    /// How far clocks may differ.
    pub clock_leeway: Duration,
    /// How long the last refresh token still gets its answer again.
    pub refresh_retry_window: Duration,
    /// What becomes of it later.
    pub late_retry: LateRetry,
    /// Claims that a client may change by `update`.
    pub update_allow: Vec<String>,
    /// Within which time a change holds everywhere.
    pub max_staleness: Duration,
    /// How old the knowledge of revocations may grow.
    pub stale_limit: Duration,
    /// Who may sign in, and where the others go.
    pub sign_in: SignInRules,
    /// What is configured of each provider, besides how it is spoken to.
    pub providers: HashMap<ProviderId, ProviderRules>,
    /// Where redirects may go.
    pub base_urls: BaseUrls,
    /// Actions that are not logged.
    pub log_exclude: Vec<AuthLogAction>,
}

/// Who may sign in.
#[derive(Debug, Clone)]
pub struct SignInRules {
    /// Only verified e-mails of these domains; any, if empty.
    pub allowed_email_domains: Vec<EmailDomain>,
    /// Only verified e-mails.
    pub require_verified_email: bool,
    /// Whether new users may come.
    pub allow_sign_up: bool,
    /// The role of a new user.
    pub default_role: String,
    /// Where a denied person goes.
    pub denied_url: DeniedUrl,
    /// Where a banned one goes.
    pub banned_url: DeniedUrl,
    /// How long after a sign-in its person may link another account.
    pub link_within: Duration,
}

/// What sign-ins by a provider may do.
#[derive(Debug, Clone, Default)]
pub struct ProviderRules {
    /// Where it may send browsers back to, besides the base URLs; the first is the default.
    pub redirect_uris: Vec<String>,
    /// Whether a verified e-mail of it signs in the user who owns that e-mail.
    pub link_by_verified_email: bool,
}

/// Which kind of access token is issued; both kinds are always read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// A JWT, which tells of the session.
    Jwt,
    /// A reference, which names it.
    Database,
}

/// What becomes of a refresh token that is presented again after the retry window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LateRetry {
    /// It counts as stolen: the session ends.
    Revoke,
    /// While its successor is unused, it is replaced by a new one.
    Recover,
}

/// A claim that tells of the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UserClaim {
    /// `name`.
    Name,
    /// `email`.
    Email,
    /// `email_verified`.
    EmailVerified,
    /// `picture`.
    Picture,
    /// `role`.
    Role,
}

/// What tokens tell of a user, if they tell so much.
pub(super) fn user_claims(told: &BTreeSet<UserClaim>, user: &User) -> UserClaims {
    let tells = |claim| told.contains(&claim);
    UserClaims {
        name: user.name.clone().filter(|_| tells(UserClaim::Name)),
        email: user.email.as_ref().filter(|_| tells(UserClaim::Email)).map(|email| email.as_str().to_owned()),
        email_verified: tells(UserClaim::EmailVerified).then_some(user.email_verified),
        picture: user.image.clone().filter(|_| tells(UserClaim::Picture)),
        role: tells(UserClaim::Role).then(|| user.role.clone()),
    }
}

impl Rules {
    /// What tokens tell of a user.
    #[must_use]
    pub fn user_claims(&self, user: &User) -> UserClaims {
        user_claims(&self.user_claims, user)
    }

    /// How long something that makes tokens invalid must be remembered: the last of them has expired then.
    #[must_use]
    pub fn remember(&self) -> Duration {
        LONGEST_TOKEN + self.clock_leeway * 2
    }

    /// Until when that is.
    #[must_use]
    pub fn remember_until(&self, now: Timestamp) -> Timestamp {
        now.plus(self.remember())
    }

    /// A signing key that another followed at this time or earlier has retired, by whichever replica's clock.
    #[must_use]
    pub fn keys_retired_at(&self, now: Timestamp) -> Timestamp {
        now.minus(self.remember())
    }
}
