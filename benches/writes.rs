//! `RefreshToken`, and `SignIn` with `IssueToken`, against a bare tonic server in the same run. The bare server sends
//! the same statements through sqlx and answers as many bytes, so the ratio shows the cost that the service adds. There
//! are eight concurrent calls on PostgreSQL and MariaDB, and one on SQLite. Rounds alternate; the benchmark prints the
//! median of the rounds' ratios. The target is at least 0.6. A second ratio compares with the statements alone, without
//! any call. On SQLite, with one call at a time, the wire and the client cost nearly as much as the statements.
//!
//! SQLite always runs; PostgreSQL and MariaDB run if `TEST_POSTGRES_URL` and `TEST_MYSQL_URL` name servers, as with
//! `tests/external/databases.sh --durable cargo bench --bench writes`.
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
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tonic::async_trait;
use tonic::transport::{Channel, Endpoint};
use uuid::Uuid;

#[path = "support/bare.rs"]
mod bare;

#[path = "../tests/it/support/databases.rs"]
#[expect(dead_code, clippy::panic, reason = "the tests use more of it, and stop where something is missing")]
mod databases;

#[path = "support/person.rs"]
mod person;

use bare::Answers;
use databases::{Backend, TestDatabase};

const ROUNDS: usize = 9;
const WANTED: f64 = 0.6;

/// A server in this process, and its client.
struct Service {
    client: AuthServiceClient<Channel>,
    _folder: Option<tempfile::TempDir>,
}

impl Service {
    async fn bare(answers: impl Answers) -> Self {
        Self { client: connect(bare::serve(answers)).await, _folder: None }
    }

    async fn gatepass(database: &TestDatabase) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gatepass.yaml");
        let yaml = format!(
            "server: {{grpc_addr: '127.0.0.1:0', http_addr: '127.0.0.1:0', admin_addr: '127.0.0.1:0'}}\n\
             database: {{url: '{}'}}\nsecrets: ['a secret for the benchmark and nothing else']\n\
             # Every call rotates: no window limits the rotations of a session.\n\
             session: {{refresh_retry_window: 0s}}\n",
            database.url
        );
        std::fs::write(&file, yaml).unwrap();
        let bound = App::new(config::load(Some(&file), []).unwrap()).bind().await.unwrap();
        let (addr, health) = (bound.grpc_addr().unwrap(), bound.health());
        tokio::spawn(bound.run(CancellationToken::new()));
        while !health.is_ready() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Self { client: connect(addr).await, _folder: Some(folder) }
    }

    async fn sign_in(&self, who: &str) -> v1::SignInResponse {
        let mut client = self.client.clone();
        client.sign_in(person::signs_in(who)).await.unwrap().into_inner()
    }

    /// Signs in and redeems the grant.
    async fn tokens(&self, who: &str) -> v1::IssueTokenResponse {
        let mut client = self.client.clone();
        let Some(sign_in_response::Outcome::Allowed(allowed)) = self.sign_in(who).await.outcome else {
            unreachable!()
        };
        let request = v1::IssueTokenRequest { grant: allowed.grant.unwrap(), ..Default::default() };
        client.issue_token(request).await.unwrap().into_inner()
    }

    async fn refresh(&self, token: String) -> v1::RefreshTokenResponse {
        let request = v1::RefreshTokenRequest { refresh_token: token, ..Default::default() };
        self.client.clone().refresh_token(request).await.unwrap().into_inner()
    }
}

async fn connect(addr: std::net::SocketAddr) -> AuthServiceClient<Channel> {
    let channel = Endpoint::from_shared(format!("http://{addr}")).unwrap().connect().await.unwrap();
    AuthServiceClient::new(channel)
}

/// A recorded answer of Gatepass: the bare server returns the same bytes, except for the lane of the request.
struct Answered {
    signed_in: v1::SignInResponse,
    issued: v1::IssueTokenResponse,
    refreshed: v1::RefreshTokenResponse,
}

/// Returns the lane at the end of a name or a token of the yardstick.
fn lane_of(text: &str) -> usize {
    text.rsplit_once('-').unwrap().1.parse().unwrap()
}

/// Returns the text with the same length, ending with this lane.
fn with_lane(text: &str, lane: usize) -> String {
    let lane = format!("-{lane}");
    format!("{}{lane}", &text[..text.len() - lane.len()])
}

/// The statements of the service; `?` stands for a value.
const FIND: &str =
    "SELECT sessions.*, users.* FROM sessions LEFT JOIN users ON sessions.user_id = users.id WHERE";
