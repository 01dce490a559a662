//! A complete Gatepass for one test: its own database, free ports, a manual clock, and real clients.

pub mod callback_service;
pub mod callers;
pub mod crowd;
pub mod databases;
pub mod foreign;
pub mod gate;
pub mod hooks;
pub mod invariants;
pub mod jwt;
pub mod keys;
pub mod load;
pub mod log;
pub mod metrics;
pub mod people;
pub mod program;
pub mod provider;
pub mod proxy;
pub mod replica;
pub mod servers;
pub mod signing_in;
pub mod soak;
pub mod strategy;
pub mod tls;
pub mod wire;
pub mod witness;

use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatepass::app::App;
use gatepass::auth::Callbacks;
use gatepass::config::{self, Config};
use gatepass::grpc::mount::Mount;
use gatepass::grpc::proto::v1::admin_service_client::AdminServiceClient;
use gatepass::grpc::proto::v1::auth_service_client::AuthServiceClient;
use gatepass::grpc::proto::v1::{
    IssueTokenRequest, IssueTokenResponse, ProfileCredential, ResolveRedirectRequest,
    ResolveRedirectResponse, SignInAllowed, SignInRequest, sign_in_request, sign_in_response,
};
use gatepass::model::{ManualClock, Timestamp};
use sea_orm::{ConnectionTrait, Statement};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};
use tonic_types::StatusExt as _;

use databases::{Backend, TestDatabase};

/// 2026-01-01T00:00:00Z, the start time of every test.
pub const START: Timestamp = Timestamp(1_767_225_600_000);

/// The folder of the PEM files that tests sign with.
pub const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/keys");

/// A Gatepass before its start.
pub struct Builder {
    yaml: String,
    callbacks: Option<Box<dyn FnOnce(App) -> App>>,
    place: Place,
}

/// The environment of an app; deleted with the last of its replicas.
#[derive(Clone)]
pub struct Place {
    pub folder: Arc<TempDir>,
    pub database: Arc<TestDatabase>,
    pub clock: Arc<ManualClock>,
}

impl Builder {
    /// Adds configuration sections that the test does not have yet.
    pub fn config(mut self, yaml: &str) -> Self {
        self.yaml.push_str(yaml);
        self.yaml.push('\n');
        self
    }

    /// Adds keys to the `server` section.
    pub fn server(mut self, keys: &str) -> Self {
        self.yaml = self.yaml.replace("server: {", &format!("server: {{{keys}, "));
        self
    }

    /// Adds callbacks.
    pub fn callbacks(mut self, callbacks: impl Callbacks) -> Self {
        self.callbacks = Some(Box::new(move |app| app.callbacks(callbacks)));
        self
    }

    /// Adds services.
    pub fn services(mut self, services: impl IntoIterator<Item = Mount> + 'static) -> Self {
        self.callbacks = Some(Box::new(move |app| services.into_iter().fold(app, App::service)));
        self
    }

    /// Starts the app and waits until it is ready.
    pub async fn start(self) -> TestApp {
        start(strategy::of_this_test(self.yaml), self.callbacks, self.place).await
    }
}

