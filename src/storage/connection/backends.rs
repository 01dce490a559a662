//! Connections, opened with the session settings of each kind of database. The rest of this floor uses pools and rarely
//! depends on the kind.

use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlPoolOptions};
use sea_orm::sqlx::pool::{PoolConnectionMetadata, PoolOptions};
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sea_orm::sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sea_orm::sqlx::{self, Connection, Executor};
use sea_orm::{DbErr, RuntimeErr};
use secrecy::ExposeSecret;

use super::options::Options;
use super::pool::{Pool, Steps};
use crate::storage::error::{StoreError, is_contention};

/// A connection that was idle for longer is tested before use. So is one that was idle while another broke.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

/// The settings of a PostgreSQL session. The limits end the work of a replica that died or was disconnected; a call
/// ends long before. A transaction sends its statements without pause, so one that is idle for seconds has lost its
/// replica, and blocks others.
const POSTGRES_SESSION: &str = "SET default_transaction_isolation = 'read committed'; \
     SET statement_timeout = '20s'; SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '3s'";

/// The settings of a MariaDB session; `MySQL` ignores the content of `/*M! */`. A value that does not fit is an error
/// and is never truncated.
const MYSQL_SESSION: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
     SET SESSION innodb_lock_wait_timeout = 10, sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES') \
     /*M!100300 , idle_transaction_timeout = 3, max_statement_time = 20 */";

/// Opens the configured database.
#[derive(Debug, Clone)]
pub(in crate::storage) enum Opener {
    /// A file, or memory.
    Sqlite(SqliteConnectOptions, Place),
    /// A server over the network.
    Server(Server),
}

/// A database server.
#[derive(Debug, Clone)]
pub(in crate::storage) enum Server {
    /// PostgreSQL.
    Postgres(PgConnectOptions),
    /// MariaDB, or `MySQL`.
    Mysql(MySqlConnectOptions),
}

/// The location of an SQLite database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::storage) enum Place {
    File,
    /// In memory; it is lost with its one connection.
    Memory,
}

/// The pools of a database: the same pool twice, except for SQLite, which has one writer at a time.
#[derive(Debug, Clone)]
pub(in crate::storage) struct Pools {
    pub(in crate::storage) read: Pool,
    pub(in crate::storage) write: Pool,
}

impl Opener {
    pub(in crate::storage) fn new(options: &Options) -> Result<Self, StoreError> {
        let url = options.url.expose_secret();
        // The cause may quote the URL, which holds a password.
        let unfit = |_| StoreError::Broken("database.url is not a URL that its driver accepts".to_owned());
        match url.split(':').next().unwrap_or_default() {
            "postgres" | "postgresql" => {
                Ok(Self::Server(Server::Postgres(PgConnectOptions::from_str(url).map_err(unfit)?)))
            }
            "mysql" | "mariadb" => {
                Ok(Self::Server(Server::Mysql(MySqlConnectOptions::from_str(url).map_err(unfit)?)))
            }
            _ => {
                let in_memory = url.contains(":memory:") || url.contains("mode=memory");
                let sqlite = SqliteConnectOptions::from_str(url)
                    .map_err(|cause| StoreError::Broken(cause.to_string()))?
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .busy_timeout(options.acquire_timeout)
                    .foreign_keys(true)
                    .optimize_on_close(false, None);
                Ok(Self::Sqlite(sqlite, if in_memory { Place::Memory } else { Place::File }))
            }
        }
    }

    /// Returns the server, if the database is one.
    pub(in crate::storage) fn server(&self) -> Option<&Server> {
        match self {
            Self::Sqlite(..) => None,
            Self::Server(server) => Some(server),
        }
    }

    pub(in crate::storage) async fn pools(&self, options: &Options) -> Result<Pools, DbErr> {
        match self {
            Self::Sqlite(sqlite, place) => sqlite_pools(sqlite, *place, options).await,
            Self::Server(server) => {
                let pool = server.pool(options, options.max_connections);
                Ok(Pools { read: pool.clone(), write: pool })
            }
        }
    }
}

