//! What happens when the database fails, to the real program under load and with real servers: every call ends in
//! time, sessions are read as long as they may be, health says what is, nothing that was answered is lost, and the
//! database holds together.

mod failures;
mod full_disk;
mod given_up;
mod network;
mod pools;
mod revocations;
mod start;
mod unknown_key;

use std::time::{Duration, Instant};

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
use crate::support::wire::Wire;

/// So long that what is waited for does not come.
const NEVER: Duration = Duration::from_mins(1);

/// A Gatepass under load, and its database at the other end of a wire.
struct Scene {
    server: PrivateServer,
    wire: Wire,
    gatepass: Serving,
    load: Load,
    folder: TempDir,
}

impl Scene {
    async fn of(kind: Kind) -> Self {
        let server = PrivateServer::of(kind).await;
        let wire = Wire::to(server.addr).await;
        let folder = tempfile::tempdir().unwrap();
        let gatepass = serving(&folder, &server.url_at(wire.addr)).await;
        let load = Load::begin(&gatepass.channel().await, "load").await;
        let mut this = Self { server, wire, gatepass, load, folder };
        this.load.until("all is well", |load| load.tallies().answered(&METHODS)).await;
        this.load.tallies().clear();
        this
    }

    /// Waits until no session is read any more, since there is no news of revocations.
    async fn goes_stale(&mut self) {
        let stale = |load: &Load| load.tallies().refused(&STORED) && load.tallies().refused(&["GetSession"]);
        self.load.until("everything is refused", stale).await;
        self.until_auth_service_is(ServingStatus::NotServing).await;
        assert_eq!(self.health("").await, ServingStatus::Serving);
        assert_eq!(self.health("gatepass.v1.AdminService").await, ServingStatus::Serving);
        assert!(self.probe("/readyz").await && self.probe("/livez").await);
    }

    /// Waits until every method is answered again; from now on, since the database is there.
    async fn recovers(&mut self, from: &str) {
        measured(&format!("{:?} {from}, while it was:\n{}", self.server.kind, self.load.tallies()));
        self.load.tallies().clear();
        self.load.until("recovery", |load| load.tallies().answered(&METHODS)).await;
        self.until_auth_service_is(ServingStatus::Serving).await;
        let (one, all) = self.load.tallies().answered_after(&STORED);
        let (kind, tallies) = (self.server.kind, self.load.tallies());
        measured(&format!(
            "{kind:?} {from}: a call answered after {one:?}, all kinds after {all:?}\n{tallies}"
        ));
    }

    /// Ends the load and the Gatepass, and looks for what was answered with the eyes of another.
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

/// A Gatepass with this database.
async fn serving(folder: &TempDir, url: &str) -> Serving {
    Serving::ready(folder.path(), &[], &variables(url)).await
}

/// What it is told.
fn variables(url: &str) -> Vec<(&str, &str)> {
    let mut variables = vec![("GATEPASS_DATABASE__URL", url)];
    variables.extend(load::VARIABLES);
    variables
}

/// What its health service says of this one.
async fn health(gatepass: &Serving, service: &str) -> ServingStatus {
    let request = HealthCheckRequest { service: service.to_owned() };
    HealthClient::new(gatepass.channel().await).check(request).await.unwrap().into_inner().status()
}

/// Whether this probe of its admin port is a 200.
async fn probe(gatepass: &Serving, path: &str) -> bool {
    let mut tcp = TcpStream::connect(gatepass.admin).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
    tcp.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    tcp.read_to_string(&mut response).await.unwrap();
    response.starts_with("HTTP/1.1 200")
}
