//! The schema: the migrations create what the stores use, in both directions and with concurrent programs. For SQLite
//! the schema is compared word by word; for PostgreSQL and MariaDB the contract of the stores tests it.

use std::path::Path;
use std::time::Duration;

use gatepass::storage::{Database, KeyStore as _, RevocationFeed as _};
use sea_orm::{ConnectionTrait as _, Statement};

use crate::storage::store::{file_url, open};
use crate::support::databases::{Backend, TestDatabase};

/// Every column as `name type NOT NULL`, and every index, as SQLite reports them. The columns are those of the
/// entities, all of which the contract of the stores writes and reads.
const SCHEMA: &str = "\
accounts: id UUID NOT NULL, user_id UUID NOT NULL, account_key BLOB NOT NULL, provider TEXT NOT NULL, \
provider_account_id TEXT NOT NULL, issuer TEXT NOT NULL, kind TEXT NOT NULL, scope TEXT, created_at INTEGER NOT NULL
auth_logs: id UUID NOT NULL, created_at INTEGER NOT NULL, action TEXT NOT NULL, outcome TEXT NOT NULL, reason TEXT, \
user_id UUID, email TEXT, provider TEXT, session_id UUID, caller TEXT NOT NULL, ip_address TEXT, user_agent TEXT, \
request_id TEXT NOT NULL
revocation_counter: id INTEGER NOT NULL, seq INTEGER NOT NULL
revocations: seq INTEGER NOT NULL, kind TEXT NOT NULL, subject UUID NOT NULL, min_epoch INTEGER, reason TEXT, \
until INTEGER NOT NULL
sessions: id UUID NOT NULL, user_id UUID NOT NULL, account_id UUID NOT NULL, provider TEXT NOT NULL, \
caller_group TEXT NOT NULL, epoch INTEGER NOT NULL, authenticated_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, \
ended_at INTEGER, end_reason TEXT, grant_hash BLOB NOT NULL, grant_expires_at INTEGER NOT NULL, request_key BLOB, \
request_fingerprint BLOB, redeemed_at INTEGER, redemption_key BLOB, redemption_fingerprint BLOB, refresh_hash BLOB, \
previous_hash BLOB, generation INTEGER NOT NULL, salt BLOB, rotated_at INTEGER, audiences TEXT NOT NULL, \
claims TEXT NOT NULL, pending BLOB, version INTEGER NOT NULL, refresh_count INTEGER NOT NULL, ip_address TEXT, \
claims_role TEXT, predecessors BLOB, granted_audiences TEXT, idle_ttl INTEGER, max_age INTEGER
signing_keys: kid TEXT NOT NULL, algorithm TEXT NOT NULL, generation INTEGER NOT NULL, not_before INTEGER NOT NULL, \
created_at INTEGER NOT NULL, sealed BLOB NOT NULL
used_marks: mark BLOB NOT NULL, expires_at INTEGER NOT NULL, request_key BLOB, request_fingerprint BLOB, \
busy_until INTEGER, repeat_until INTEGER, outcome BLOB
users: id UUID NOT NULL, email TEXT, email_key BLOB, email_verified INTEGER NOT NULL, name TEXT, image TEXT, \
role TEXT NOT NULL, banned INTEGER NOT NULL, ban_reason TEXT, ban_expires_at INTEGER, epoch INTEGER NOT NULL, \
version INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, last_sign_in_at INTEGER, \
email_source TEXT";

/// The unique indexes, by table and columns.
const UNIQUE: &str = "\
accounts(account_key)
accounts(id)
auth_logs(id)
sessions(grant_hash)
sessions(id)
sessions(request_key)
signing_keys(algorithm,generation)
signing_keys(kid)
used_marks(mark)
users(email_key)
users(id)";

/// Returns the first column of a query's rows, as text.
async fn lines(file: &Path, sql: &str) -> Vec<String> {
    let db = sea_orm::Database::connect(format!("sqlite://{}", file.display())).await.unwrap();
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    let lines = rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()).collect();
    db.close().await.unwrap();
    lines
}