impl Server {
    /// Tries to connect once, without the retries of the pool.
    pub(in crate::storage) async fn probe(&self) -> Result<(), DbErr> {
        let probed = match self {
            Self::Postgres(options) => match PgConnection::connect_with(options).await {
                Ok(connection) => connection.close().await,
                Err(error) => Err(error),
            },
            Self::Mysql(options) => match MySqlConnection::connect_with(options).await {
                Ok(connection) => connection.close().await,
                Err(error) => Err(error),
            },
        };
        probed.map_err(refused)
    }

    /// Makes a pool of connections that are opened when they are needed.
    pub(in crate::storage) fn pool(&self, options: &Options, connections: u32) -> Pool {
        let steps = Arc::new(Steps::new());
        let pool = match self {
            Self::Postgres(postgres) => shared(PgPoolOptions::new(), &steps, options, connections)
                .after_connect(|connection, _| {
                    Box::pin(async move { connection.execute(POSTGRES_SESSION).await.map(drop) })
                })
                .connect_lazy_with(postgres.clone())
                .into(),
            Self::Mysql(mysql) => shared(MySqlPoolOptions::new(), &steps, options, connections)
                .after_connect(|connection, _| {
                    Box::pin(async move { connection.execute(MYSQL_SESSION).await.map(drop) })
                })
                .connect_lazy_with(mysql.clone())
                .into(),
        };
        Pool::new(pool, steps, options)
    }
}

async fn sqlite_pools(
    sqlite: &SqliteConnectOptions,
    place: Place,
    options: &Options,
) -> Result<Pools, DbErr> {
    let pool = |connections: u32| {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(options.acquire_timeout)
            .test_before_acquire(false)
    };
    let writer = || {
        let writer = pool(1).idle_timeout(None).max_lifetime(None).min_connections(1);
        match place {
            Place::Memory => writer,
            Place::File => writer.after_release(|connection, _| {
                Box::pin(std::future::ready(Ok(has_no_transaction(connection))))
            }),
        }
    };
    let open = || writer().connect_with(sqlite.clone());
    let own = |pool| Pool::new(pool, Arc::new(Steps::new()), options);
    let write = own(first_connection(open, options.acquire_timeout).await?.into());
    let read = match place {
        Place::Memory => write.clone(),
        Place::File => {
            let readers = pool(options.max_connections).connect_lazy_with(sqlite.clone().read_only(true));
            own(readers.into())
        }
    };
    Ok(Pools { read, write })
}

fn shared<DB: sqlx::Database>(
    pool: PoolOptions<DB>,
    steps: &Arc<Steps>,
    options: &Options,
    connections: u32,
) -> PoolOptions<DB> {
    let steps = Arc::clone(steps);
    pool.max_connections(connections)
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        .before_acquire(move |connection, meta: PoolConnectionMetadata| {
            let doubted = meta.idle_for > TRUSTED_IDLE || steps.broke_within(meta.idle_for);
            Box::pin(async move {
                if doubted {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}

/// Returns true if a connection may be used again. SQLite ends a transaction when its disk is full, but sqlx still
/// counts it. It would treat later commits as those of savepoints: acknowledged, but never written.
fn has_no_transaction(connection: &mut SqliteConnection) -> bool {
    !connection.is_in_transaction()
}

fn refused(cause: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(cause)))
}

/// Opens SQLite's writer. While another process switches the file to write-ahead logging, the file is locked, and
/// SQLite's busy timeout does not cover this.
async fn first_connection<F: Future<Output = Result<SqlitePool, sqlx::Error>>>(
    connect: impl Fn() -> F,
    patience: Duration,
) -> Result<SqlitePool, DbErr> {
    let begin = Instant::now();
    loop {
        match connect().await.map_err(refused) {
            Err(error) if is_contention(&error) && begin.elapsed() < patience => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            outcome => return outcome,
        }
    }
}
