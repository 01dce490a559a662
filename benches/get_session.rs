//! `GetSession` against a bare tonic server that answers the same message with nothing behind it, in the same run.
//!
//! Each server has one worker thread of its own, the client another runtime; rounds alternate between the servers so
//! that a noisy machine is noisy to both. On two cores the client is the slower half, so calls a second by the clock
//! say little: what is compared is calls a second of the worker thread's own processor time, as the kernel counts it
//! (`/proc/thread-self/schedstat`). What is printed is the median of the rounds' ratios.
//! - warm: one token, asked again and again; at least 0.85 of the bare server.
//! - warm reference: the same of `session.strategy: database`, its rows read once a second.
//! - cold: each token seen once; at least 0.9 of the bare server that does one `jsonwebtoken::decode` a call.
#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_types,
    reason = "a program for a person at a terminal"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatepass::app::App;
use gatepass::config;
use gatepass::grpc::proto::v1::auth_service_client::AuthServiceClient;
use gatepass::grpc::proto::v1::{self, get_session_request, sign_in_request, sign_in_response};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, async_trait};

#[path = "support/bare.rs"]
mod bare;
#[path = "support/processor_time.rs"]
mod processor_time;

use bare::Answers;

const CONNECTIONS: usize = 4;
const IN_FLIGHT: usize = 16;
const ROUNDS: usize = 11;
const WARM_CALLS: usize = 20_000;
const COLD_CALLS: usize = 2_000;

/// One answer, and one `decode` a call if there is a key.
struct Fixed {
    answer: v1::GetSessionResponse,
    decode: Option<(DecodingKey, Validation)>,
}

#[async_trait]
impl Answers for Fixed {
    async fn get_session(&self, request: v1::GetSessionRequest) -> v1::GetSessionResponse {
        if let Some((key, validation)) = &self.decode {
            let Some(get_session_request::Credential::AccessToken(token)) = &request.credential else {
                unreachable!()
            };
            jsonwebtoken::decode::<serde_json::Value>(token, key, validation).unwrap();
        }
        self.answer.clone()
    }
}

fn one_worker() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// A server to be measured.
struct Measured {
    runtime: Runtime,
    clients: Vec<AuthServiceClient<Channel>>,
}

impl Measured {
    /// Calls a second of the worker thread's time, and of the clock's.
    fn round(&self, client: &Runtime, tokens: &Arc<Vec<String>>) -> (f64, f64) {
        let before = processor_time::of(&self.runtime);
        let by_clock = client.block_on(round(&self.clients, tokens));
        let spent = Duration::from_nanos(processor_time::of(&self.runtime) - before);
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let calls = tokens.len() as f64;
        (calls / spent.as_secs_f64(), by_clock)
    }
}

fn start_bare(client: &Runtime, answers: Fixed) -> Measured {
    let runtime = one_worker();
    let entered = runtime.enter();
    let addr = bare::serve(answers);
    drop(entered);
    Measured { runtime, clients: client.block_on(clients(addr)) }
}

fn start_gatepass(client: &Runtime, strategy: &str) -> (Measured, String, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gatepass.yaml");
    let yaml = format!(
        "server: {{grpc_addr: '127.0.0.1:0', http_addr: '127.0.0.1:0', admin_addr: '127.0.0.1:0'}}\n\
         database: {{url: 'sqlite://{}/gatepass.db?mode=rwc'}}\n\
         session: {{strategy: {strategy}}}\n\
         callers: [{{id: bench, credential: {{key_sha256: {}}}, allow: [sign_in, sign_in.assert, session.read]}}]\n",
        folder.path().display(),
        hex::encode(gatepass::model::sha256(KEY.as_bytes())),
    );
    std::fs::write(&file, yaml).unwrap();
    let config = config::load(Some(&file), []).unwrap();
    let runtime = one_worker();
    let bound = runtime.block_on(App::new(config).bind()).unwrap();
    let (addr, http, health) = (bound.grpc_addr().unwrap(), bound.http_addr().unwrap(), bound.health());
    runtime.spawn(bound.run(CancellationToken::new()));
    while !health.is_ready() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let measured = Measured { runtime, clients: client.block_on(clients(addr)) };
    (measured, fetch(http, "/.well-known/jwks.json"), folder)
}

fn fetch(addr: SocketAddr, path: &str) -> String {
    use std::io::{Read, Write};
    let mut tcp = std::net::TcpStream::connect(addr).unwrap();
    write!(tcp, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    tcp.read_to_string(&mut text).unwrap();
    text.split_once("\r\n\r\n").unwrap().1.to_owned()
}

const KEY: &str = "gpk_a_key_for_the_benchmark_only";

fn with_key<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {KEY}").parse().unwrap());
    request
}

async fn clients(addr: SocketAddr) -> Vec<AuthServiceClient<Channel>> {
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        let channel = Endpoint::from_shared(format!("http://{addr}")).unwrap().connect().await.unwrap();
        clients.push(AuthServiceClient::new(channel));
    }
    clients
}

async fn issue(client: &AuthServiceClient<Channel>, who: &str) -> v1::IssueTokenResponse {
    let mut client = client.clone();
    let profile = v1::ProfileCredential {
        provider: "github".to_owned(),
        provider_account_id: who.to_owned(),
        email: Some(format!("{who}@example.com")),
        email_verified: true,
        name: Some("Ada Lovelace".to_owned()),
        image: Some("https://avatars.example.com/u/1815".to_owned()),
        ..Default::default()
    };
    let credential = Some(sign_in_request::Credential::Profile(profile));
    let signed_in =
        client.sign_in(with_key(v1::SignInRequest { credential, ..Default::default() })).await.unwrap();
    let Some(sign_in_response::Outcome::Allowed(allowed)) = signed_in.into_inner().outcome else {
        unreachable!()
    };
    let grant = allowed.grant.unwrap();
    let issued = client.issue_token(with_key(v1::IssueTokenRequest { grant, ..Default::default() })).await;
    issued.unwrap().into_inner()
}

