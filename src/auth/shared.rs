//! What the use cases share: stores, keys, callbacks and rules. Each RPC adds its method in a file of its own.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use super::callbacks::Callbacks;
use super::error::Result;
use super::get_session::SessionReaders;
use super::reload_keys::ReloadKeys;
use super::revocation::{Follower, Revocations};
use crate::model::{
    AuthLogAction, AuthLogEntry, AuthLogOutcome, BaseUrls, Clock, DeniedUrl, EmailDomain, EndReason, Entropy,
    FeedEntry, LONGEST_TOKEN, Lifetimes, Origin, ProviderId, SessionId, Timestamp, User,
};
use crate::oauth::Providers;
use crate::storage::{AuthLogStore, Revoked, SessionStore, UsedMarkStore, UserStore, commands};
use crate::tokens::{KeyRing, References, Secrets, UserClaims, Verifier};

/// The use cases.
pub struct Auth {
    pub(super) parts: Parts,
    pub(super) readers: SessionReaders,
    pub(super) rules: Rules,
    /// The seconds in which a stranger, and a known caller, were last logged as denied.
    denials_logged: [AtomicI64; 2],
}

/// What the use cases work with.
pub struct Parts {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Users and accounts.
    pub users: Arc<dyn UserStore>,
    /// Sessions.
    pub sessions: Arc<dyn SessionStore>,
    /// What was used, and can't be again.
    pub used_marks: Arc<dyn UsedMarkStore>,
    /// Who proves people to us.
    pub providers: Arc<Providers>,
    /// The auth log.
    pub log: Arc<dyn AuthLogStore>,
    /// The chain of callbacks.
    pub callbacks: Arc<dyn Callbacks>,
    /// The operator's secrets.
    pub secrets: Arc<Secrets>,
    /// The signing keys.
    pub ring: Arc<KeyRing>,
    /// Looks for keys that are not known yet.
    pub keys: Arc<dyn ReloadKeys>,
    /// The verifier of JWTs.
    pub verifier: Verifier,
    /// The references, their issuer and verifier.
    pub references: References,
    /// What is revoked.
    pub revocations: Arc<Revocations>,
    /// Reads what others revoked.
    pub follower: Arc<Follower>,
}

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

impl Auth {
    /// The use cases over these parts, under these rules.
    #[must_use]
    pub fn new(parts: Parts, readers: SessionReaders, rules: Rules) -> Self {
        Self { parts, readers, rules, denials_logged: Default::default() }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// A row for the log, of success, that names nobody yet.
    pub(super) fn log_entry(&self, action: AuthLogAction, origin: &Origin) -> AuthLogEntry {
        AuthLogEntry::new(&*self.parts.clock, &*self.parts.entropy, action, origin)
    }

    /// The row, unless its action is excluded.
    pub(super) fn unless_excluded(&self, entry: AuthLogEntry) -> Option<AuthLogEntry> {
        (!self.rules.log_exclude.contains(&entry.action)).then_some(entry)
    }

    /// Adds a row that tells of nothing written.
    pub(super) async fn append_log(&self, entry: AuthLogEntry) -> Result<()> {
        if let Some(entry) = self.unless_excluded(entry) {
            self.parts.log.append(entry).await?;
        }
        Ok(())
    }

    /// Whether a caller that is denied now is to be logged: one a second, so that a flood of them is no flood of rows. No
    /// number of strangers hides a known one.
    #[must_use]
    pub fn samples_denial(&self, is_known: bool) -> bool {
        let now = self.now().seconds();
        self.denials_logged[usize::from(is_known)].swap(now, Ordering::Relaxed) != now
    }

    /// Logs that a caller was denied. It is, whether or not the row can be written.
    pub async fn log_caller_denied(&self, origin: &Origin, reason: &'static str) {
        let entry = self.log_entry(AuthLogAction::CallerDenied, origin);
        if let Err(error) = self.append_log(entry.ended(AuthLogOutcome::Denied, reason)).await {
            tracing::warn!(?error, "denied caller not logged");
        }
    }

    /// Lets what is in the database already hold here too, before it is answered that it is so: it may be of another
    /// replica, or of a call of this one whose answer was lost on the way.
    pub(super) async fn hold_what_is(&self) -> Result<()> {
        Ok(self.parts.follower.catch_up().await?)
    }

    /// Ends one session and lets that hold here at once; none when it had ended already.
    pub(super) async fn end(
        &self,
        session_id: SessionId,
        reason: EndReason,
        log: AuthLogEntry,
    ) -> Result<Option<Revoked>> {
        let at = self.now();
        let (remember_until, log) = (self.rules.remember_until(at), self.unless_excluded(log));
        let ending = commands::EndSession { session_id, at, reason, remember_until, log };
        let revoked = self.parts.sessions.end_session(ending).await?;
        if let Some(revoked) = &revoked {
            self.hold(revoked);
        }
        Ok(revoked)
    }

    /// Lets a change of this replica hold here at once.
    pub(super) fn hold(&self, revoked: &Revoked) {
        self.hold_entries(&revoked.entries, revoked.user.as_ref());
    }

    pub(super) fn hold_entries(&self, entries: &[FeedEntry], user: Option<&User>) {
        let read = user.map(|user| (user.id, Some((user.clone(), self.rules.user_claims(user)))));
        let users = read.into_iter().collect();
        self.parts.revocations.apply(entries, users, self.rules.remember());
    }
}
