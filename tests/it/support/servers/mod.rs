//! A database server for one test, which it may stop, kill and freeze. It has its own data and its own loopback port,
//! and runs from the programs installed on this machine. Writes are flushed to the disk as on any server; only its
//! memory is small.

mod mariadb;
mod postgres;
mod process;
mod template;

use std::net::{SocketAddr, TcpListener};
use std::process::Child;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use gatepass::model::{Entropy as _, OsEntropy};
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbErr};
use tempfile::TempDir;

/// The maximum number of clients of a server.
pub const MAX_CLIENTS: usize = 40;

/// A timeout that only a stuck server reaches.
const STUCK: Duration = Duration::from_mins(1);

/// The timeout of a connection attempt. A pool waits up to a fifth of it between two attempts.
const PATIENCE: Duration = Duration::from_secs(1);

/// The database program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Postgres,
    Mariadb,
}

/// A server with an empty database `gatepass`, owned by its user `gatepass` without a password.
pub struct PrivateServer {
    pub kind: Kind,
    pub addr: SocketAddr,
    child: Option<Child>,
    folder: TempDir,
}

impl PrivateServer {
    /// Starts a server and waits until it accepts connections.
    pub async fn of(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        process::hand_over(folder.path());
        template::copy(kind, folder.path()).await;
        let mut this = Self { kind, addr: free_addr(), child: None, folder };
        this.start().await;
        this
    }

    /// Returns the URL of its database.
    pub fn url(&self) -> String {
        self.url_at(self.addr)
    }

    /// Returns the URL of its database at another address.
    pub fn url_at(&self, addr: SocketAddr) -> String {
        let scheme = match self.kind {
            Kind::Postgres => "postgres",
            Kind::Mariadb => "mysql",
        };
        format!("{scheme}://gatepass@{addr}/gatepass")
    }

    /// Opens a connection to the server.
    pub async fn connect(&self) -> Result<DatabaseConnection, DbErr> {
        let mut options = ConnectOptions::new(self.url());
        options.max_connections(1).acquire_timeout(PATIENCE).sqlx_logging(false);
        Database::connect(options).await
    }

    /// Makes the server reject writes, like a server after a failover, or accept them again. Connections stay open.
    pub async fn only_reads(&self, only_reads: bool) {
        let (name, switch) = match self.kind {
            Kind::Postgres => ("postgres", "ALTER SYSTEM SET default_transaction_read_only = "),
            Kind::Mariadb => ("root", "SET GLOBAL read_only = "),
        };
        let url = self.url().replace("gatepass@", &format!("{name}@"));
        let mut options = ConnectOptions::new(url);
        options.max_connections(1).sqlx_logging(false);
        let admin = Database::connect(options).await.unwrap();
        admin
            .execute_unprepared(&format!("{switch}{}", if only_reads { "ON" } else { "OFF" }))
            .await
            .unwrap();
        if self.kind == Kind::Postgres {
            admin.execute_unprepared("SELECT pg_reload_conf()").await.unwrap();
        }
        admin.close().await.unwrap();
    }

    /// Starts the server again with its data, and waits until it accepts connections.
    pub async fn start(&mut self) {
        self.launch();
        let begun = Instant::now();
        while self.connect().await.is_err() {
            let child = self.child.as_mut().unwrap();
            let ended = child.try_wait().unwrap().is_some();
            assert!(!ended && begun.elapsed() < STUCK, "no server:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Starts the server without waiting.
    pub fn launch(&mut self) {
        assert!(self.child.is_none(), "it runs");
        let arguments = match self.kind {
            Kind::Postgres => postgres::serve(self.folder.path(), self.addr),
            Kind::Mariadb => mariadb::serve(self.folder.path(), self.addr),
        };
        self.child = Some(process::start(&arguments, self.folder.path()));
    }

    /// Stops the server gracefully, without waiting for its clients.
    pub fn stop(&mut self) {
        let signal = match self.kind {
            Kind::Postgres => "INT",
            Kind::Mariadb => "TERM",
        };
        self.end(signal);
    }

    /// Sends SIGKILL to every process: nothing is flushed, and no client is informed.
    pub fn kill(&mut self) {
        self.pause();
        self.end("KILL");
    }

    /// Freezes every process; connections stay open.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// Resumes a frozen server.
    pub fn resume(&self) {
        self.signal("CONT");
    }

    fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// Sends a signal to the parent process first, so that it starts no more children.
    fn signal(&self, name: &str) {
        process::signal(name, &[self.pid()]);
        process::signal(name, &process::children(self.pid()));
    }

    fn end(&mut self, signal: &str) {
        let mut child = self.child.take().expect("it runs");
        let others = process::children(child.id());
        if signal == "KILL" {
            process::signal(signal, &others);
        }
        process::signal(signal, &[child.id()]);
        let begun = Instant::now();
        // Child processes may outlive the parent briefly, and hold resources that the next start needs.
        while child.try_wait().unwrap().is_none() || !others.iter().all(|pid| process::is_gone(*pid)) {
            assert!(begun.elapsed() < STUCK, "it does not end:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn log(&self) -> String {
        process::log(self.folder.path())
    }
}

impl Drop for PrivateServer {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.resume();
            // A fast shutdown that still releases shared memory.
            self.end("QUIT");
        }
    }
}

/// Finds a port that stays free while the server is down: below the ephemeral ports of Linux.
fn free_addr() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let mut random = [0; 2];
    OsEntropy.fill(&mut random);
    let start = u16::from_le_bytes(random);
    (0..u16::MAX)
        .map(|_| start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)))
        .map(|number| SocketAddr::from(([127, 0, 0, 1], 20_000 + number % 12_000)))
        .find(|addr| TcpListener::bind(addr).is_ok())
        .expect("a free port")
}

async fn keeps_what_it_was_told(kind: Kind) {
    let mut server = PrivateServer::of(kind).await;
    let told = server.connect().await.unwrap();
    told.execute_unprepared("CREATE TABLE words (word int)").await.unwrap();
    told.execute_unprepared("INSERT INTO words VALUES (1)").await.unwrap();
    server.kill();
    told.execute_unprepared("INSERT INTO words VALUES (2)").await.unwrap_err();
    server.start().await;
    let told = server.connect().await.unwrap();
    told.execute_unprepared("INSERT INTO words VALUES (3)").await.unwrap();
    server.stop();
    server.start().await;
    let told = server.connect().await.unwrap();
    server.pause();
    let answer = told.execute_unprepared("DELETE FROM words WHERE word IN (1, 3)");
    tokio::pin!(answer);
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut answer).await.is_err(), "it is frozen");
    server.resume();
    assert_eq!(answer.await.unwrap().rows_affected(), 2);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: just test-databases"]
async fn a_postgres_of_ones_own_keeps_what_it_was_told() {
    keeps_what_it_was_told(Kind::Postgres).await;
}

#[tokio::test]
#[ignore = "needs MariaDB: just test-databases"]
async fn a_mariadb_of_ones_own_keeps_what_it_was_told() {
    keeps_what_it_was_told(Kind::Mariadb).await;
}
