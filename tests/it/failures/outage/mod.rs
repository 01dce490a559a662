//! Failures of the database, with the real program under load and with real servers. Every call ends in time, sessions
//! stay readable within their limit, and health reports the true state. No answered change is lost, and the database
//! stays consistent.

mod failures;
mod full_disk;
mod given_up;
mod held;
mod lost;
mod network;
mod pools;
mod revocations;
mod start;
mod unknown_key;

use std::time::{Duration, Instant};

use gatepass::storage::{Database, Options};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::support::invariants;
use crate::support::load::{self, Load, METHODS, STORED, measured};
use crate::support::program::Serving;
use crate::support::servers::{Kind, PrivateServer};
use crate::support::soak::soak;
use crate::support::wire::Wire;

/// A timeout that only a stuck test reaches.
const NEVER: Duration = Duration::from_mins(1);

/// The documented time until calls are answered after the database has returned. A single round is no measure.
const PROMISED: Duration = Duration::from_secs(2);

/// A Gatepass under load, with a proxy to its database.
struct Scene {
    server: PrivateServer,
    wire: Wire,
    gatepass: Serving,
    load: Load,
    recoveries: Vec<Duration>,
    folder: TempDir,
}

impl Scene {
    async fn of(kind: Kind) -> Self {
        let server = PrivateServer::of(kind).await;
        let wire = Wire::to(server.addr).await;
        let folder = tempfile::tempdir().unwrap();
        let gatepass = serving(&folder, &server.url_at(wire.addr)).await;
        let load = Load::begin(&gatepass.channel().await, "load").await;
        let mut this = Self { server, wire, gatepass, load, recoveries: Vec::new(), folder };
        this.load.until("all is well", |load| load.tallies().answered(&METHODS)).await;
        this.load.tallies().clear();
        this
    }

    /// Repeats a failure, more often in a long run. Gatepass recovers each time, and nothing is lost.
    async fn again_and_again(mut self, rounds: usize, from: &str, fails: impl AsyncFn(&mut Self)) {
        for _ in 0..soak(1, rounds) {
            fails(&mut self).await;
            self.recovers(from).await;
        }
        as_promised(&format!("{:?} {from}", self.server.kind), &mut self.recoveries);
        self.ends().await;
    }

    /// Waits until sessions are no longer readable because there is no news of revocations.
    async fn goes_stale(&mut self) {
        let stale = |load: &Load| load.tallies().refused(&STORED) && load.tallies().refused(&["GetSession"]);
        self.load.until("everything is refused", stale).await;
        self.until_auth_service_is(ServingStatus::NotServing).await;
        assert_eq!(self.health("").await, ServingStatus::Serving);
        assert_eq!(self.health("gatepass.v1.AdminService").await, ServingStatus::Serving);
        assert!(self.probe("/readyz").await && self.probe("/livez").await);
    }

    /// Waits until every method is answered again. The time starts now, when the database is available.
    async fn recovers(&mut self, from: &str) {
        measured(&format!("{:?} {from}, while it was:\n{}", self.server.kind, self.load.tallies()));
        self.load.tallies().clear();
        self.load.until("recovery", |load| load.tallies().answered(&METHODS)).await;
        self.until_auth_service_is(ServingStatus::Serving).await;
        let (one, all) = self.load.tallies().answered_after(&STORED);
        self.recoveries.push(one);
        let (kind, tallies) = (self.server.kind, self.load.tallies());
        measured(&format!(
            "{kind:?} {from}: a call answered after {one:?}, all kinds after {all:?}\n{tallies}"
        ));
        self.load.tallies().clear();
    }

    /// Ends the load and the Gatepass, and checks all answered changes with another Gatepass.
    async fn ends(mut self) {
        self.load.until("something to look for", Load::is_telling).await;
        let told = self.load.end().await;
        self.gatepass.stop().await;
        let other = serving(&self.folder, &self.server.url()).await;
        told.check(&other.channel().await).await;
        other.stop().await;
        let db = self.server.connect().await.unwrap();
        told.check_log(&db).await;
        invariants::check(&db).await;
    }

    async fn until_auth_service_is(&self, wanted: ServingStatus) {
        let begun = Instant::now();
        while self.health("gatepass.v1.AuthService").await != wanted {
            assert!(begun.elapsed() < NEVER, "AuthService is not {wanted:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn health(&self, service: &str) -> ServingStatus {
        health(&self.gatepass, service).await
    }

    async fn probe(&self, path: &str) -> bool {
        probe(&self.gatepass, path).await
    }
}

/// Checks that most of the rounds recovered in time.
fn as_promised(what: &str, recoveries: &mut [Duration]) {
    recoveries.sort_unstable();
    let median = recoveries[recoveries.len() / 2];
    if recoveries.len() > 1 {
        measured(&format!("{what}: a call answered after {median:?}, the median of {recoveries:?}"));
        assert!(median <= PROMISED, "{what}: {median:?}");
    }
}

/// Opens a database through a proxy, with this number of connections for calls.
async fn over(wire: &Wire, server: &PrivateServer, max_connections: u32) -> Database {
    let options = Options {
        url: server.url_at(wire.addr).into(),
        max_connections,
        acquire_timeout: Duration::from_secs(3),
        observer: None,
    };
    let database = Database::connect(&options).await.unwrap();
    database.migrate().await.unwrap();
    database
}

/// Starts a Gatepass with this database.
async fn serving(folder: &TempDir, url: &str) -> Serving {
    Serving::ready(folder.path(), &[], &variables(url)).await
}

/// Returns the settings of a Gatepass with this database.
fn variables(url: &str) -> Vec<(&str, &str)> {
    let mut variables = vec![("GATEPASS_DATABASE__URL", url)];
    variables.extend(load::VARIABLES);
    variables
}

/// Returns the health status of a service of this Gatepass.
async fn health(gatepass: &Serving, service: &str) -> ServingStatus {
    let request = HealthCheckRequest { service: service.to_owned() };
    HealthClient::new(gatepass.channel().await).check(request).await.unwrap().into_inner().status()
}

/// Checks if a probe on the admin port returns 200.
async fn probe(gatepass: &Serving, path: &str) -> bool {
    let mut tcp = TcpStream::connect(gatepass.admin).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
    tcp.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    tcp.read_to_string(&mut response).await.unwrap();
    response.starts_with("HTTP/1.1 200")
}
