//! Empty databases for one test each, on the servers in `TEST_POSTGRES_URL` and `TEST_MYSQL_URL`. A test that needs
//! such a server is `#[ignore]`d, so that no test passes without running. `just test-databases` runs these tests, and
//! fails if a server is unreachable.

use gatepass::model::{OsEntropy, random};
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, QueryResult, Statement};
use tempfile::TempDir;
use url::Url;

/// The database that a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
    Mariadb,
}

/// An empty database, deleted when this value is dropped.
pub struct TestDatabase {
    pub backend: Backend,
    pub url: String,
    kept: Kept,
}

enum Kept {
    Folder(#[expect(dead_code, reason = "it goes with the value")] TempDir),
    Server { admin: String, name: String },
}

impl TestDatabase {
    /// Creates an empty database.
    pub async fn empty(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => Self::of_file(),
            Backend::Postgres => Self::on_server(backend, "TEST_POSTGRES_URL").await,
            Backend::Mariadb => Self::on_server(backend, "TEST_MYSQL_URL").await,
        }
    }

    /// Creates an SQLite database.
    pub fn of_file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/gatepass.db?mode=rwc", folder.path().display());
        Self { backend: Backend::Sqlite, url, kept: Kept::Folder(folder) }
    }

    async fn on_server(backend: Backend, variable: &str) -> Self {
        let admin = std::env::var(variable)
            .unwrap_or_else(|_| panic!("{variable} must name a server, as `just test-databases` does"));
        let name = format!("gatepass_test_{}", hex::encode(random::<8>(&OsEntropy)));
        let connection = connect(&admin).await;
        connection.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        connection.close().await.unwrap();
        let mut url = Url::parse(&admin).unwrap();
        url.set_path(&name);
        Self { backend, url: url.into(), kept: Kept::Server { admin, name } }
    }

    /// Creates a database of the kind in `TEST_DATABASE`, or SQLite by default. So every test of an app runs on each
    /// kind.
    pub fn of_this_run() -> Self {
        let backend = match std::env::var("TEST_DATABASE").as_deref() {
            Err(_) | Ok("sqlite") => return Self::of_file(),
            Ok("postgres") => Backend::Postgres,
            Ok("mariadb") => Backend::Mariadb,
            Ok(other) => panic!("TEST_DATABASE is sqlite, postgres or mariadb, not {other}"),
        };
        // A caller may have no runtime, and a runtime that it does have must not be blocked.
        let made = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(Self::empty(backend))
        });
        made.join().unwrap()
    }

    /// Numbers rows as SQLite does by default, so that tests can see the order of the writes.
    pub async fn number_rows(&self) {
        let kind = match self.backend {
            Backend::Sqlite => return,
            Backend::Postgres => "BIGSERIAL",
            Backend::Mariadb => "BIGINT AUTO_INCREMENT UNIQUE",
        };
        let db = self.connect().await;
        for table in ["sessions", "auth_logs"] {
            let sql = format!("ALTER TABLE {table} ADD COLUMN IF NOT EXISTS rowid {kind}");
            db.execute_unprepared(&sql).await.unwrap();
        }
    }

    /// Formats an id as SQL of this database.
    pub fn id(&self, id: &str) -> String {
        match self.backend {
            Backend::Postgres => format!("'{id}'"),
            Backend::Sqlite | Backend::Mariadb => format!("x'{}'", id.replace('-', "")),
        }
    }

    /// Formats bytes as SQL of this database.
    pub fn bytes(&self, bytes: &[u8]) -> String {
        let hexadecimal = hex::encode(bytes);
        match self.backend {
            Backend::Postgres => format!("'\\x{hexadecimal}'"),
            Backend::Sqlite | Backend::Mariadb => format!("x'{hexadecimal}'"),
        }
    }

    /// Runs a statement.
    pub async fn execute(&self, sql: &str) {
        self.connect().await.execute_unprepared(sql).await.unwrap();
    }

    /// Sets the clock of a PostgreSQL database ahead, for connections opened after the first call of this function. It
    /// shadows the clock function by the search path.
    pub async fn set_clock_ahead(&self, interval: &str) {
        let name = self.url.rsplit('/').next().unwrap();
        self.execute("CREATE SCHEMA IF NOT EXISTS skewed").await;
        self.execute(&format!(
            "CREATE OR REPLACE FUNCTION skewed.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE \
             AS 'SELECT pg_catalog.clock_timestamp() + interval ''{interval}'''"
        ))
        .await;
        self.execute(&format!("ALTER DATABASE {name} SET search_path = skewed, pg_catalog, public")).await;
    }

    /// Opens a connection for the test itself.
    pub async fn connect(&self) -> DatabaseConnection {
        connect(&self.url).await
    }
}

async fn connect(url: &str) -> DatabaseConnection {
    let mut options = sea_orm::ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}

/// Returns the rows of a query.
pub async fn query(db: &DatabaseConnection, sql: &str) -> Vec<QueryResult> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    db.query_all_raw(statement).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Kept::Server { admin, name } = &self.kept else { return };
        let force = if self.backend == Backend::Postgres { " WITH (FORCE)" } else { "" };
        let (admin, sql) = (admin.clone(), format!("DROP DATABASE {name}{force}"));
        // The test's own runtime may already be shutting down.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { connect(&admin).await.execute_unprepared(&sql).await.map(drop) })
        });
        if !std::thread::panicking() {
            dropped.join().unwrap().unwrap();
        }
    }
}

/// Makes the tests `postgres::NAME` and `mariadb::NAME` from functions that take a [`Backend`], or the type before
/// `of`.
#[macro_export]
macro_rules! on_servers {
    (of $kind:path: $($test:ident),* $(,)?) => {
        mod postgres {
            use $kind as Kind;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs PostgreSQL: just test-databases"]
            async fn $test() {
                super::$test(Kind::Postgres).await;
            })*
        }
        mod mariadb {
            use $kind as Kind;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs MariaDB: just test-databases"]
            async fn $test() {
                super::$test(Kind::Mariadb).await;
            })*
        }
    };
    ($($test:ident),* $(,)?) => {
        $crate::on_servers!(of $crate::support::databases::Backend: $($test),*);
    };
}

/// Makes the same tests, and `sqlite::NAME` for each function, which always runs.
#[macro_export]
macro_rules! on_all {
    ($($test:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test($crate::support::databases::Backend::Sqlite).await;
            })*
        }
        $crate::on_servers!($($test),*);
    };
}
