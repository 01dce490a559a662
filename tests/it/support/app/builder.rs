//! A Gatepass before its start: its configuration, database, clock and callbacks.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gatepass::app::App;
use gatepass::auth::Callbacks;
use gatepass::grpc::mount::Mount;
use gatepass::model::ManualClock;
use tempfile::TempDir;

use super::super::databases::{Backend, TestDatabase};
use super::super::{KEYS, START, strategy};
use super::TestApp;

/// A Gatepass before its start.
pub struct Builder {
    pub(in crate::support) yaml: String,
    pub(super) callbacks: Option<Box<dyn FnOnce(App) -> App>>,
    pub(in crate::support) place: Place,
}

/// The environment of an app; deleted with the last of its replicas.
#[derive(Clone)]
pub struct Place {
    pub folder: Arc<TempDir>,
    pub database: Arc<TestDatabase>,
    pub clock: Arc<ManualClock>,
}

impl Builder {
    /// Adds configuration sections that the test does not have yet.
    pub fn config(mut self, yaml: &str) -> Self {
        self.yaml.push_str(yaml);
        self.yaml.push('\n');
        self
    }

    /// Adds keys to the `server` section.
    pub fn server(mut self, keys: &str) -> Self {
        self.yaml = self.yaml.replace("server: {", &format!("server: {{{keys}, "));
        self
    }

    /// Adds callbacks.
    pub fn callbacks(mut self, callbacks: impl Callbacks) -> Self {
        self.callbacks = Some(Box::new(move |app| app.callbacks(callbacks)));
        self
    }

    /// Adds services.
    pub fn services(mut self, services: impl IntoIterator<Item = Mount> + 'static) -> Self {
        self.callbacks = Some(Box::new(move |app| services.into_iter().fold(app, App::service)));
        self
    }

    /// Starts the app and waits until it is ready.
    pub async fn start(self) -> TestApp {
        super::start(strategy::of_this_test(self.yaml), self.callbacks, self.place).await
    }
}

/// Starts a Gatepass with defaults: a new database, one ES256 key from [`KEYS`], no callers.
pub async fn app() -> TestApp {
    builder().start().await
}

/// Builds the same Gatepass for further configuration. The sections `server`, `database` and `secrets` are set.
pub fn builder() -> Builder {
    on(TestDatabase::of_this_run())
}

/// Builds the same Gatepass on this kind of database.
pub async fn builder_on(backend: Backend) -> Builder {
    on(TestDatabase::empty(backend).await)
}

/// Builds the same Gatepass on a copy of this SQLite database, a few seconds after the last change in it.
pub fn builder_on_a_copy_of(file: &Path) -> Builder {
    let database = TestDatabase::of_file();
    let path = database.url.trim_start_matches("sqlite://").split('?').next().unwrap().to_owned();
    std::fs::copy(file, path).unwrap();
    let builder = on(database);
    builder.place.clock.advance(Duration::from_secs(5));
    builder
}

/// Builds the same Gatepass on a database with the content of this dump, a few seconds after the last change in it.
pub async fn builder_on_a_dump(backend: Backend, sql: &str) -> Builder {
    let builder = builder_on(backend).await;
    builder.place.database.execute(sql).await;
    builder.place.clock.advance(Duration::from_secs(5));
    builder
}

fn on(database: TestDatabase) -> Builder {
    let yaml = format!(
        "server: {{grpc_addr: '127.0.0.1:0', http_addr: '127.0.0.1:0', admin_addr: '127.0.0.1:0'}}\n\
         database: {{url: '{}'}}\n\
         secrets: ['the first secret of a test, long enough']\n",
        database.url
    );
    let place = Place {
        folder: Arc::new(tempfile::tempdir().unwrap()),
        database: Arc::new(database),
        clock: Arc::new(ManualClock::at(START)),
    };
    Builder { yaml, callbacks: None, place }
}

/// Builds the `tokens` section with the ES256 key of [`KEYS`] and more settings.
pub fn tokens(more: &str) -> String {
    format!("tokens: {{signing_keys: ['{KEYS}/es256.pem']{}{more}}}", if more.is_empty() { "" } else { ", " })
}
