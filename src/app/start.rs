//! The start, from configuration to use cases: secrets, database, schema, clock, keys, first reading of the feed. If
//! the database is unavailable, the start waits for it.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::builder::App;
use super::fault::StartFault;
use super::keys::{self, Keys, PublishedKeys};
use super::metrics::Metrics;
use super::prepare::Loaded;
use super::sweep::Sweeper;
use super::use_cases::{self, Resources};
use super::{callbacks, clock, prepare};
use crate::auth::{Callers, Follower, FollowerRules, FollowerState, Revocations};
use crate::config::Config;
use crate::grpc::health::Health;
use crate::grpc::layers::KnownCallers;
use crate::grpc::routes::Front;
use crate::model::{OsEntropy, SystemClock, random};
use crate::net::Backoff;
use crate::storage::{Database, FeedConnection, Options, TrustedClock};

/// The longest pause between two attempts to reach the database.
const RETRY: Duration = Duration::from_secs(1);

/// The interval at which the freshness of revocation data is reported to the health service.
const FRESHNESS_EVERY: Duration = Duration::from_millis(250);

/// A Gatepass server whose services are open.
pub(super) struct Running {
    database: Database,
    keys: Keys,
    watch: Arc<FeedConnection>,
    follower: Arc<Follower>,
    poll: Duration,
    sweeper: Sweeper,
    steady: Arc<TrustedClock>,
    stale_limit: Duration,
    clock_leeway: Duration,
}

pub(super) async fn start(
    app: &App,
    loaded: Loaded,
    front: &Front,
    published: &PublishedKeys,
    health: &Health,
    metrics: &Metrics,
    revocations: Arc<Revocations>,
) -> Result<Running, StartFault> {
    let config = &app.config;
    let Loaded { rules, secrets, callback_tls, providers, signing_keys } = loaded;
    let remote = callbacks::remote(app, callback_tls, &metrics.callbacks);
    let secrets = match secrets {
        Some(secrets) => secrets,
        None => patiently("secret", || async { prepare::kept_secret(config, &*app.entropy) }).await?,
    };
    let secrets = Arc::new(secrets);
    if config.open_on_loopback() {
        tracing::warn!("no callers configured; every local process can sign in any user");
    }
    let database = connect(app).await?;
    let (clock, entropy) = (Arc::clone(&app.clock), Arc::clone(&app.entropy));
    let watch = Arc::new(FeedConnection::new(&database)?);
    let in_step = || async { clock::check(&*watch, &SystemClock, rules.clock_leeway).await };
    patiently("clock", in_step).await?;
    let key_ops = keys::ops(config, rules.clone(), Arc::clone(&secrets), database.clone(), clock, entropy);
    let keys = match signing_keys {
        Some(keys) => Keys::constant(keys),
        None => patiently("signing keys", || Keys::managed(key_ops.clone())).await?,
    };
    let follower = Arc::new(Follower {
        feed: Arc::clone(&watch) as _,
        keys: Arc::clone(&keys.reload),
        index: Arc::clone(&revocations),
        clock: Arc::clone(&app.clock),
        entropy: Arc::clone(&app.entropy),
        rules: FollowerRules { remember: rules.remember(), user_claims: rules.user_claims.clone() },
        state: FollowerState::default(),
    });
    patiently("revocation feed", || async { Ok(follower.read().await?) }).await?;
    for provider in providers.keys() {
        metrics.dropped_attributes.expect(provider);
    }
    let chain = callbacks::chain(app, &rules, remote, &metrics.callbacks);
    let has = Resources {
        clock: Arc::clone(&app.clock),
        entropy: Arc::clone(&app.entropy),
        stores: Arc::new(database.clone()),
        providers: Arc::new(providers),
        callbacks: chain,
        left_out: metrics.left_out.clone(),
        sign_ins: metrics.sign_ins.clone(),
        secrets,
        ring: Arc::clone(&keys.ring),
        keys: Arc::clone(&keys.reload),
        index: revocations,
        follower: Arc::clone(&follower),
        dropped_attributes: metrics.dropped_attributes.clone(),
    };
    let auth = Arc::new(use_cases::build(&has, &rules));
    published.publish(Arc::clone(&keys.ring));
    let services = app.services.iter().map(|mount| mount.over(&auth, config.server.max_message_bytes));
    front.open(services.collect(), KnownCallers::new(callers(config), Arc::clone(&auth)));
    health.ready().await;
    let poll = config.session.max_staleness / 4;
    let steady = TrustedClock::new(Arc::clone(&watch) as _, Arc::new(SystemClock), rules.clock_leeway);
    let steady = Arc::new(steady);
    let sweeper = Sweeper {
        store: Arc::new(database.clone()),
        rules: prepare::sweeping(config),
        clock: Arc::clone(&app.clock),
        steady: Arc::clone(&steady),
        entropy: Arc::clone(&app.entropy),
    };
    let (stale_limit, clock_leeway) = (rules.stale_limit, rules.clock_leeway);
    Ok(Running { database, keys, watch, follower, poll, sweeper, steady, stale_limit, clock_leeway })
}

