//! `GetSession` against a bare tonic server that returns the same message without any work, in the same run.
//!
//! The benchmark compares the processor time per call: the kernel's count for the server's thread (`schedstat`),
//! divided by the number of calls. So the clock, other programs and the client's own time have no influence. These
//! points make the comparison fair:
//! - Each server has its own runtime with one worker thread; both have the same allocator, mimalloc. No other thread of
//!   either server does part of a call.
//! - The bare server builds its message from owned values for each call, among them seven texts, as any server with
//!   varying answers must. The benchmark asserts that both messages are equal.
//! - The client (`support/load/`) costs a small part of what the servers do, and sends as many requests at once as may
//!   be open. With a slow client both servers would sleep after each call, and the cost of waking would hide the
//!   difference. The column "busy" shows the share of time in which each server ran; with one call at a time it is low
//!   with any client. The last lines show that the ratio stays the same if the client does as much work again for each
//!   answer.
//! - Each answer is checked: `grpc-status` is 0, and the session belongs to the token.
//! - Rounds alternate, and so does the order of the servers within a round. Each round has one ratio; the benchmark
//!   prints their median and quartiles.
//!
//! Cases:
//! - warm: one token, read repeatedly.
//! - warm reference: the same with `session.strategy: database`, where rows are read once per `session.max_staleness`.
//! - cold: each token is read once, against a bare server that does one `jsonwebtoken::decode` per call.
#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_types,
    reason = "a program for a person at a terminal"
)]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use gatepass::config;
use gatepass::grpc::proto::v1;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use tokio::runtime::Runtime;

#[path = "support/bare.rs"]
mod bare;
#[path = "support/caller.rs"]
mod caller;
#[path = "support/load/mod.rs"]
mod load;
#[path = "support/measured.rs"]
mod measured;
#[path = "support/owned_session.rs"]
mod owned_session;
#[path = "support/person.rs"]
mod person;
#[path = "support/processor_time.rs"]
mod processor_time;
#[path = "support/session_load.rs"]
mod session_load;
#[path = "support/table.rs"]
mod table;

use caller::Caller;
use measured::{Server, one_worker};
use owned_session::OwnedSession;
use session_load::{Ask, Load, Shape};
use table::Rounds;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 11;
const SHAPES: [Shape; 4] = [
    Shape { connections: 1, streams: 1 },
    Shape { connections: 8, streams: 1 },
    Shape { connections: 8, streams: 16 },
    Shape { connections: 64, streams: 4 },
];
const FULL: Shape = SHAPES[2];
const WARM_CALLS: usize = 20_000;
const COLD_CALLS: usize = 2_000;
/// The number of people who refresh concurrently, to create tokens that no server has seen.
const PEOPLE: usize = 8;

fn main() {
    // The default log level is info, where an OK answer has no line.
    gatepass::telemetry::start(&config::load(None, []).unwrap().telemetry);
    let client = one_worker();
    table::head();
    let (by_reference, _, _folder) = Server::gatepass("database");
    warm("warm reference", &client, &by_reference);
    drop(by_reference);
    let (gatepass, http, _folder) = Server::gatepass("jwt");
    let (warm_bare, ask) = warm("warm", &client, &gatepass);
    cold(&client, &gatepass, http);
    slow_client(&client, [&gatepass, &warm_bare], &ask);
}

/// Sends the same requests to both servers in each round; the first round warms them up.
fn rounds(client: &Runtime, servers: [&Server; 2], mut loads: impl FnMut() -> [Arc<Load>; 2]) -> Rounds {
    let mut rounds = Rounds::default();
    for round in 0..=ROUNDS {
        let loads = loads();
        let measure = |server: usize| servers[server].round(client, &loads[server]);
        let pair = if round % 2 == 0 {
            let gatepass = measure(0);
            [gatepass, measure(1)]
        } else {
            let bare = measure(1);
            [measure(0), bare]
        };
        if round > 0 {
            rounds.push(pair);
        }
    }
    rounds
}

