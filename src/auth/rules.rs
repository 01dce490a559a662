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
    /// The claims that tell of the user.
    pub user_claims: BTreeSet<UserClaim>,
    /// The kind of access token that is issued.
    pub strategy: Strategy,
    /// The lifetimes of sessions and tokens.
    pub lifetimes: Lifetimes,
    /// The largest clock skew between replicas.
    pub clock_leeway: Duration,
    /// The time in which the last refresh token gets its response again.
    pub refresh_retry_window: Duration,
    /// The rule for it after that time.
    pub late_retry: LateRetry,
    /// Claims that a client may change by `update`.
    pub update_allow: Vec<String>,
    /// Within which time a change holds everywhere.
    pub max_staleness: Duration,
    /// The largest age of the known revocations.
    pub stale_limit: Duration,
    /// The rules of sign-ins.
    pub sign_in: SignInRules,
    /// The rules of each provider.
    pub providers: HashMap<ProviderId, ProviderRules>,
    /// The sites that redirects may go to.
    pub base_urls: BaseUrls,
    /// Actions that are not logged.
    pub log_exclude: Vec<AuthLogAction>,
}

/// The rules of sign-ins.
#[derive(Debug, Clone)]
pub struct SignInRules {
    /// Only verified e-mails of these domains; any, if empty.
    pub allowed_email_domains: Vec<EmailDomain>,
    /// Only verified e-mails.
    pub require_verified_email: bool,
    /// New users may sign up.
    pub allow_sign_up: bool,
    /// The role of a new user.
    pub default_role: String,
    /// The URL a denied person is sent to.
    pub denied_url: DeniedUrl,
    /// The URL a banned person is sent to.
    pub banned_url: DeniedUrl,
    /// The time after a sign-in in which its person may link another account.
    pub link_within: Duration,
}

/// The rules of a provider, besides how it is connected to.
#[derive(Debug, Clone, Default)]
pub struct ProviderRules {
    /// The addresses it may send browsers back to, besides the base URLs; the first is the default.
    pub redirect_uris: Vec<String>,
    /// A verified e-mail of it signs in the user who owns that e-mail.
    pub link_by_verified_email: bool,
}

/// The kind of access token that is issued; both kinds are always read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// A JWT, which tells of the session.
    Jwt,
    /// A reference, which names it.
    Database,
}

/// The rule for a refresh token that is presented again after the retry window.
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

/// Makes the claims that tell of a user, of those that are configured.
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
    /// Makes the claims that tell of a user.
    #[must_use]
    pub fn user_claims(&self, user: &User) -> UserClaims {
        user_claims(&self.user_claims, user)
    }

    /// The time for which a revocation must be remembered: then the last token that it rejects has expired.
    #[must_use]
    pub fn remember(&self) -> Duration {
        LONGEST_TOKEN + self.clock_leeway * 2
    }

    /// The time until which a revocation of now must be remembered.
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
