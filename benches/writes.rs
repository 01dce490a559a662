//! `RefreshToken`, and `SignIn` with `IssueToken`, against the same statements sent straight through sqlx, in the same run:
//! what the service adds to its database. Eight at a time on PostgreSQL and MariaDB, one on SQLite; rounds alternate, and
//! what is printed is the median of the rounds' ratios. At least 0.6 is wanted.
//!
//! SQLite always; PostgreSQL and MariaDB where `TEST_POSTGRES_URL` and `TEST_MYSQL_URL` name servers, as
//! `tests/external/databases.sh --durable cargo bench --bench writes` does.
#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_types,
    reason = "a program for a person at a terminal"
)]

use std::time::{Duration, Instant};

use gatepass::app::App;
use gatepass::config;
use gatepass::grpc::proto::v1::auth_service_client::AuthServiceClient;
use gatepass::grpc::proto::v1::{self, sign_in_request, sign_in_response};
use gatepass::model::{OsEntropy, SystemClock, random};
use sqlx::{MySql, Postgres, Sqlite};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};
use uuid::Uuid;

#[path = "../tests/it/support/databases.rs"]
#[expect(dead_code, clippy::panic, reason = "the tests use more of it, and stop where something is missing")]
mod databases;

use databases::{Backend, TestDatabase};

const ROUNDS: usize = 9;
const WANTED: f64 = 0.6;

/// A Gatepass in this process.
struct Service {
    client: AuthServiceClient<Channel>,
    _folder: tempfile::TempDir,
}

impl Service {
    async fn start(database: &TestDatabase) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gatepass.yaml");
        let yaml = format!(
            "server: {{grpc_addr: '127.0.0.1:0', http_addr: '127.0.0.1:0', admin_addr: '127.0.0.1:0'}}\n\
             database: {{url: '{}'}}\nsecrets: ['a secret for the benchmark and nothing else']\n",
            database.url
        );
        std::fs::write(&file, yaml).unwrap();
        let bound = App::new(config::load(Some(&file), []).unwrap()).bind().await.unwrap();
        let (addr, health) = (bound.grpc_addr().unwrap(), bound.health());
        tokio::spawn(bound.run(CancellationToken::new()));
        while !health.is_ready() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let channel = Endpoint::from_shared(format!("http://{addr}")).unwrap().connect().await.unwrap();
        Self { client: AuthServiceClient::new(channel), _folder: folder }
    }

    /// Signs in and redeems.
    async fn tokens(&self, who: &str) -> v1::IssueTokenResponse {
        let mut client = self.client.clone();
        let profile = v1::ProfileCredential {
            provider: "github".to_owned(),
            provider_account_id: who.to_owned(),
            email: Some(format!("{who}@example.com")),
            email_verified: true,
            name: Some("Ada Lovelace".to_owned()),
            ..Default::default()
        };
        let credential = Some(sign_in_request::Credential::Profile(profile));
        let signed_in = client.sign_in(v1::SignInRequest { credential, ..Default::default() }).await.unwrap();
        let Some(sign_in_response::Outcome::Allowed(allowed)) = signed_in.into_inner().outcome else {
            unreachable!()
        };
        let request = v1::IssueTokenRequest { grant: allowed.grant.unwrap(), ..Default::default() };
        client.issue_token(request).await.unwrap().into_inner()
    }

    async fn refresh(&self, token: String) -> String {
        let request = v1::RefreshTokenRequest { refresh_token: token, ..Default::default() };
        self.client.clone().refresh_token(request).await.unwrap().into_inner().refresh_token
    }
}

/// The statements of the service; `?` stands for a value.
const FIND: &str =
    "SELECT sessions.*, users.* FROM sessions LEFT JOIN users ON sessions.user_id = users.id WHERE";
const ROTATE: &str = "UPDATE sessions SET refresh_count = refresh_count + 1, refresh_hash = ?, previous_hash = ?, \
    generation = ?, salt = ?, rotated_at = ?, expires_at = ?, audiences = ?, claims = ?, version = version + 1 \
    WHERE id = ? AND refresh_hash = ? AND ended_at IS NULL AND expires_at > ?";