/// Returns the schema of a file in the form of [`SCHEMA`]. A type is shown by its affinity, which decides in SQLite;
/// that of a UUID keeps its 16 bytes unchanged.
async fn schema(file: &Path) -> String {
    let tables =
        "FROM sqlite_schema AS t WHERE t.type = 'table' AND t.name NOT LIKE 'seaql%' ORDER BY t.name";
    let columns = "SELECT group_concat(c.name || ' ' || CASE \
                     WHEN upper(c.type) LIKE 'UUID%' THEN 'UUID' \
                     WHEN upper(c.type) LIKE '%INT%' OR upper(c.type) LIKE 'BOOL%' THEN 'INTEGER' \
                     WHEN upper(c.type) LIKE '%CHAR%' OR upper(c.type) LIKE '%TEXT%' THEN 'TEXT' \
                     WHEN upper(c.type) LIKE '%BLOB%' OR upper(c.type) LIKE '%BINARY%' \
                       THEN 'BLOB' ELSE c.type END \
                     || CASE WHEN c.\"notnull\" THEN ' NOT NULL' ELSE '' END, ', ') \
                   FROM pragma_table_info(t.name) AS c";
    lines(file, &format!("SELECT t.name || ': ' || ({columns}) {tables}")).await.join("\n")
}

async fn migrated(file: &Path) -> Database {
    let database = open(file_url(file)).await;
    database.migrate().await.unwrap();
    database
}

#[tokio::test]
async fn the_schema_is_the_one_that_the_stores_use() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gatepass.db");
    migrated(&file).await.close().await;
    assert_eq!(schema(&file).await, SCHEMA);
    let unique = "SELECT DISTINCT t.name || '(' || \
                    (SELECT group_concat(c.name, ',') FROM pragma_index_info(i.name) AS c) || ')' AS line \
                  FROM sqlite_schema AS t, pragma_index_list(t.name) AS i \
                  WHERE t.type = 'table' AND i.\"unique\" AND t.name NOT LIKE 'seaql%' ORDER BY line";
    assert_eq!(lines(&file, unique).await.join("\n"), UNIQUE);
}

#[tokio::test]
async fn migrations_go_up_and_down_and_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gatepass.db");
    let database = open(file_url(&file)).await;
    assert!(!database.is_migrated().await.unwrap());
    database.migrate().await.unwrap();
    assert!(database.is_migrated().await.unwrap());
    database.migrate_down().await.unwrap();
    assert!(!database.is_migrated().await.unwrap());
    assert_eq!(schema(&file).await, "");
    database.migrate().await.unwrap();
    assert!(database.is_migrated().await.unwrap());
    database.close().await;
    assert_eq!(schema(&file).await, SCHEMA);
}

#[tokio::test]
async fn a_second_migration_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gatepass.db");
    let database = migrated(&file).await;
    let all = "SELECT version || ' ' || applied_at FROM seaql_migrations ORDER BY version";
    let before = lines(&file, all).await;
    database.migrate().await.unwrap();
    database.close().await;
    migrated(&file).await.close().await;
    assert_eq!(lines(&file, all).await, before);
    assert_eq!(lines(&file, "SELECT count(*) || '' FROM revocation_counter").await, ["1"]);
}