/// A running Gatepass.
pub struct TestApp {
    pub auth: AuthServiceClient<Channel>,
    pub admin: AdminServiceClient<Channel>,
    pub channel: Channel,
    pub clock: Arc<ManualClock>,
    pub place: Place,
    pub http_addr: std::net::SocketAddr,
    pub admin_addr: std::net::SocketAddr,
    pub grpc_addr: std::net::SocketAddr,
    statements: Arc<Mutex<Vec<String>>>,
    yaml: String,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

/// Starts a Gatepass with defaults: a new database, one ES256 key from [`KEYS`], no callers.
pub async fn app() -> TestApp {
    builder().start().await
}

/// Builds the same Gatepass for further configuration. The sections `server`, `database` and `secrets` are set.
pub fn builder() -> Builder {
    on(TestDatabase::of_this_run())
}

/// Builds the same Gatepass on this kind of database.
pub async fn builder_on(backend: Backend) -> Builder {
    on(TestDatabase::empty(backend).await)
}

/// Builds the same Gatepass on a copy of this SQLite database, a few seconds after the last change in it.
pub fn builder_on_a_copy_of(file: &Path) -> Builder {
    let database = TestDatabase::of_file();
    let path = database.url.trim_start_matches("sqlite://").split('?').next().unwrap().to_owned();
    std::fs::copy(file, path).unwrap();
    let builder = on(database);
    builder.place.clock.advance(Duration::from_secs(5));
    builder
}

/// Builds the same Gatepass on a database with the content of this dump, a few seconds after the last change in it.
pub async fn builder_on_a_dump(backend: Backend, sql: &str) -> Builder {
    let builder = builder_on(backend).await;
    builder.place.database.execute(sql).await;
    builder.place.clock.advance(Duration::from_secs(5));
    builder
}

fn on(database: TestDatabase) -> Builder {
    let yaml = format!(
        "server: {{grpc_addr: '127.0.0.1:0', http_addr: '127.0.0.1:0', admin_addr: '127.0.0.1:0'}}\n\
         database: {{url: '{}'}}\n\
         secrets: ['the first secret of a test, long enough']\n",
        database.url
    );
    let place = Place {
        folder: Arc::new(tempfile::tempdir().unwrap()),
        database: Arc::new(database),
        clock: Arc::new(ManualClock::at(START)),
    };
    Builder { yaml, callbacks: None, place }
}

/// Builds the `tokens` section with the ES256 key that [`forge`](super::support) knows, and more settings.
pub fn tokens(more: &str) -> String {
    format!("tokens: {{signing_keys: ['{KEYS}/es256.pem']{}{more}}}", if more.is_empty() { "" } else { ", " })
}

/// Reads a configuration from a file, as the program does.
fn read_config(yaml: &str, place: &Place) -> Config {
    let mut file = tempfile::NamedTempFile::new_in(place.folder.path()).unwrap();
    file.write_all(yaml.as_bytes()).unwrap();
    config::load(Some(file.path()), []).unwrap_or_else(|faults| panic!("{faults}"))
}

async fn start(yaml: String, callbacks: Option<Box<dyn FnOnce(App) -> App>>, place: Place) -> TestApp {
    let clock = Arc::clone(&place.clock);
    let config = read_config(&yaml, &place);
    let statements = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&statements);
    let mut app = App::new(config)
        .clock(Arc::clone(&clock) as _)
        .observe_statements(move |sql| seen.lock().unwrap().push(sql.to_owned()));
    if let Some(add) = callbacks {
        app = add(app);
    }
    let bound = app.bind().await.unwrap();
    let health = bound.health();
    let addrs = [bound.grpc_addr(), bound.admin_addr(), bound.http_addr()].map(Option::unwrap);
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    let task = tokio::spawn(async move { bound.run(stop).await.unwrap() });
    while !health.is_ready() {
        assert!(!task.is_finished(), "the app did not start");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    place.database.number_rows().await;
    let channel = Endpoint::from_shared(format!("http://{}", addrs[0])).unwrap().connect().await.unwrap();
    TestApp {
        auth: AuthServiceClient::new(channel.clone()),
        admin: AdminServiceClient::new(channel.clone()),
        channel,
        clock,
        place,
        http_addr: addrs[2],
        admin_addr: addrs[1],
        grpc_addr: addrs[0],
        statements,
        yaml,
        shutdown,
        task,
    }
}

impl TestApp {
    /// Stops the app as SIGTERM would, and starts it again on the same files. `change` may edit the configuration.
    pub async fn restart(self, change: impl FnOnce(String) -> String) -> Self {
        let Self { place, yaml, shutdown, task, .. } = self;
        shutdown.cancel();
        task.await.unwrap();
        start(change(yaml), None, place).await
    }

    /// Starts another replica on the same database and clock. `change` may edit its configuration.
    pub async fn replica(&self, change: impl FnOnce(String) -> String) -> Self {
        start(change(self.yaml.clone()), None, self.place.clone()).await
    }

    /// Builds another replica, which can still get callbacks.
    pub fn beside(&self) -> Builder {
        Builder { yaml: self.yaml.clone(), callbacks: None, place: self.place.clone() }
    }

    /// Runs a statement.
    pub async fn execute(&self, sql: &str) {
        self.place.database.execute(sql).await;
    }

    /// Returns the configuration of the app. `change` may edit it.
    pub fn config(&self, change: impl FnOnce(String) -> String) -> Config {
        read_config(&change(self.yaml.clone()), &self.place)
    }

    /// Stops the app as SIGTERM would.
    pub async fn stop(self) -> Place {
        self.shutdown.cancel();
        self.task.await.unwrap();
        self.place
    }

    /// Returns the SQL statements since the last call, without the ends of transactions and the background reads.
    /// Background reads are the feed with the users that it names, the database's clock, the signing keys and the pages
    /// of the sweeper.
    pub fn take_statements(&self) -> Vec<String> {
        let by_itself = |sql: &String| {
            reads(sql, "signing_keys")
                || reads(sql, "users") && sql.contains(" IN (")
                || sql.ends_with(" AS reads_only")
                || sql.ends_with(" AS millis")
                || sql.contains(" ORDER BY ") && sql.contains(" LIMIT ")
        };
        self.take_all_statements().into_iter().filter(|sql| !by_itself(sql)).collect()
    }

    /// Counts the reads of the signing keys since the last call, by a poll or for a request.
    pub fn take_readings_of_keys(&self) -> usize {
        self.take_all_statements().iter().filter(|sql| reads(sql, "signing_keys")).count()
    }

    fn take_all_statements(&self) -> Vec<String> {
        std::mem::take(&mut *self.statements.lock().unwrap())
    }

    /// Returns the rows of a query, each column as text: bytes and ids in upper-case hexadecimal, null as an empty
    /// text.
    pub async fn query(&self, sql: &str) -> Vec<Vec<String>> {
        let db = self.place.database.connect().await;
        let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
        let texts =
            |row: &sea_orm::QueryResult| (0..row.column_names().len()).map(|at| text(row, at)).collect();
        rows.iter().map(texts).collect()
    }