const FIND_ACCOUNT: &str = "SELECT accounts.*, users.* FROM accounts LEFT JOIN users ON accounts.user_id = users.id \
    WHERE account_key = ? LIMIT 1";
const SIGNED_IN: &str = "UPDATE users SET email = ?, email_key = ?, email_verified = ?, name = ?, image = ?, role = ?, \
    banned = ?, epoch = ?, version = ?, updated_at = ?, last_sign_in_at = ? WHERE id = ? AND version = ?";
const OPEN: &str = "INSERT INTO sessions (id, user_id, account_id, provider, caller_group, epoch, authenticated_at, \
    expires_at, grant_hash, grant_expires_at, generation, audiences, claims, pending, version, refresh_count) \
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const LOG: &str = "INSERT INTO auth_logs (id, created_at, action, outcome, user_id, email, provider, session_id, \
    caller, ip_address, request_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const REDEEM: &str = "UPDATE sessions SET refresh_hash = ?, previous_hash = NULL, generation = 0, salt = ?, \
    rotated_at = ?, redeemed_at = ?, expires_at = ?, audiences = ?, claims = ?, pending = NULL, \
    version = version + 1 WHERE id = ? AND redeemed_at IS NULL AND ended_at IS NULL AND grant_expires_at > ?";

const NOW: i64 = 1_767_225_600_000;
const LATER: i64 = 4_000_000_000_000;

/// A row that the yardstick writes to.
#[derive(Clone)]
struct Rows {
    session: Uuid,
    user: Uuid,
    account: Uuid,
    account_key: Vec<u8>,
    version: i64,
    refresh_hash: Vec<u8>,
}

fn id() -> Uuid {
    gatepass::model::SessionId::mint(&SystemClock, &OsEntropy).0
}

fn bytes() -> Vec<u8> {
    random::<32>(&OsEntropy).to_vec()
}

/// What sqlx alone does, on one kind of database.
macro_rules! yardstick {
    ($name:ident, $db:ty, $begin:literal, $numbered:literal) => {
        mod $name {
            use super::*;

            pub struct Raw {
                pub read: sqlx::Pool<$db>,
                pub write: sqlx::Pool<$db>,
            }

            /// A statement in this database's words, once.
            macro_rules! sql {
                ($text:expr) => {{
                    static SQL: std::sync::LazyLock<&'static str> = std::sync::LazyLock::new(|| {
                        let mut sql = String::new();
                        let mut number = 0;
                        for c in $text.chars() {
                            if c == '?' && $numbered {
                                number += 1;
                                sql.push_str(&format!("${number}"));
                            } else {
                                sql.push(c);
                            }
                        }
                        Box::leak(sql.into_boxed_str())
                    });
                    sqlx::query::<$db>(*SQL)
                }};
            }

            impl Raw {
                pub async fn rows_of(&self, account: &str) -> Rows {
                    use sqlx::Row;
                    let row = sql!(
                        "SELECT sessions.id AS session, users.id AS person, accounts.id AS account, account_key, \
                         users.version AS version, refresh_hash FROM accounts JOIN users ON users.id = user_id \
                         JOIN sessions ON sessions.account_id = accounts.id WHERE provider_account_id = ?"
                    )
                    .bind(account)
                    .fetch_one(&self.read)
                    .await
                    .unwrap();
                    Rows {
                        session: row.get("session"),
                        user: row.get("person"),
                        account: row.get("account"),
                        account_key: row.get("account_key"),
                        version: row.get("version"),
                        refresh_hash: row.get("refresh_hash"),
                    }
                }

                pub async fn refresh(&self, rows: &mut Rows) {
                    let find = sql!(format!("{FIND} sessions.id = ? LIMIT 1"));
                    find.bind(rows.session).fetch_one(&self.read).await.unwrap();
                    let next = bytes();
                    let done = sql!(ROTATE)
                        .bind(next.clone())
                        .bind(rows.refresh_hash.clone())
                        .bind(1i64)
                        .bind(bytes())
                        .bind(NOW)
                        .bind(LATER)
                        .bind("[\"gatepass\"]")
                        .bind("{}")
                        .bind(rows.session)
                        .bind(rows.refresh_hash.clone())
                        .bind(NOW)
                        .execute(&self.write)
                        .await
                        .unwrap();
                    assert_eq!(done.rows_affected(), 1);
                    rows.refresh_hash = next;
                }

                async fn log(tx: &mut sqlx::Transaction<'_, $db>, rows: &Rows, session: Uuid, action: &str) {
                    sql!(LOG)
                        .bind(id())
                        .bind(NOW)
                        .bind(action.to_owned())
                        .bind("SUCCESS")
                        .bind(rows.user)
                        .bind("ada@example.com")
                        .bind("github")
                        .bind(session)
                        .bind("local")
                        .bind(None::<String>)
                        .bind("0190163d-8694-739b-80cf-f63a7d4c5f6a")
                        .execute(&mut **tx)
                        .await
                        .unwrap();
                }

                pub async fn sign_in(&self, rows: &Rows) {
                    let find = sql!(FIND_ACCOUNT);
                    find.bind(rows.account_key.clone()).fetch_one(&self.read).await.unwrap();
                    let (session, grant) = (id(), bytes());
                    let mut tx = self.write.begin_with($begin).await.unwrap();
                    let done = sql!(SIGNED_IN)
                        .bind("ada@example.com")
                        .bind(rows.account_key.clone())
                        .bind(true)
                        .bind("Ada Lovelace")
                        .bind(None::<String>)
                        .bind("user")
                        .bind(false)
                        .bind(0i64)
                        .bind(rows.version)
                        .bind(NOW)
                        .bind(NOW)
                        .bind(rows.user)
                        .bind(rows.version)
                        .execute(&mut *tx)
                        .await
                        .unwrap();
                    assert_eq!(done.rows_affected(), 1);
                    sql!(OPEN)
                        .bind(session)
                        .bind(rows.user)
                        .bind(rows.account)
                        .bind("github")
                        .bind("local")
                        .bind(0i64)
                        .bind(NOW)
                        .bind(LATER)
                        .bind(grant.clone())
                        .bind(LATER)
                        .bind(0i64)
                        .bind("[]")
                        .bind("{}")
                        .bind(vec![7u8; 400])
                        .bind(0i64)
                        .bind(0i64)
                        .execute(&mut *tx)
                        .await
                        .unwrap();
                    Self::log(&mut tx, rows, session, "SIGN_IN").await;
                    tx.commit().await.unwrap();
                    let find = sql!(format!("{FIND} grant_hash = ? LIMIT 1"));
                    find.bind(grant).fetch_one(&self.read).await.unwrap();
                    let mut tx = self.write.begin_with($begin).await.unwrap();
                    let done = sql!(REDEEM)
                        .bind(bytes())
                        .bind(bytes())
                        .bind(NOW)
                        .bind(NOW)
                        .bind(LATER)
                        .bind("[\"gatepass\"]")
                        .bind("{}")
                        .bind(session)
                        .bind(NOW)
                        .execute(&mut *tx)
                        .await
                        .unwrap();
                    assert_eq!(done.rows_affected(), 1);
                    Self::log(&mut tx, rows, session, "TOKEN_ISSUED").await;
                    tx.commit().await.unwrap();
                }
            }

            /// Measures both on an empty database.
            pub async fn measure(database: &TestDatabase, raw: Raw, lanes: usize, calls: usize) {
                let service = std::sync::Arc::new(Service::start(database).await);
                let raw = std::sync::Arc::new(raw);
                let mut ours = Vec::new();
                let mut theirs = Vec::new();
                for lane in 0..lanes {
                    ours.push(service.tokens(&format!("ours{lane}")).await.refresh_token);
                    service.tokens(&format!("theirs{lane}")).await;
                    theirs.push(raw.rows_of(&format!("theirs{lane}")).await);
                }
                let mut refreshes = Vec::new();
                let mut sign_ins = Vec::new();
                for round in 0..=ROUNDS {
                    let begin = Instant::now();
                    ours = at_once(ours, |token| {
                        let service = service.clone();
                        async move {
                            let mut token = token;
                            for _ in 0..calls {
                                token = service.refresh(token).await;
                            }
                            token
                        }
                    })
                    .await;
                    let real = begin.elapsed();
                    let begin = Instant::now();
                    theirs = at_once(theirs, |rows| {
                        let raw = raw.clone();
                        async move {
                            let mut rows = rows;
                            for _ in 0..calls {
                                raw.refresh(&mut rows).await;
                            }
                            rows
                        }
                    })
                    .await;
                    refreshes.push((real, begin.elapsed()));
                    let begin = Instant::now();
                    at_once((0..lanes).collect(), |lane: usize| {
                        let service = service.clone();
                        async move {
                            for _ in 0..calls / 2 {
                                service.tokens(&format!("ours{lane}")).await;
                            }
                        }
                    })
                    .await;
                    let real = begin.elapsed();
                    let begin = Instant::now();
                    at_once(theirs.clone(), |rows| {
                        let raw = raw.clone();
                        async move {
                            for _ in 0..calls / 2 {
                                raw.sign_in(&rows).await;
                            }
                        }
                    })
                    .await;
                    sign_ins.push((real, begin.elapsed()));
                    if round == 0 {
                        // The first warms both up.
                        refreshes.clear();
                        sign_ins.clear();
                    }
                }
                report(stringify!($name), "RefreshToken", lanes, lanes * calls, &refreshes);
                report(stringify!($name), "SignIn and IssueToken", lanes, lanes * (calls / 2), &sign_ins);
            }
        }
    };
}