impl Running {
    /// Follows the feed and the database's clock without end; maintains the signing keys and sweeps until `shutdown`.
    pub(super) async fn follow(&self, health: &Health, shutdown: &CancellationToken) {
        // Independent of the readings, because a reading that hangs must not hide stale revocation data.
        let tell_freshness = async {
            loop {
                let fresh = self.follower.index.checked().is_some_and(|(_, age)| age <= self.stale_limit);
                health.auth_service(fresh).await;
                tokio::time::sleep(FRESHNESS_EVERY).await;
            }
        };
        // A replica that shuts down makes no more changes: its configuration and its first secret may be outdated.
        let keep = async {
            let keys = async {
                if let Some(keys) = &self.keys.managed {
                    keys.follow(&self.steady).await;
                }
            };
            shutdown.run_until_cancelled(async { tokio::join!(keys, self.sweeper.sweep()) }).await;
        };
        tokio::join!(
            self.follower.follow(self.poll),
            tell_freshness,
            clock::follow(&*self.watch, &SystemClock, self.clock_leeway),
            keep,
        );
    }

    /// Closes the database.
    pub(super) async fn close(self) {
        self.watch.close().await;
        self.database.close().await;
    }
}

fn callers(config: &Config) -> Callers {
    if config.open_on_loopback() { prepare::open_callers() } else { prepare::callers(&config.callers) }
}

/// Opens the database and waits for its schema.
async fn connect(app: &App) -> Result<Database, StartFault> {
    let options = Options { observer: app.observer.clone(), ..options(&app.config) };
    let database = patiently("database", || async { Ok(Database::connect(&options).await?) }).await?;
    if app.config.database.migrate_on_start {
        patiently("migration", || async { Ok(database.migrate().await?) }).await?;
    } else {
        while !patiently("schema", || async { Ok(database.is_migrated().await?) }).await? {
            tracing::warn!("database schema outdated; waiting for `gatepass migrate`");
            tokio::time::sleep(RETRY).await;
        }
    }
    Ok(database)
}

pub(super) fn options(config: &Config) -> Options {
    Options {
        url: config.database.url.clone(),
        max_connections: config.database.max_connections,
        acquire_timeout: config.database.acquire_timeout,
        observer: None,
    }
}

/// Brings the schema up to date, for `gatepass migrate`.
pub async fn migrate(config: &Config) -> Result<(), StartFault> {
    let database = Database::connect(&options(config)).await?;
    database.migrate().await?;
    database.close().await;
    Ok(())
}

/// Retries until it succeeds or the fault is permanent.
async fn patiently<T, F: Future<Output = Result<T, StartFault>> + Send>(
    what: &'static str,
    step: impl Fn() -> F + Send,
) -> Result<T, StartFault> {
    let mut waiting = false;
    loop {
        match step().await {
            Err(cause) if cause.may_pass() => {
                if !waiting {
                    tracing::warn!(%cause, what, "start-up step failed; retrying");
                }
                waiting = true;
                // Jitter: replicas that start at the same time must not retry at the same time.
                tokio::time::sleep(Backoff::new(RETRY, RETRY).pause(0, random(&OsEntropy))).await;
            }
            outcome => return outcome,
        }
    }
}
