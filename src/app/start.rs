//! From configuration to use cases: secrets, database, schema, keys, the first reading of the feed. A database that
//! is not there is waited for.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;

use super::keys::{KeysFault, PublishedKeys, load_ring};
use super::secret_file::{self, SecretFileFault};
use super::{App, rules};
use crate::auth::{
    Auth, Callback, Callbacks, Callers, JwtReader, Parts, Revocations, Rules, follow, read_feed,
};
use crate::callbacks::{Chain, Policy};
use crate::config::Config;
use crate::grpc::health::Health;
use crate::grpc::routes::{Front, Services};
use crate::grpc::tls::TlsFault;
use crate::model::{Clock, Entropy};
use crate::storage::{Database, Options, StoreError};
use crate::tokens::{CachingVerifier, Secrets, SecretsFault, Verifier, VerifyToken};

/// The most verified tokens that are remembered, some 2 KiB each.
const REMEMBERED_TOKENS: usize = 8192;

/// The pause between two tries to reach the database.
const RETRY: Duration = Duration::from_millis(500);

/// Why a Gatepass could not start, and never would.
#[derive(Debug)]
pub enum StartFault {
    /// A listener's address can't be had.
    Listen {
        /// The setting that names it.
        setting: &'static str,
        /// The address.
        addr: SocketAddr,
        /// Why.
        cause: std::io::Error,
    },
    /// A file of `server.tls` can't be used.
    Tls(TlsFault),
    /// Secrets are unfit.
    Secrets(SecretsFault),
    /// The generated secret can't be kept or read.
    SecretFile(SecretFileFault),
    /// A rule of the configuration can't be kept.
    Rules(String),
    /// Signing keys can't be used.
    Keys(KeysFault),
    /// The database holds what it must not.
    Store(StoreError),
}

