//! The configured rules, as the composition root reads them. A use case takes only the rules that it needs.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::model::{
    AuthLogAction, BaseUrls, ClaimTypes, DeniedUrl, EmailDomain, LONGEST_TOKEN, Lifetimes, ProviderId,
    Timestamp, User,
};
use crate::tokens::UserClaims;

/// The configured rules.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The `iss` of every token.
    pub issuer: String,
    /// All audiences.
    pub audiences: Vec<String>,
    /// The claims about the user that tokens contain.
    pub user_claims: BTreeSet<UserClaim>,
    /// The kind of access token that is issued.
    pub strategy: Strategy,
    /// The lifetimes of sessions and tokens.
    pub lifetimes: Lifetimes,
    /// The largest clock skew between replicas.
    pub clock_leeway: Duration,
    /// The time in which a spent refresh token still returns its response.
    pub refresh_retry_window: Duration,
    /// The rule for a spent refresh token after that time.
    pub late_retry: LateRetry,
    /// Claims that a client may change by `update`.
    pub update_allow: Vec<String>,
    /// The declared types of claims.
    pub claim_types: Arc<ClaimTypes>,
    /// The time within which a change takes effect on every replica.
    pub max_staleness: Duration,
    /// The largest age of the revocation data.
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
    /// The domains that a verified e-mail address must belong to; any domain if empty.
    pub allowed_email_domains: Vec<EmailDomain>,
    /// True if a verified e-mail address is required.
    pub require_verified_email: bool,
    /// True if new users may sign up.
    pub allow_sign_up: bool,
    /// The role of a new user.
    pub default_role: String,
    /// The URL that a denied person is sent to.
    pub denied_url: DeniedUrl,
    /// The URL that a banned person is sent to.
    pub banned_url: DeniedUrl,
    /// True if the denial of a banned user tells the administrator's reason.
    pub tell_ban_reason: bool,
    /// The time after a sign-in within which the user may link another account.
    pub link_within: Duration,
}

/// The rules of a provider, besides its connection.
#[derive(Debug, Clone, Default)]
pub struct ProviderRules {
    /// The allowed redirect URIs, besides those on the base URLs; the first is the default.
    pub redirect_uris: Vec<String>,
    /// True if a verified e-mail address of this provider signs in the user who owns the address.
    pub link_by_verified_email: bool,
    /// The rules by which a known user follows the profile.
    pub sync: SyncRules,
    /// The claims that are left out last of a profile that is too large.
    pub keep_claims: Vec<String>,
}

/// The rules by which a known user follows the profile of a sign-in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SyncRules {
    /// The rule of a verified e-mail address.
    pub email: EmailSync,
    /// The rule of the display name.
    pub name: AttributeSync,
    /// The rule of the picture.
    pub image: AttributeSync,
}

/// The rule of a verified e-mail address, if the same account tells another verified one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EmailSync {
    /// The first one stays.
    #[default]
    Keep,
    /// The new one replaces it.
    Follow,
}

/// The rule of a name or a picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AttributeSync {
    /// Each sign-in that tells one replaces it.
    #[default]
    Follow,
    /// The first one stays.
    First,
}

/// The kind of access token that is issued; both kinds are always accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// A JWT, which contains the session data.
    Jwt,
    /// A reference, which names the session.
    Database,
}

/// The rule for a refresh token that is presented again after the retry window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LateRetry {
    /// The token counts as stolen: the session ends.
    Revoke,
    /// If its successor is unused, a new one replaces the successor.
    Recover,
}

/// A claim about the user.
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

/// Makes the configured claims about the user.
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
    /// Makes the configured claims about the user.
    #[must_use]
    pub fn user_claims(&self, user: &User) -> UserClaims {
        user_claims(&self.user_claims, user)
    }

    /// Returns the time for which a revocation must be kept: afterwards the last token that it rejects has expired.
    #[must_use]
    pub fn remember(&self) -> Duration {
        LONGEST_TOKEN + self.clock_leeway * 2
    }

    /// Returns the time until which a revocation made now must be kept.
    #[must_use]
    pub fn remember_until(&self, now: Timestamp) -> Timestamp {
        now.plus(self.remember())
    }

    /// Returns the latest time at which a successor must have begun for its predecessor to be retired now, by every
    /// replica's clock.
    #[must_use]
    pub fn keys_retired_at(&self, now: Timestamp) -> Timestamp {
        now.minus(self.remember())
    }
}
