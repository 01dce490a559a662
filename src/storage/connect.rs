//! The database as the stores hold it: its pools, and whether it is there at all. While it is known to be away, a step
//! is refused at once; the feed's watch alone looks for it, so that a fleet does not storm a database that comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use sea_orm::{ConnectionTrait as _, DbErr, RuntimeErr};
use secrecy::SecretString;

use super::error::StoreError;
use super::find::Find;
use super::open::{Opener, Pools, Server};
use super::pool::Pool;

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct Options {
    /// `sqlite://FILE?mode=rwc`, `sqlite::memory:`, `postgres://…`, or `mysql://…` for MariaDB. It may hold a password.
    pub url: SecretString,
    /// The most connections that calls take; following the feed takes one more.
    pub max_connections: u32,
    /// How long a step waits for a connection.
    pub acquire_timeout: Duration,
    /// Who is told every statement.
    pub observer: Option<Observer>,
}

/// Is told every statement, without its values.
#[derive(Clone)]
pub struct Observer(pub Arc<dyn Fn(&str) + Send + Sync>);

impl std::fmt::Debug for Observer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Observer")
    }
}

/// The database: every store's trait is implemented by it, each in a file of its own.
#[derive(Debug, Clone)]
pub struct Database(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: Options,
    opener: Opener,
    pools: ArcSwap<Pools>,
    away: AtomicBool,
    find: Find,
}

impl Database {
    /// Opens the database.
    pub async fn connect(options: &Options) -> Result<Self, StoreError> {
        let opener = Opener::new(options)?;
        if let Some(server) = opener.server() {
            let knock = tokio::time::timeout(options.acquire_timeout, server.knock());
            knock.await.map_err(|_| StoreError::no_answer())??;
        }
        let pools = opener.pools(options).await?;
        let find = Find::new(pools.read.get_database_backend());
        let (options, pools, away) = (options.clone(), ArcSwap::from_pointee(pools), AtomicBool::new(false));
        Ok(Self(Arc::new(Inner { options, opener, pools, away, find })))
    }

    /// The statements that find one row.
    pub(super) fn find(&self) -> &Find {
        &self.0.find
    }

    pub(super) fn options(&self) -> &Options {
        &self.0.options
    }

    /// The server, where it is one.
    pub(super) fn server(&self) -> Option<&Server> {
        self.0.opener.server()
    }

    /// The pools, unless the database is known to be away.
    pub(super) fn pools(&self) -> Result<Guard<Arc<Pools>>, StoreError> {
        if self.is_away() { Err(away()) } else { Ok(self.0.pools.load()) }
    }

    pub(super) fn is_away(&self) -> bool {
        self.0.away.load(Ordering::Acquire)
    }

    /// From now on steps are refused at once.
    pub(super) fn lost(&self) {
        if !self.0.away.swap(true, Ordering::AcqRel) {
            tracing::warn!("the database does not answer: calls that need it are refused until it does");
        }
    }

    /// From now on steps are tried, on new connections: the old may be dead and not know it.
    pub(super) async fn found(&self) -> Result<(), DbErr> {
        let pools = self.0.opener.pools(&self.0.options).await?;
        let (read, write) = (pools.read.clone(), pools.write.clone());
        let old = self.0.pools.swap(Arc::new(pools));
        old.read.is_followed_by(&read);
        old.write.is_followed_by(&write);
        self.retire(&old.read);
        if self.0.away.swap(false, Ordering::AcqRel) {
            tracing::info!("the database answers again");
        }
        Ok(())
    }

    /// How long ago a step of a call was answered on the connections there are now.
    pub(super) fn silent_for(&self) -> Duration {
        self.0.pools.load().read.silent_for()
    }

    /// Whether calls met that the connections are to be replaced.
    pub(super) fn is_unfit(&self) -> bool {
        self.0.pools.load().read.is_unfit()
    }

    /// Parts with a server's pool when its steps have ended, without waiting for it.
    pub(super) fn retire(&self, pool: &Pool) {
        let (this, pool) = (self.clone(), pool.clone());
        tokio::spawn(async move { this.part_with(&pool).await });
    }

    /// Closes every connection, SQLite's write-ahead log checkpointed. A server that does not answer is left.
    pub async fn close(self) {
        let pools = Pools::clone(&self.0.pools.load());
        self.part_with(&pools.read).await;
        self.part_with(&pools.write).await;
    }

    pub(super) async fn part_with(&self, pool: &Pool) {
        if self.server().is_some() {
            let _ = tokio::time::timeout(self.0.options.acquire_timeout, pool.close()).await;
        } else {
            pool.close().await;
        }
    }
}

fn away() -> StoreError {
    StoreError::Unavailable(DbErr::Conn(RuntimeErr::Internal("it did not answer when last asked".to_owned())))
}
