//! The database as the stores use it: its pools and its availability. While it is known to be unavailable, a step fails
//! immediately. Only the feed's connection probes it, so that a fleet does not overload a recovering database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use sea_orm::{ConnectionTrait as _, DbErr, RuntimeErr};

use super::backends::{Opener, Pools, Server};
use super::options::Options;
use super::pool::Pool;
use crate::storage::error::StoreError;
use crate::storage::lookups::Lookups;

/// The database; it implements the trait of every store, each in its own file.
#[derive(Debug, Clone)]
pub struct Database(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: Options,
    opener: Opener,
    pools: ArcSwap<Pools>,
    unavailable: AtomicBool,
    lookups: Lookups,
}

impl Database {
    /// Opens the database.
    pub async fn connect(options: &Options) -> Result<Self, StoreError> {
        let opener = Opener::new(options)?;
        if let Some(server) = opener.server() {
            let probe = tokio::time::timeout(options.acquire_timeout, server.probe());
            probe.await.map_err(|_| StoreError::no_answer())??;
        }
        let pools = opener.pools(options).await?;
        let lookups = Lookups::new(pools.read.get_database_backend());
        let (pools, unavailable) = (ArcSwap::from_pointee(pools), AtomicBool::new(false));
        Ok(Self(Arc::new(Inner { options: options.clone(), opener, pools, unavailable, lookups })))
    }

    /// Returns the prepared look-ups of single rows.
    pub(in crate::storage) fn lookups(&self) -> &Lookups {
        &self.0.lookups
    }

    pub(in crate::storage) fn options(&self) -> &Options {
        &self.0.options
    }

    /// Returns the server, if the database is one.
    pub(in crate::storage) fn server(&self) -> Option<&Server> {
        self.0.opener.server()
    }

    /// Returns the pools, unless the database is known to be unavailable.
    pub(in crate::storage) fn pools(&self) -> Result<Guard<Arc<Pools>>, StoreError> {
        if self.is_unavailable() { Err(unavailable()) } else { Ok(self.0.pools.load()) }
    }

    pub(in crate::storage) fn is_unavailable(&self) -> bool {
        self.0.unavailable.load(Ordering::Acquire)
    }

    /// Rejects steps from now on.
    pub(in crate::storage) fn mark_unavailable(&self) {
        if !self.0.unavailable.swap(true, Ordering::AcqRel) {
            tracing::warn!("database not responding; rejecting calls that need it");
        }
    }

    /// Allows steps from now on, on new connections: the old ones may be dead without an error.
    pub(in crate::storage) async fn mark_available(&self) -> Result<(), DbErr> {
        let pools = self.0.opener.pools(&self.0.options).await?;
        let (read, write) = (pools.read.clone(), pools.write.clone());
        let old = self.0.pools.swap(Arc::new(pools));
        old.read.is_followed_by(&read);
        old.write.is_followed_by(&write);
        self.retire(&old.read);
        if self.0.unavailable.swap(false, Ordering::AcqRel) {
            tracing::info!("database available again");
        }
        Ok(())
    }

    /// Returns the time since the current connections last answered a step of a call.
    pub(in crate::storage) fn silent_for(&self) -> Duration {
        self.0.pools.load().read.silent_for()
    }

    /// Returns true if calls found that the connections must be replaced.
    pub(in crate::storage) fn is_unfit(&self) -> bool {
        self.0.pools.load().read.is_unfit()
    }

    /// Closes a server's pool when its steps have ended, without waiting for it.
    pub(in crate::storage) fn retire(&self, pool: &Pool) {
        let (this, pool) = (self.clone(), pool.clone());
        tokio::spawn(async move { this.close_pool(&pool).await });
    }

    /// Closes every connection, and checkpoints SQLite's write-ahead log. A server that does not answer is abandoned.
    pub async fn close(self) {
        let pools = Pools::clone(&self.0.pools.load());
        self.close_pool(&pools.read).await;
        self.close_pool(&pools.write).await;
    }

    pub(in crate::storage) async fn close_pool(&self, pool: &Pool) {
        if self.server().is_some() {
            let _ = tokio::time::timeout(self.0.options.acquire_timeout, pool.close()).await;
        } else {
            pool.close().await;
        }
    }
}

fn unavailable() -> StoreError {
    StoreError::Unavailable(DbErr::Conn(RuntimeErr::Internal("no response to the last request".to_owned())))
}