fn same(ask: &Ask, shape: Shape, idle_work: Duration) -> impl FnMut() -> [Arc<Load>; 2] {
    let load =
        Arc::new(Load { shape, calls: WARM_CALLS, first: ask.clone(), asks: vec![ask.clone()], idle_work });
    move || [Arc::clone(&load), Arc::clone(&load)]
}

fn warm(case: &str, client: &Runtime, gatepass: &Server) -> (Server, Ask) {
    let issued = client.block_on(issued(gatepass.addr));
    let session = issued.session.unwrap();
    let bare = Server::bare(OwnedSession::like(&session, None));
    let ask = Ask::of(issued.access_token, Some(session));
    for shape in SHAPES {
        table::row(case, shape, &rounds(client, [gatepass, &bare], same(&ask, shape, Duration::ZERO)));
    }
    (bare, ask)
}

fn cold(client: &Runtime, gatepass: &Server, http: SocketAddr) {
    let issued = client.block_on(issued(gatepass.addr));
    let session = issued.session.unwrap();
    let bare = Server::bare(OwnedSession::like(&session, Some(decoding(&jwks(http)))));
    let first = Ask::of(issued.access_token, Some(session));
    for shape in SHAPES {
        let fresh = || {
            let asks = client.block_on(fresh(gatepass.addr));
            let fixed = asks.iter().map(|ask| ask.answered_as(&first)).collect();
            [asks, fixed].map(|asks| {
                let first = first.clone();
                Arc::new(Load { shape, calls: COLD_CALLS, first, asks, idle_work: Duration::ZERO })
            })
        };
        table::row("cold", shape, &rounds(client, [gatepass, &bare], fresh));
    }
}

/// Shows that the measurement depends on the servers and not on the client.
fn slow_client(client: &Runtime, servers: [&Server; 2], ask: &Ask) {
    let as_it_is = rounds(client, servers, same(ask, FULL, Duration::ZERO));
    let idle_work = Duration::from_secs_f64(as_it_is.client() / 1e9);
    let slow = rounds(client, servers, same(ask, FULL, idle_work));
    println!();
    table::row("client as it is", FULL, &as_it_is);
    table::row("client half as fast", FULL, &slow);
}

async fn issued(addr: SocketAddr) -> v1::IssueTokenResponse {
    let mut caller = Caller::of(addr).await;
    let grant = caller.sign_in("ada").await;
    caller.issue_token(grant).await
}

/// Creates tokens that no server has seen, by many concurrent refreshes of a few sessions.
async fn fresh(addr: SocketAddr) -> Vec<Ask> {
    let refreshing: Vec<_> = (0..PEOPLE)
        .map(|person| {
            tokio::spawn(async move {
                let mut caller = Caller::of(addr).await;
                let grant = caller.sign_in(&format!("person{person}")).await;
                let issued = caller.issue_token(grant).await;
                let mut refresh_token = issued.refresh_token;
                let mut asks = Vec::with_capacity(COLD_CALLS / PEOPLE);
                for _ in 0..COLD_CALLS / PEOPLE {
                    let refreshed = caller.refresh_token(refresh_token).await;
                    asks.push(Ask::of(refreshed.access_token, refreshed.session));
                    refresh_token = refreshed.refresh_token;
                }
                asks
            })
        })
        .collect();
    let mut asks = Vec::with_capacity(COLD_CALLS);
    for person in refreshing {
        asks.extend(person.await.unwrap());
    }
    asks
}

/// The inputs of one `jsonwebtoken::decode`.
fn decoding(jwks: &str) -> (DecodingKey, Validation) {
    let jwks: jsonwebtoken::jwk::JwkSet = serde_json::from_str(jwks).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&["gatepass"]);
    validation.set_issuer(&["http://localhost:8080"]);
    (DecodingKey::from_jwk(&jwks.keys[0]).unwrap(), validation)
}

fn jwks(http: SocketAddr) -> String {
    let mut tcp = TcpStream::connect(http).unwrap();
    write!(tcp, "GET /.well-known/jwks.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    tcp.read_to_string(&mut text).unwrap();
    text.split_once("\r\n\r\n").unwrap().1.to_owned()
}