impl std::fmt::Display for StartFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Listen { setting, addr, cause } => write!(f, "{setting}: can't listen on {addr}: {cause}"),
            Self::Tls(fault) => fault.fmt(f),
            Self::Secrets(fault) => write!(f, "secrets: {fault}"),
            Self::SecretFile(fault) => fault.fmt(f),
            Self::Rules(fault) => f.write_str(fault),
            Self::Keys(fault) => fault.fmt(f),
            Self::Store(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for StartFault {}

impl StartFault {
    /// Whether a later try may do better: the database, or the folder that it and its secret are in, may come yet.
    fn may_pass(&self) -> bool {
        match self {
            Self::Store(StoreError::Unavailable(_)) => true,
            Self::SecretFile(SecretFileFault::Io(_, cause)) => cause.kind() == std::io::ErrorKind::NotFound,
            Self::Listen { .. }
            | Self::Tls(_)
            | Self::Secrets(_)
            | Self::SecretFile(_)
            | Self::Rules(_)
            | Self::Keys(_)
            | Self::Store(StoreError::Broken(_)) => false,
        }
    }
}

/// A Gatepass whose services are open.
pub(super) struct Running {
    database: Database,
    revocations: Arc<Revocations>,
    rules: Rules,
    clock: Arc<dyn Clock>,
    poll: Duration,
}

pub(super) async fn start(
    app: &App,
    front: &Front,
    keys: &PublishedKeys,
    health: &Health,
) -> Result<Running, StartFault> {
    let config = &app.config;
    let rules = rules::build(config).map_err(StartFault::Rules)?;
    let secrets = || async { secrets(config, &*app.entropy) };
    let secrets = Arc::new(patiently("secret", secrets).await?);
    if config.open_on_loopback() {
        tracing::warn!("no callers are configured: every local process may sign anybody in");
    }
    warn_of_what_does_nothing_yet(config);
    let database = connect(app).await?;
    let ring = || load_ring(config, &secrets, &database, &*app.clock, &*app.entropy);
    let ring = Arc::new(patiently("signing keys", ring).await?);
    let revocations = Arc::new(Revocations::default());
    let read = || async { Ok(read_feed(&database, &database, &revocations, &rules, &*app.clock).await?) };
    patiently("revocation feed", read).await?;
    let chain = chain(app, &rules);
    let verifier = Verifier::new(Arc::clone(&ring), rules.issuer.clone(), rules.clock_leeway);
    let remembering = CachingVerifier::new(verifier.clone(), REMEMBERED_TOKENS);
    let reader = JwtReader {
        verifier: Arc::new(remembering) as Arc<dyn VerifyToken>,
        revocations: Arc::clone(&revocations),
        clock: Arc::clone(&app.clock),
        audiences: rules.audiences.clone(),
        role_makes_claims: chain.has(Callback::Jwt),
    };
    let stores = Arc::new(database.clone());
    let parts = Parts {
        clock: Arc::clone(&app.clock),
        entropy: Arc::clone(&app.entropy),
        users: Arc::clone(&stores) as _,
        sessions: Arc::clone(&stores) as _,
        log: stores,
        callbacks: Arc::new(chain),
        secrets,
        ring: Arc::clone(&ring),
        verifier,
        revocations: Arc::clone(&revocations),
        reader: Arc::new(reader),
    };
    let auth = Arc::new(Auth::new(parts, rules.clone()));
    keys.publish(ring);
    let services = Services::new(&auth, config.server.max_message_bytes);
    front.open(services.for_callers(Arc::new(callers(config)), auth));
    health.ready().await;
    let poll = config.session.max_staleness / 4;
    Ok(Running { database, revocations, rules, clock: Arc::clone(&app.clock), poll })
}

impl Running {
    /// Follows the feed for ever.
    pub(super) async fn follow_feed(&self, health: &Health) {
        let limit = self.rules.stale_limit;
        let on_read = || async move {
            let fresh = self.revocations.checked().is_some_and(|(_, age)| age <= limit);
            health.auth_service(fresh).await;
        };
        let (database, revocations) = (&self.database, &*self.revocations);
        follow(database, database, revocations, &self.rules, &*self.clock, self.poll, on_read).await;
    }

    /// Lets go of the database.
    pub(super) async fn close(self) {
        self.database.close().await;
    }
}

/// Settings whose defaults promise nothing yet are told of where somebody changed them.
fn warn_of_what_does_nothing_yet(config: &Config) {
    const DAY: Duration = Duration::from_hours(24);
    if config.tokens.key_rotation != DAY * 90 {
        tracing::warn!("tokens.key_rotation does nothing in this version: keys are not rotated");
    }
    if config.auth_log.retention != DAY * 400 {
        tracing::warn!("auth_log.retention does nothing in this version: rows are not swept");
    }
}

fn chain(app: &App, rules: &Rules) -> Chain {
    let mut links: Vec<Arc<dyn Callbacks>> = vec![Arc::new(Policy::new(rules.sign_in.clone()))];
    links.extend(app.callbacks.iter().cloned());
    Chain::new(links)
}

fn callers(config: &Config) -> Callers {
    if config.open_on_loopback() { rules::open_callers() } else { rules::callers(&config.callers) }
}

/// The configured secrets, or the one that is kept beside the database.
pub(super) fn secrets(config: &Config, entropy: &dyn Entropy) -> Result<Secrets, StartFault> {
    let secrets = if let Some(secrets) = &config.secrets {
        secrets.clone()
    } else {
        let kept = secret_file::beside(config.database.url.expose_secret(), entropy);
        vec![kept.map_err(StartFault::SecretFile)?]
    };
    Secrets::new(&secrets).map_err(StartFault::Secrets)
}

/// Opens the database and waits for its schema.
async fn connect(app: &App) -> Result<Database, StartFault> {
    let options = options(&app.config);
    let database = patiently("database", || async { Ok(Database::connect(&options).await?) }).await?;
    let database = match app.observer.clone() {
        Some(observer) => database.observed_by(move |sql| observer(sql)),
        None => database,
    };
    if app.config.database.migrate_on_start {
        patiently("migration", || async { Ok(database.migrate().await?) }).await?;
    } else {
        while !patiently("schema", || async { Ok(database.is_migrated().await?) }).await? {
            tracing::warn!("the schema is not up to date: waiting for `gatepass migrate`");
            tokio::time::sleep(RETRY).await;
        }
    }
    Ok(database)
}

pub(super) fn options(config: &Config) -> Options {
    Options {
        url: config.database.url.expose_secret().to_owned(),
        max_connections: config.database.max_connections,
        acquire_timeout: config.database.acquire_timeout,
    }
}

/// Tries until it works, or until it is clear that it never will.
async fn patiently<T, F: Future<Output = Result<T, StartFault>> + Send>(
    what: &'static str,
    step: impl Fn() -> F + Send,
) -> Result<T, StartFault> {
    let mut waiting = false;
    loop {
        match step().await {
            Err(cause) if cause.may_pass() => {
                if !waiting {
                    tracing::warn!(%cause, what, "waiting for the database");
                }
                waiting = true;
                tokio::time::sleep(RETRY).await;
            }
            outcome => return outcome,
        }
    }
}

impl From<StoreError> for StartFault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