/// Calls a second, each token of the list asked once.
async fn round(clients: &[AuthServiceClient<Channel>], tokens: &Arc<Vec<String>>) -> f64 {
    let begin = Instant::now();
    let lanes = CONNECTIONS * IN_FLIGHT;
    let tasks: Vec<_> = (0..lanes)
        .map(|lane| {
            let (mut client, tokens) = (clients[lane % CONNECTIONS].clone(), Arc::clone(tokens));
            tokio::spawn(async move {
                for token in tokens.iter().skip(lane).step_by(lanes) {
                    let credential = Some(get_session_request::Credential::AccessToken(token.clone()));
                    let request = with_key(v1::GetSessionRequest { credential, ..Default::default() });
                    client.get_session(request).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let calls = tokens.len() as f64;
    calls / begin.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn report(name: &str, wanted: f64, rounds: &[[(f64, f64); 2]]) {
    let middle = |pick: fn(&[(f64, f64); 2]) -> f64| median(rounds.iter().map(pick).collect());
    let ratio = middle(|[real, bare]| real.0 / bare.0);
    let (real, bare) = (middle(|[real, _]| real.0), middle(|[_, bare]| bare.0));
    let (real_clock, bare_clock) = (middle(|[real, _]| real.1), middle(|[_, bare]| bare.1));
    let verdict = if ratio >= wanted { "ok" } else { "BELOW" };
    println!("{name}: {ratio:.3} of the yardstick (wanted {wanted}): {verdict}");
    println!("  calls per second of processor time: {real:.0} against {bare:.0}");
    println!("  calls per second by the clock:      {real_clock:.0} against {bare_clock:.0}");
}

/// Asks one token again and again; answers what the bare server answered.
fn warm(name: &str, client: &Runtime, gatepass: &Measured) -> v1::GetSessionResponse {
    let issued = client.block_on(issue(&gatepass.clients[0], "warm"));
    let answer = v1::GetSessionResponse {
        session: issued.session,
        revocations_checked_at: Some(prost_types::Timestamp { seconds: 1_767_225_600, nanos: 0 }),
    };
    let bare = start_bare(client, Fixed { answer: answer.clone(), decode: None });
    let same = Arc::new(vec![issued.access_token; WARM_CALLS]);
    let pairs = rounds(|| [gatepass.round(client, &same), bare.round(client, &same)]);
    report(name, 0.85, &pairs);
    answer
}

fn main() {
    // The log as it is by default: at info, where an OK answer has no line.
    gatepass::telemetry::start(&config::load(None, []).unwrap().telemetry);
    let client = one_worker();
    let (by_reference, _, _folder) = start_gatepass(&client, "database");
    warm("GetSession, warm reference", &client, &by_reference);
    drop(by_reference);

    let (gatepass, jwks, _folder) = start_gatepass(&client, "jwt");
    let answer = warm("GetSession, warm", &client, &gatepass);
    let bare = start_bare(&client, Fixed { answer, decode: Some(decoding(&jwks)) });
    let pairs = rounds(|| {
        let fresh = client.block_on(fresh_tokens(&gatepass.clients));
        [gatepass.round(&client, &fresh), bare.round(&client, &fresh)]
    });
    report("GetSession, cold", 0.9, &pairs);
}

/// What one `jsonwebtoken::decode` needs.
fn decoding(jwks: &str) -> (DecodingKey, Validation) {
    let jwks: jsonwebtoken::jwk::JwkSet = serde_json::from_str(jwks).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&["gatepass"]);
    validation.set_issuer(&["http://localhost:8080"]);
    (DecodingKey::from_jwk(&jwks.keys[0]).unwrap(), validation)
}

/// The rounds, but the first, which warms both up.
fn rounds<T>(mut both: impl FnMut() -> T) -> Vec<T> {
    let _ = both();
    (0..ROUNDS).map(|_| both()).collect()
}

/// Tokens that no server has seen: refreshed from a few sessions, many at a time.
async fn fresh_tokens(clients: &[AuthServiceClient<Channel>]) -> Arc<Vec<String>> {
    let lanes: Vec<_> = (0..8)
        .map(|lane| {
            let client = clients[lane % CONNECTIONS].clone();
            tokio::spawn(async move { refreshed(client, lane, COLD_CALLS / 8).await })
        })
        .collect();
    let mut tokens = Vec::with_capacity(COLD_CALLS);
    for lane in lanes {
        tokens.extend(lane.await.unwrap());
    }
    Arc::new(tokens)
}

async fn refreshed(mut client: AuthServiceClient<Channel>, who: usize, count: usize) -> Vec<String> {
    let mut refresh_token = issue(&client, &format!("cold{who}")).await.refresh_token;
    let mut tokens = Vec::with_capacity(count);
    for _ in 0..count {
        let request = v1::RefreshTokenRequest { refresh_token, ..Default::default() };
        let refreshed = client.refresh_token(with_key(request)).await.unwrap().into_inner();
        tokens.push(refreshed.access_token);
        refresh_token = refreshed.refresh_token;
    }
    tokens
}