yardstick!(sqlite, Sqlite, "BEGIN IMMEDIATE", false);
yardstick!(postgres, Postgres, "BEGIN", true);
yardstick!(mariadb, MySql, "BEGIN", false);

async fn at_once<I, T, F>(lanes: Vec<I>, work: impl Fn(I) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = lanes.into_iter().map(|lane| tokio::spawn(work(lane))).collect();
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await.unwrap());
    }
    done
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn report(database: &str, what: &str, lanes: usize, calls: usize, rounds: &[(Duration, Duration)]) {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let calls = calls as f64;
    let ratio = median(rounds.iter().map(|(real, raw)| raw.as_secs_f64() / real.as_secs_f64()).collect());
    let ours = median(rounds.iter().map(|(real, _)| calls / real.as_secs_f64()).collect());
    let theirs = median(rounds.iter().map(|(_, raw)| calls / raw.as_secs_f64()).collect());
    let verdict = if ratio >= WANTED { "ok" } else { "BELOW" };
    println!(
        "{what} on {database}, {lanes} at a time: {ratio:.2} of the yardstick (wanted {WANTED}): {verdict}"
    );
    println!("  calls per second: {ours:.0} against {theirs:.0}");
}

async fn on_sqlite() {
    use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
    let database = TestDatabase::of_file();
    let options: SqliteConnectOptions = database.url.parse().unwrap();
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let pool = || SqlitePoolOptions::new().max_connections(1).test_before_acquire(false);
    let (read, write) = (pool().connect_lazy_with(options.clone()), pool().connect_lazy_with(options));
    sqlite::measure(&database, sqlite::Raw { read, write }, 1, 400).await;
}

async fn on_postgres() {
    let database = TestDatabase::empty(Backend::Postgres).await;
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(10).test_before_acquire(false);
    let read = pool.connect_lazy(&database.url).unwrap();
    postgres::measure(&database, postgres::Raw { write: read.clone(), read }, 8, 100).await;
}

async fn on_mariadb() {
    let database = TestDatabase::empty(Backend::Mariadb).await;
    let pool = sqlx::mysql::MySqlPoolOptions::new().max_connections(10).test_before_acquire(false);
    let read = pool.connect_lazy(&database.url).unwrap();
    mariadb::measure(&database, mariadb::Raw { write: read.clone(), read }, 8, 100).await;
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        on_sqlite().await;
        for (variable, kind) in
            [("TEST_POSTGRES_URL", Backend::Postgres), ("TEST_MYSQL_URL", Backend::Mariadb)]
        {
            match (std::env::var(variable), kind) {
                (Err(_), _) => println!("{kind:?}: not measured, {variable} is not set"),
                (Ok(_), Backend::Mariadb) => on_mariadb().await,
                (Ok(_), _) => on_postgres().await,
            }
        }
    });
}