    /// Returns the auth log, oldest first: `ACTION OUTCOME REASON`.
    pub async fn log(&self) -> Vec<String> {
        let sql = "SELECT action || ' ' || outcome || ' ' || coalesce(reason, '') AS line FROM auth_logs ORDER BY rowid";
        let rows = self.query(sql).await;
        rows.into_iter().map(|mut row| row.remove(0).trim_end().to_owned()).collect()
    }

    /// Signs a person in, with a verified e-mail of the same name.
    pub async fn sign_in(&self, who: &str) -> SignInAllowed {
        allowed(self.auth.clone().sign_in(profile(who)).await)
    }

    /// Signs a person in and redeems the grant.
    pub async fn tokens(&self, who: &str) -> IssueTokenResponse {
        let grant = self.sign_in(who).await.grant.unwrap();
        self.issue(&grant).await.unwrap()
    }

    /// Resolves a redirect URL against the default base.
    pub async fn resolve(&self, url: &str) -> Result<ResolveRedirectResponse, Status> {
        let request = ResolveRedirectRequest { url: url.to_owned(), base_url: String::new() };
        self.auth.clone().resolve_redirect(request).await.map(Response::into_inner)
    }

    /// Redeems a grant.
    pub async fn issue(&self, grant: &str) -> Result<IssueTokenResponse, Status> {
        let request = IssueTokenRequest { grant: grant.to_owned(), ..Default::default() };
        self.auth.clone().issue_token(request).await.map(Response::into_inner)
    }
}

/// Converts a column of any type and database to text.
fn text(row: &sea_orm::QueryResult, at: usize) -> String {
    if let Ok(text) = row.try_get_by_index::<Option<String>>(at) {
        return text.unwrap_or_default();
    }
    if let Ok(number) = row.try_get_by_index::<Option<i64>>(at) {
        return number.map(|number| number.to_string()).unwrap_or_default();
    }
    if let Ok(yes) = row.try_get_by_index::<Option<bool>>(at) {
        return yes.map(|yes| u8::from(yes).to_string()).unwrap_or_default();
    }
    let bytes = row
        .try_get_by_index::<Option<sea_orm::prelude::Uuid>>(at)
        .map(|id| id.map(|id| id.as_bytes().to_vec()))
        .or_else(|_| row.try_get_by_index::<Option<Vec<u8>>>(at));
    bytes.unwrap().map(hex::encode_upper).unwrap_or_default()
}

fn reads(sql: &str, table: &str) -> bool {
    ["\"", "`"].iter().any(|quote| sql.contains(&format!("FROM {quote}{table}{quote}")))
}

/// Waits until a condition holds. After a minute it fails the test with the name of the condition.
pub async fn eventually<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let begin = std::time::Instant::now();
    while !is_so().await {
        assert!(begin.elapsed() < Duration::from_mins(1), "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Builds a sign-in of the provider `github` for a person with a verified e-mail of the same name.
pub fn profile(who: &str) -> SignInRequest {
    credential(ProfileCredential {
        provider: "github".to_owned(),
        provider_account_id: who.to_owned(),
        email: Some(format!("{who}@example.com")),
        email_verified: true,
        name: Some(who.to_owned()),
        ..Default::default()
    })
}

/// Builds a sign-in with this profile.
pub fn credential(profile: ProfileCredential) -> SignInRequest {
    SignInRequest { credential: Some(sign_in_request::Credential::Profile(profile)), ..Default::default() }
}

/// Returns the result of a sign-in that must be allowed.
pub fn allowed(answer: Result<Response<gatepass::grpc::proto::v1::SignInResponse>, Status>) -> SignInAllowed {
    match answer.unwrap().into_inner().outcome {
        Some(sign_in_response::Outcome::Allowed(allowed)) => allowed,
        other => panic!("not allowed: {other:?}"),
    }
}

/// Builds a request with a caller's key.
pub fn with_key<T>(message: T, key: &str) -> Request<T> {
    let mut request = Request::new(message);
    let value = AsciiMetadataValue::try_from(format!("Bearer {key}")).unwrap();
    request.metadata_mut().insert("authorization", value);
    request
}

/// Returns the code and the reason of an error. The reason must be the same in the details and in the trailer.
pub fn refusal<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    let status = answer.expect_err("a refusal");
    let details = status.get_error_details();
    let info = details.error_info().unwrap_or_else(|| panic!("no ErrorInfo: {status:?}"));
    assert_eq!(info.domain, "gatepass.v1");
    assert_eq!(status.metadata().get("gatepass-reason").unwrap().to_str().unwrap(), info.reason);
    assert_eq!(details.bad_request().is_some(), status.code() == Code::InvalidArgument, "{status:?}");
    (status.code(), info.reason.clone())
}

/// Returns the reason of an error.
pub fn reason<T: std::fmt::Debug>(answer: Result<T, Status>) -> String {
    refusal(answer).1
}
