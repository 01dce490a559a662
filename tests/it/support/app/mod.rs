//! A running Gatepass, which a test can restart and put replicas beside.

pub mod builder;
pub mod keys;
mod rows;
mod statements;

use std::io::Write as _;
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatepass::app::App;
use gatepass::config::{self, Config};
use gatepass::model::ManualClock;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

use super::client::Client;
use builder::{Builder, Place};

/// A running Gatepass.
pub struct TestApp {
    pub client: Client,
    pub channel: Channel,
    pub clock: Arc<ManualClock>,
    pub place: Place,
    pub http_addr: std::net::SocketAddr,
    pub admin_addr: std::net::SocketAddr,
    pub grpc_addr: std::net::SocketAddr,
    statements: Arc<Mutex<Vec<String>>>,
    yaml: String,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

/// The calls of the app's own client.
impl Deref for TestApp {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// Reads a configuration from a file, as the program does.
fn read_config(yaml: &str, place: &Place) -> Config {
    let mut file = tempfile::NamedTempFile::new_in(place.folder.path()).unwrap();
    file.write_all(yaml.as_bytes()).unwrap();
    config::load(Some(file.path()), []).unwrap_or_else(|faults| panic!("{faults}"))
}

pub(super) async fn start(
    yaml: String,
    callbacks: Option<Box<dyn FnOnce(App) -> App>>,
    place: Place,
) -> TestApp {
    let clock = Arc::clone(&place.clock);
    let config = read_config(&yaml, &place);
    let statements = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&statements);
    let mut app = App::new(config)
        .clock(Arc::clone(&clock) as _)
        .observe_statements(move |sql| seen.lock().unwrap().push(sql.to_owned()));
    if let Some(add) = callbacks {
        app = add(app);
    }
    let bound = app.bind().await.unwrap();
    let health = bound.health();
    let addrs = [bound.grpc_addr(), bound.admin_addr(), bound.http_addr()].map(Option::unwrap);
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    let task = tokio::spawn(async move { bound.run(stop).await.unwrap() });
    while !health.is_ready() {
        assert!(!task.is_finished(), "the app did not start");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    place.database.number_rows().await;
    let channel = Endpoint::from_shared(format!("http://{}", addrs[0])).unwrap().connect().await.unwrap();
    TestApp {
        client: Client::new(&channel),
        channel,
        clock,
        place,
        http_addr: addrs[2],
        admin_addr: addrs[1],
        grpc_addr: addrs[0],
        statements,
        yaml,
        shutdown,
        task,
    }
}

impl TestApp {
    /// Stops the app as SIGTERM would, and starts it again on the same files. `change` may edit the configuration.
    pub async fn restart(self, change: impl FnOnce(String) -> String) -> Self {
        let Self { place, yaml, shutdown, task, .. } = self;
        shutdown.cancel();
        task.await.unwrap();
        start(change(yaml), None, place).await
    }

    /// Starts another replica on the same database and clock. `change` may edit its configuration.
    pub async fn replica(&self, change: impl FnOnce(String) -> String) -> Self {
        start(change(self.yaml.clone()), None, self.place.clone()).await
    }

    /// Builds another replica, which can still get callbacks.
    pub fn beside(&self) -> Builder {
        Builder { yaml: self.yaml.clone(), callbacks: None, place: self.place.clone() }
    }

    /// Returns the configuration of the app. `change` may edit it.
    pub fn config(&self, change: impl FnOnce(String) -> String) -> Config {
        read_config(&change(self.yaml.clone()), &self.place)
    }

    /// Stops the app as SIGTERM would.
    pub async fn stop(self) -> Place {
        self.shutdown.cancel();
        self.task.await.unwrap();
        self.place
    }
}
