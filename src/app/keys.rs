//! Which keys sign and verify: the configured PEM files, or the managed ones of the database, the first of which
//! is made here.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::start::{self, StartFault};
use crate::config::Config;
use crate::http::public::PublicKeys;
use crate::model::{Clock, Entropy, OsEntropy};
use crate::storage::{Database, KeyRecord, KeyStore};
use crate::tokens::{Algorithm, Jwks, KeyFault, KeyRing, Secrets, SigningKey};

/// Why signing keys can't be used.
#[derive(Debug)]
pub enum KeysFault {
    /// A PEM file can't be read.
    Unreadable(PathBuf, std::io::Error),
    /// A PEM file holds no key that fits.
    Pem(PathBuf, KeyFault),
    /// A managed key can't be opened.
    Managed(String, KeyFault),
}

impl std::fmt::Display for KeysFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable(path, cause) => write!(f, "tokens.signing_keys: {}: {cause}", path.display()),
            Self::Pem(path, fault) => write!(f, "tokens.signing_keys: {}: {fault}", path.display()),
            Self::Managed(kid, fault) => {
                write!(f, "signing key {kid}: {fault}; put the secret that sealed it back into `secrets`")
            }
        }
    }
}

/// The ring's keys for the public port, once they are read.
#[derive(Default)]
pub(super) struct PublishedKeys(OnceLock<Arc<KeyRing>>);

impl PublishedKeys {
    pub(super) fn publish(&self, ring: Arc<KeyRing>) {
        let _ = self.0.set(ring);
    }
}

impl PublicKeys for PublishedKeys {
    fn jwks(&self) -> Option<Arc<Jwks>> {
        self.0.get().map(|ring| ring.jwks())
    }
}

/// Reads the ring.
pub(super) async fn load_ring(
    config: &Config,
    secrets: &Secrets,
    database: &Database,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<KeyRing, StartFault> {
    let tokens = &config.tokens;
    if tokens.signing_keys.is_empty() {
        managed_ring(tokens.algorithm, secrets, database, clock, entropy).await
    } else {
        pem_ring(tokens.algorithm, &tokens.signing_keys).map_err(StartFault::Keys)
    }
}

/// Reads the configured PEM files, if there are any.
pub(super) fn check_pem_files(config: &Config) -> Result<(), KeysFault> {
    let tokens = &config.tokens;
    if tokens.signing_keys.is_empty() {
        Ok(())
    } else {
        pem_ring(tokens.algorithm, &tokens.signing_keys).map(drop)
    }
}

fn pem_ring(algorithm: Algorithm, paths: &[PathBuf]) -> Result<KeyRing, KeysFault> {
    let mut keys = Vec::with_capacity(paths.len());
    for path in paths {
        let pem = std::fs::read(path).map(zeroize::Zeroizing::new);
        let pem = pem.map_err(|cause| KeysFault::Unreadable(path.clone(), cause))?;
        let rsa = if algorithm == Algorithm::Rs256 { Algorithm::Rs256 } else { Algorithm::Ps256 };
        let key = SigningKey::from_pem(&pem, rsa).map_err(|fault| KeysFault::Pem(path.clone(), fault))?;
        if keys.is_empty() && key.algorithm() != algorithm {
            return Err(KeysFault::Pem(path.clone(), KeyFault::OtherKind(algorithm)));
        }
        keys.push(key);
    }
    let signing = keys.remove(0);
    Ok(KeyRing::new(signing, keys))
}

async fn managed_ring(
    algorithm: Algorithm,
    secrets: &Secrets,
    database: &Database,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<KeyRing, StartFault> {
    loop {
        let records = database.signing_keys().await?;
        let newest =
            records.iter().filter(|record| record.algorithm == algorithm.name()).max_by_key(|r| r.generation);
        if let Some(newest) = newest {
            return open_ring(&records, newest, secrets).map_err(StartFault::Keys);
        }
        // Of several replicas that find no key, one makes it; the others read that at the second look.
        database.add_signing_key(new_record(algorithm, secrets, clock, entropy)?).await?;
    }
}

fn new_record(
    algorithm: Algorithm,
    secrets: &Secrets,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<KeyRecord, StartFault> {
    let now = clock.now();
    let (key, sealed) = SigningKey::generate(secrets, entropy, algorithm, now)
        .map_err(|fault| StartFault::Keys(KeysFault::Managed("(new)".to_owned(), fault)))?;
    Ok(KeyRecord {
        kid: key.kid().to_owned(),
        algorithm: algorithm.name().to_owned(),
        generation: 1,
        not_before: now,
        created_at: now,
        sealed,
    })
}

fn open_ring(records: &[KeyRecord], signing: &KeyRecord, secrets: &Secrets) -> Result<KeyRing, KeysFault> {
    let open = |record: &KeyRecord| {
        let managed = |fault| KeysFault::Managed(record.kid.clone(), fault);
        let algorithm = Algorithm::from_name(&record.algorithm).ok_or_else(|| managed(KeyFault::Sealed))?;
        SigningKey::open(secrets, &record.kid, algorithm, record.not_before, &record.sealed).map_err(managed)
    };
    let others =
        records.iter().filter(|record| record.kid != signing.kid).map(open).collect::<Result<_, _>>()?;
    Ok(KeyRing::new(open(signing)?, others))
}

/// What `keys list` prints: a line a key, the signing one marked.
pub async fn list_keys(config: &Config) -> Result<Vec<String>, StartFault> {
    if !config.tokens.signing_keys.is_empty() {
        let ring =
            pem_ring(config.tokens.algorithm, &config.tokens.signing_keys).map_err(StartFault::Keys)?;
        return Ok(vec![String::from_utf8_lossy(&ring.jwks().body).into_owned()]);
    }
    let database = Database::connect(&start::options(config)).await?;
    if !database.is_migrated().await? {
        return Ok(Vec::new());
    }
    let records = database.signing_keys().await?;
    // Opening them shows that the configured secrets still do.
    let secrets = start::secrets(config, &OsEntropy)?;
    let newest =
        |r: &KeyRecord| records.iter().all(|o| o.algorithm != r.algorithm || o.generation <= r.generation);
    let mut lines = Vec::new();
    for record in &records {
        open_ring(std::slice::from_ref(record), record, &secrets).map_err(StartFault::Keys)?;
        let signs = record.algorithm == config.tokens.algorithm.name() && newest(record);
        let state = if signs { "signs" } else { "verifies" };
        lines.push(format!(
            "{}  {}  {state}  since {}",
            record.kid,
            record.algorithm,
            rfc3339(record.not_before)
        ));
    }
    Ok(lines)
}

fn rfc3339(at: crate::model::Timestamp) -> String {
    prost_types::Timestamp { seconds: at.seconds(), nanos: 0 }.to_string()
}
