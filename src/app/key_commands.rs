//! The commands `keys list`, `keys rotate` and `keys revoke`. They change the database; every replica is notified
//! through the feed.

use std::sync::Arc;

use super::fault::StartFault;
use super::{clock, keys, prepare, start};
use crate::config::Config;
use crate::jose::SigningKey;
use crate::keys::{KeyFile, KeyOps, KeysFault, RevokedKey, Rotated};
use crate::model::{Clock, KeyRecord, KeyState, OsEntropy, PUBLISHED_BEFORE, SystemClock, Timestamp};
use crate::storage::{Database, FeedConnection};

/// The output of `keys list`.
#[derive(Debug, Default)]
pub struct ListedKeys {
    /// One line for each key, newest first.
    pub lines: Vec<String>,
    /// The newest key, if no configured secret opens it; the next start would fail.
    pub fault: Option<KeysFault>,
}

/// Lists the signing keys; returns nothing if the database has no schema yet.
pub async fn list_keys(config: &Config, clock: Arc<dyn Clock>) -> Result<ListedKeys, StartFault> {
    if let Some(keys) = keys::of_files(config).map_err(StartFault::Unfit)? {
        let line = |(place, (key, file)): (usize, (&SigningKey, &KeyFile))| {
            let state = if place == 0 { "signs" } else { "verifies" };
            format!("{}  {}  {state:8}  {}", key.kid(), key.algorithm().name(), file.path.display())
        };
        let files = keys.iter().zip(&config.tokens.signing_keys).enumerate();
        return Ok(ListedKeys { lines: files.map(line).collect(), fault: None });
    }
    let listed = with_key_ops(config, clock, async |ops, _| {
        let (succession, now) = (ops.succession().await?, ops.clock.now());
        let lines = succession.states(now).map(|(record, state)| line(ops, record, state)).collect();
        let closed = |(record, _)| {
            let fault = SigningKey::open(&ops.secrets, record).err()?;
            Some(KeysFault::Managed(record.kid.clone(), fault))
        };
        Ok(ListedKeys { lines, fault: succession.living(now).find_map(closed) })
    });
    match listed.await {
        Err(StartFault::Keys(KeysFault::NoSchema)) => Ok(ListedKeys::default()),
        outcome => outcome,
    }
}

/// Creates the next signing key, to sign after a publication period or at once. Returns a description of the result.
pub async fn rotate_keys(
    config: &Config,
    clock: Arc<dyn Clock>,
    at_once: bool,
) -> Result<String, StartFault> {
    refuse_files(config)?;
    let rotated = change(config, clock, async |ops| ops.rotate(at_once).await).await?;
    Ok(match rotated {
        Rotated::Made(key) if key.not_before > key.created_at => {
            format!("{} is published and signs from {}", key.kid, rfc3339(key.not_before))
        }
        Rotated::Made(key) => format!(
            "{} signs from now on; clients that cache the key set may reject its tokens for up to {} minutes",
            key.kid,
            PUBLISHED_BEFORE.as_secs() / 60
        ),
        Rotated::Moved(key) => format!(
            "{}, which was waiting, signs from now on; clients that cached the key set earlier may reject its \
             tokens",
            key.kid
        ),
        Rotated::Waiting(key) => format!(
            "{} is already waiting and signs from {}; nothing was changed",
            key.kid,
            rfc3339(key.not_before)
        ),
    })
}

/// Revokes a signing key; returns a description of the result.
pub async fn revoke_key(
    config: &Config,
    clock: Arc<dyn Clock>,
    kid: &str,
) -> Result<Vec<String>, StartFault> {
    refuse_files(config)?;
    let revoked = change(config, clock, async |ops| ops.revoke(kid).await).await?;
    let said = format!(
        "{kid} is revoked; every replica rejects its tokens within session.max_staleness ({} ms)",
        config.session.max_staleness.as_millis()
    );
    Ok(match revoked {
        RevokedKey::Already => vec![format!("{kid} was already revoked; nothing was changed")],
        RevokedKey::Revoked => vec![said],
        RevokedKey::Replaced(key) => vec![said, format!("{} signs from now on", key.kid)],
    })
}

fn refuse_files(config: &Config) -> Result<(), KeysFault> {
    if config.tokens.signing_keys.is_empty() { Ok(()) } else { Err(KeysFault::Files) }
}

/// Runs a command that sets the times of keys, if this machine's clock agrees with the database's.
async fn change<T>(
    config: &Config,
    clock: Arc<dyn Clock>,
    run: impl AsyncFnOnce(&KeyOps) -> Result<T, KeysFault>,
) -> Result<T, StartFault> {
    with_key_ops(config, clock, async |ops, database| {
        let watch = FeedConnection::new(database)?;
        clock::check(&watch, &SystemClock, ops.rules.clock_leeway).await?;
        watch.close().await;
        Ok(run(ops).await?)
    })
    .await
}

/// Runs a command on the database of this configuration.
async fn with_key_ops<T>(
    config: &Config,
    clock: Arc<dyn Clock>,
    run: impl AsyncFnOnce(&KeyOps, &Database) -> Result<T, StartFault>,
) -> Result<T, StartFault> {
    let rules = prepare::build_rules(config);
    let database = Database::connect(&start::options(config)).await?;
    if !database.is_migrated().await? {
        return Err(KeysFault::NoSchema.into());
    }
    let secrets = match prepare::configured_secrets(config)? {
        Some(secrets) => Arc::new(secrets),
        None => Arc::new(prepare::kept_secret(config, &OsEntropy)?),
    };
    let ops = keys::ops(config, rules, secrets, database.clone(), clock, Arc::new(OsEntropy));
    let outcome = run(&ops, &database).await;
    database.close().await;
    outcome
}

fn line(ops: &KeyOps, record: &KeyRecord, state: KeyState) -> String {
    let since = rfc3339(record.not_before);
    let (state, times) = match state {
        KeyState::Next => ("next", format!("from {since}")),
        KeyState::Signs => ("signs", format!("since {since}")),
        KeyState::Verifies { until } => ("verifies", format!("since {since} until {}", rfc3339(until))),
        KeyState::Retired => ("retired", format!("since {since}")),
        KeyState::Revoked => ("revoked", format!("since {since}")),
    };
    let sealed = match ops.secrets.sealer(record) {
        Some(place) => format!("  sealed by secret {}", place + 1),
        None if record.sealed.is_some() => "  sealed by a secret that is not configured".to_owned(),
        None => String::new(),
    };
    format!("{}  {}  {state:8}  {times}{sealed}", record.kid, record.algorithm)
}

fn rfc3339(at: Timestamp) -> String {
    prost_types::Timestamp { seconds: at.seconds(), nanos: 0 }.to_string()
}