const ROTATE: &str = "UPDATE sessions SET refresh_count = refresh_count + 1, refresh_hash = ?, previous_hash = ?, \
    generation = ?, salt = ?, rotated_at = ?, predecessors = ?, expires_at = ?, audiences = ?, claims = ?, claims_role = ?, \
    version = version + 1 \
    WHERE id = ? AND refresh_hash = ? AND ended_at IS NULL AND expires_at > ? AND version = ?";
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
    rotated_at = ?, redeemed_at = ?, expires_at = ?, audiences = ?, granted_audiences = ?, claims = ?, pending = NULL, \
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
    session_version: i64,
    /// The session that was opened, and its grant.
    opened: (Uuid, Vec<u8>),
}

fn id() -> Uuid {
    gatepass::model::SessionId::mint(&SystemClock, &OsEntropy).0
}

fn bytes() -> Vec<u8> {
    random::<32>(&OsEntropy).to_vec()
}

/// The work of sqlx alone, on one kind of database.
macro_rules! yardstick {
    ($name:ident, $db:ty, $begin:literal, $numbered:literal) => {
        mod $name {
            use super::*;

            pub struct Raw {
                pub read: sqlx::Pool<$db>,
                pub write: sqlx::Pool<$db>,
            }

            /// A statement in this database's syntax, built once.
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
                         users.version AS version, refresh_hash, sessions.version AS session_version \
                         FROM accounts JOIN users ON users.id = accounts.user_id \
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
                        session_version: row.get("session_version"),
                        opened: (Uuid::nil(), Vec::new()),
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
                        .bind(vec![0u8; 16])
                        .bind(LATER)
                        .bind("[\"gatepass\"]")
                        .bind("{}")
                        .bind("user")
                        .bind(rows.session)
                        .bind(rows.refresh_hash.clone())
                        .bind(NOW)
                        .bind(rows.session_version)
                        .execute(&self.write)
                        .await
                        .unwrap();
                    assert_eq!(done.rows_affected(), 1);
                    rows.refresh_hash = next;
                    rows.session_version += 1;
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

                pub async fn sign_in(&self, rows: &mut Rows) {
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
                    rows.opened = (session, grant);
                }

                pub async fn issue(&self, rows: &Rows) {
                    let (session, grant) = rows.opened.clone();
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

            /// The bare server: it runs a lane's statements, then returns the recorded answer of Gatepass.
            struct Straight {
                raw: Raw,
                lanes: Vec<Mutex<Rows>>,
                answered: Answered,
            }

            #[async_trait]
            impl Answers for std::sync::Arc<Straight> {
                async fn sign_in(&self, request: v1::SignInRequest) -> v1::SignInResponse {
                    let Some(sign_in_request::Credential::Profile(profile)) = request.credential else {
                        unreachable!()
                    };
                    let lane = lane_of(&profile.provider_account_id);
                    self.raw.sign_in(&mut *self.lanes[lane].lock().await).await;
                    let mut answer = self.answered.signed_in.clone();
                    let Some(sign_in_response::Outcome::Allowed(allowed)) = &mut answer.outcome else {
                        unreachable!()
                    };
                    allowed.grant = Some(with_lane(allowed.grant(), lane));
                    answer
                }
                async fn issue_token(&self, request: v1::IssueTokenRequest) -> v1::IssueTokenResponse {
                    self.raw.issue(&*self.lanes[lane_of(&request.grant)].lock().await).await;
                    self.answered.issued.clone()
                }
                async fn refresh_token(&self, request: v1::RefreshTokenRequest) -> v1::RefreshTokenResponse {
                    let lane = lane_of(&request.refresh_token);
                    self.raw.refresh(&mut *self.lanes[lane].lock().await).await;
                    let mut answer = self.answered.refreshed.clone();
                    answer.refresh_token = request.refresh_token;
                    answer
                }
            }

            impl Straight {
                /// Runs the statements without a call around them.
                async fn alone(&self, what: What, lane: usize) {
                    let mut rows = self.lanes[lane].lock().await;
                    match what {
                        What::Refresh => self.raw.refresh(&mut rows).await,
                        What::SignIn => {
                            self.raw.sign_in(&mut rows).await;
                            self.raw.issue(&rows).await;
                        }
                    }
                }
            }

            /// Measures on an empty database.
            pub async fn measure(database: &TestDatabase, raw: Raw, lanes: usize, calls: usize) {
                let ours = std::sync::Arc::new(Service::gatepass(database).await);
                let signed_in = ours.sign_in("sample-0").await;
                let issued = ours.tokens("sample-0").await;
                let refreshed = ours.refresh(issued.refresh_token.clone()).await;
                let (mut tokens, mut bare_tokens, mut rows) = (Vec::new(), Vec::new(), Vec::new());
                for lane in 0..lanes {
                    tokens.push(ours.tokens(&format!("ours-{lane}")).await.refresh_token);
                    ours.tokens(&format!("theirs-{lane}")).await;
                    rows.push(Mutex::new(raw.rows_of(&format!("theirs-{lane}")).await));
                    bare_tokens.push(with_lane(&refreshed.refresh_token, lane));
                }
                let answered = Answered { signed_in, issued, refreshed };
                let straight = std::sync::Arc::new(Straight { raw, lanes: rows, answered });
                let bare = std::sync::Arc::new(Service::bare(straight.clone()).await);
                for (what, name, calls) in
                    [(What::Refresh, "RefreshToken", calls), (What::SignIn, "SignIn and IssueToken", calls / 2)]
                {
                    let mut rounds = Vec::new();
                    for _ in 0..=ROUNDS {
                        let begin = Instant::now();
                        tokens = through(&ours, what, "ours", tokens, calls).await;
                        let real = begin.elapsed();
                        let begin = Instant::now();
                        bare_tokens = through(&bare, what, "theirs", bare_tokens, calls).await;
                        let yardstick = begin.elapsed();
                        let begin = Instant::now();
                        at_once((0..lanes).collect(), |lane: usize| {
                            let straight = straight.clone();
                            async move {
                                for _ in 0..calls {
                                    straight.alone(what, lane).await;
                                }
                            }
                        })
                        .await;
                        rounds.push([real, yardstick, begin.elapsed()]);
                    }
                    // The first round warms everything up.
                    rounds.remove(0);
                    report(stringify!($name), name, lanes, lanes * calls, &rounds);
                }
            }
        }
    };
}

/// A measured call.
#[derive(Clone, Copy)]
enum What {
    Refresh,
    SignIn,
}

/// Makes this many calls in each lane, and returns the live tokens.
async fn through(
    service: &std::sync::Arc<Service>,
    what: What,
    whose: &'static str,
    tokens: Vec<String>,
    calls: usize,
) -> Vec<String> {
    at_once(tokens.into_iter().enumerate().collect(), |(lane, mut token)| {
        let service = service.clone();
        async move {
            for _ in 0..calls {
                match what {
                    What::Refresh => token = service.refresh(token).await.refresh_token,
                    What::SignIn => drop(service.tokens(&format!("{whose}-{lane}")).await),
                }
            }
            token
        }
    })
    .await
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

fn report(database: &str, what: &str, lanes: usize, calls: usize, rounds: &[[Duration; 3]]) {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let calls = calls as f64;
    let ratio_to = |other: usize| {
        median(rounds.iter().map(|times| times[other].as_secs_f64() / times[0].as_secs_f64()).collect())
    };
    let a_second =
        |whose: usize| median(rounds.iter().map(|times| calls / times[whose].as_secs_f64()).collect());
    let (ratio, alone) = (ratio_to(1), ratio_to(2));
    let verdict = if ratio >= WANTED { "ok" } else { "BELOW" };
    println!(
        "{what} on {database}, {lanes} at a time: {ratio:.2} of the bare server (wanted {WANTED}): {verdict}; \
         {alone:.2} of the statements alone"
    );
    println!(
        "  calls per second: {:.0}; the bare server {:.0}; the statements alone {:.0}",
        a_second(0),
        a_second(1),
        a_second(2)
    );
}

async fn on_sqlite() {
    use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
    let database = TestDatabase::of_file();
    let options: SqliteConnectOptions = database.url.parse().unwrap();
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let pool = || SqlitePoolOptions::new().max_connections(1).test_before_acquire(false);
    let (read, write) = (pool().connect_lazy_with(options.clone()), pool().connect_lazy_with(options));
    sqlite::measure(&database, sqlite::Raw { read, write }, 1, 600).await;
}

async fn on_postgres() {
    let database = TestDatabase::empty(Backend::Postgres).await;
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(10).test_before_acquire(false);
    let read = pool.connect_lazy(&database.url).unwrap();
    postgres::measure(&database, postgres::Raw { write: read.clone(), read }, 8, 300).await;
}

async fn on_mariadb() {
    let database = TestDatabase::empty(Backend::Mariadb).await;
    let pool = sqlx::mysql::MySqlPoolOptions::new().max_connections(10).test_before_acquire(false);
    let read = pool.connect_lazy(&database.url).unwrap();
    mariadb::measure(&database, mariadb::Raw { write: read.clone(), read }, 8, 300).await;
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