#[tokio::test]
async fn nothing_is_migrated_by_looking() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gatepass.db");
    let database = open(file_url(&file)).await;
    assert!(!database.is_migrated().await.unwrap());
    database.close().await;
    assert_eq!(schema(&file).await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_that_migrate_one_empty_file_at_once_all_succeed() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gatepass.db");
        let gate = std::sync::Arc::new(tokio::sync::Barrier::new(8));
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (url, gate) = (file_url(&file), gate.clone());
                tokio::spawn(async move {
                    gate.wait().await;
                    let database = open(url).await;
                    database.migrate().await.unwrap();
                    assert!(database.signing_keys().await.unwrap().is_empty());
                    assert!(database.revocations_after(0).await.unwrap().is_empty());
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(schema(&file).await, SCHEMA);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_programs_that_migrate_one_empty_file_at_once_both_succeed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gatepass.db");
    let programs: Vec<_> = (0..4)
        .map(|_| {
            tokio::process::Command::new(env!("CARGO_BIN_EXE_gatepass"))
                .arg("migrate")
                .env_clear()
                .env("GATEPASS_DATABASE__URL", file_url(&file))
                .env("GATEPASS_DATABASE__ACQUIRE_TIMEOUT", "30s")
                .output()
        })
        .collect();
    for output in futures_util::future::join_all(programs).await {
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(schema(&file).await, SCHEMA);
}

#[tokio::test]
async fn a_migration_that_was_dropped_half_way_is_made_whole_by_the_next() {
    for polls in [1, 2, 3, 5, 8, 13, 21, 34] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gatepass.db");
        let database = open(file_url(&file)).await;
        let mut migrating = Box::pin(database.migrate());
        for _ in 0..polls {
            if futures_util::poll!(&mut migrating).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(migrating);
        database.migrate().await.unwrap();
        database.close().await;
        assert_eq!(schema(&file).await, SCHEMA, "after {polls}");
    }
}

/// Returns the sorted names of all tables and indexes of Gatepass.
async fn names(kept: &TestDatabase) -> Vec<String> {
    let sql = match kept.backend {
        Backend::Sqlite => {
            "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite%' AND name NOT LIKE 'seaql%'"
        }
        Backend::Postgres => {
            "SELECT relname::text AS name FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace \
             WHERE nspname = 'public' AND relkind IN ('r', 'i') AND relname NOT LIKE 'seaql%'"
        }
        Backend::Mariadb => {
            "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() \
             AND table_name NOT LIKE 'seaql%' \
             UNION SELECT CONCAT(table_name, ' ', index_name) FROM information_schema.statistics \
             WHERE table_schema = DATABASE() AND table_name NOT LIKE 'seaql%'"
        }
    };
    let db = kept.connect().await;
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    let mut names: Vec<String> = rows.iter().map(|row| row.try_get("", "name").unwrap()).collect();
    names.sort();
    names
}

async fn up_and_down_and_up(backend: Backend) {
    let kept = TestDatabase::empty(backend).await;
    let database = open(kept.url.clone()).await;
    assert!(!database.is_migrated().await.unwrap());
    assert_eq!(names(&kept).await, [""; 0]);
    database.migrate().await.unwrap();
    let made = names(&kept).await;
    assert!(database.is_migrated().await.unwrap() && made.len() > 20, "{made:?}");
    database.migrate_down().await.unwrap();
    assert!(!database.is_migrated().await.unwrap());
    assert_eq!(names(&kept).await, [""; 0]);
    database.migrate().await.unwrap();
    assert!(database.is_migrated().await.unwrap());
    assert_eq!(names(&kept).await, made);
}

/// Drops a migration after each number of polls. The next migration must complete it.
async fn half_way_and_on(backend: Backend) {
    let whole = TestDatabase::empty(backend).await;
    open(whole.url.clone()).await.migrate().await.unwrap();
    let whole = names(&whole).await;
    for turns in [1, 10, 20, 40, 60, 80, 120, 160] {
        let kept = TestDatabase::empty(backend).await;
        let database = open(kept.url.clone()).await;
        let mut migrating = Box::pin(database.migrate());
        for _ in 0..turns {
            // The driver's own wake-ups decide when a poll comes.
            if tokio::time::timeout(Duration::from_millis(1), &mut migrating).await.is_ok() {
                break;
            }
        }
        drop(migrating);
        open(kept.url.clone()).await.migrate().await.unwrap();
        assert_eq!(names(&kept).await, whole, "after {turns}");
    }
}

/// Several programs start at once on an empty database: the schema is created once, and none of them fails.
async fn programs_at_once(backend: Backend) {
    let kept = TestDatabase::empty(backend).await;
    let programs: Vec<_> = (0..4)
        .map(|_| {
            tokio::process::Command::new(env!("CARGO_BIN_EXE_gatepass"))
                .arg("migrate")
                .env_clear()
                .env("GATEPASS_DATABASE__URL", &kept.url)
                .env("GATEPASS_DATABASE__ACQUIRE_TIMEOUT", "30s")
                .env("GATEPASS_SECRETS", "a secret that no program here will need")
                .output()
        })
        .collect();
    for output in futures_util::future::join_all(programs).await {
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let db = kept.connect().await;
    let sql = "SELECT version AS version FROM seaql_migrations ORDER BY version";
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    let mut versions: Vec<String> = rows.iter().map(|row| row.try_get("", "version").unwrap()).collect();
    let all = versions.len();
    versions.dedup();
    assert!(all >= 7 && versions.len() == all, "{versions:?}");
}

crate::on_servers!(up_and_down_and_up, half_way_and_on, programs_at_once);
