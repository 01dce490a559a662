//! Helpers for tests of signing keys: the key commands of an app, and the published key set.

use std::sync::Arc;
use std::time::Duration;

use gatepass::app::{list_keys, revoke_key, rotate_keys};
use gatepass::jose::{Algorithm, SigningKey};
use gatepass::model::{Clock, OsEntropy, PUBLISHED_BEFORE};
use gatepass::storage::{Database, KeyStep, KeyStore as _, Options, commands};
use gatepass::tokens::Secrets;
use serde_json::Value;

use super::super::metrics::get;
use super::super::{eventually, jwt};
use super::TestApp;

/// Returns the id of the key that signed a token.
pub fn kid(token: &str) -> String {
    jwt::decode(token).0["kid"].as_str().unwrap().to_owned()
}

/// Creates the next key with secrets that no other replica has, and returns its id.
pub async fn make_foreign_key(database_url: &str, clock: &dyn Clock) -> String {
    let options = Options {
        url: database_url.into(),
        max_connections: 1,
        acquire_timeout: Duration::from_secs(5),
        observer: None,
    };
    let database = Database::connect(&options).await.unwrap();
    let secrets = Secrets::new(&["an unknown secret of a test, long enough".into()]).unwrap();
    let (now, generation) = (clock.now(), 1000);
    let times = [now, now.plus(PUBLISHED_BEFORE)];
    let made = SigningKey::make(&secrets, &OsEntropy, Algorithm::Es256, generation, times);
    let (key, record) = made.unwrap();
    let change = commands::ChangeSigningKeys {
        steps: vec![KeyStep::Add(record)],
        remember_until: now.plus(PUBLISHED_BEFORE),
        log: None,
    };
    assert!(database.change_signing_keys(change).await.unwrap());
    key.kid().to_owned()
}

impl TestApp {
    /// Creates such a key in the database of this app.
    pub async fn make_foreign_key(&self) -> String {
        make_foreign_key(&self.place.database.url, &*self.clock).await
    }

    /// Fetches a document from the public port.
    pub async fn document(&self, path: &str) -> Value {
        serde_json::from_str(&get(self.http_addr, path).await.1).unwrap()
    }

    /// Returns the ids of the published keys, newest first.
    pub async fn published(&self) -> Vec<String> {
        let jwks = self.document("/.well-known/jwks.json").await;
        let keys = jwks["keys"].as_array().unwrap();
        keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until this number of keys is published.
    pub async fn publishes(&self, count: usize) -> Vec<String> {
        eventually("so many keys are published", || async { self.published().await.len() == count }).await;
        self.published().await
    }

    /// Returns the id of the current signing key, by opening a session.
    pub async fn signing(&self) -> String {
        kid(&self.tokens("somebody").await.access_token)
    }

    /// Runs `gatepass keys rotate`, with `--now` if `at_once` is set.
    pub async fn rotate(&self, at_once: bool) -> String {
        rotate_keys(&self.config(|yaml| yaml), Arc::clone(&self.clock) as _, at_once).await.unwrap()
    }

    /// Runs `gatepass keys revoke`.
    pub async fn revoke(&self, kid: &str) -> Vec<String> {
        revoke_key(&self.config(|yaml| yaml), Arc::clone(&self.clock) as _, kid).await.unwrap()
    }

    /// Runs `gatepass keys list`, and separates its columns by one space.
    pub async fn keys(&self) -> Vec<String> {
        let listed = list_keys(&self.config(|yaml| yaml), Arc::clone(&self.clock) as _).await.unwrap();
        let columns = |line: &String| line.split_whitespace().collect::<Vec<_>>().join(" ");
        listed.lines.iter().map(columns).collect()
    }

    /// Returns the reason and the actor of each key change, oldest first.
    pub async fn key_log(&self) -> Vec<String> {
        let sql = "SELECT reason || ' by ' || caller AS line FROM auth_logs WHERE action = 'KEY_ROTATED' ORDER BY id";
        self.query(sql).await.into_iter().map(|mut row| row.remove(0)).collect()
    }
}
