//! What tests of signing keys ask of an app: its commands, and the key set as others read it.

use std::sync::Arc;
use std::time::Duration;

use gatepass::app::{list_keys, revoke_key, rotate_keys};
use gatepass::model::{Clock, OsEntropy, PUBLISHED_BEFORE};
use gatepass::storage::{Database, KeyStep, KeyStore as _, Options, commands};
use gatepass::tokens::{Algorithm, Secrets, SigningKey};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{TestApp, eventually, jwt};

/// The name of the key that signed a token.
pub fn kid(token: &str) -> String {
    jwt::decode(token).0["kid"].as_str().unwrap().to_owned()
}

/// Makes the next key as a replica would whose secrets nobody else has; answers its name.
pub async fn make_foreign_key(database_url: &str, clock: &dyn Clock) -> String {
    let options = Options {
        url: database_url.to_owned(),
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
    /// The same in the database of this app.
    pub async fn make_foreign_key(&self) -> String {
        make_foreign_key(&self.place.database.url, &*self.clock).await
    }

    /// A document of the public port.
    pub async fn document(&self, path: &str) -> Value {
        let mut tcp = TcpStream::connect(self.http_addr).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
        tcp.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        tcp.read_to_string(&mut response).await.unwrap();
        serde_json::from_str(response.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// The names of the published keys, the newest first.
    pub async fn published(&self) -> Vec<String> {
        let jwks = self.document("/.well-known/jwks.json").await;
        let keys = jwks["keys"].as_array().unwrap();
        keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until this many keys are published.
    pub async fn publishes(&self, count: usize) -> Vec<String> {
        eventually("so many keys are published", || async { self.published().await.len() == count }).await;
        self.published().await
    }

    /// The name of the key that signs now, by a session of its own.
    pub async fn signing(&self) -> String {
        kid(&self.tokens("somebody").await.access_token)
    }

    /// `gatepass keys rotate`, or with `--now`.
    pub async fn rotate(&self, at_once: bool) -> String {
        rotate_keys(&self.config(|yaml| yaml), Arc::clone(&self.clock) as _, at_once).await.unwrap()
    }

    /// `gatepass keys revoke`.
    pub async fn revoke(&self, kid: &str) -> Vec<String> {
        revoke_key(&self.config(|yaml| yaml), Arc::clone(&self.clock) as _, kid).await.unwrap()
    }

    /// `gatepass keys list`, its columns one space apart.
    pub async fn keys(&self) -> Vec<String> {
        let listed = list_keys(&self.config(|yaml| yaml), Arc::clone(&self.clock) as _).await.unwrap();
        let columns = |line: &String| line.split_whitespace().collect::<Vec<_>>().join(" ");
        listed.lines.iter().map(columns).collect()
    }

    /// Why keys were changed, and by whom, oldest first.
    pub async fn key_log(&self) -> Vec<String> {
        let sql = "SELECT reason || ' by ' || caller AS line FROM auth_logs WHERE action = 'KEY_ROTATED' ORDER BY id";
        self.query(sql).await.into_iter().map(|mut row| row.remove(0)).collect()
    }
}
