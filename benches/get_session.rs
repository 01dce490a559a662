//! `GetSession` against a bare tonic server that answers the same message with nothing behind it, in the same run.
//!
//! Compared is the processor time of a call: what the kernel counts for the server's thread (`schedstat`), by the number
//! of calls. So the clock, other programs and the client's own time are not in it. What makes it honest:
//! - Each server has a runtime of its own with one worker thread; both have the same allocator, mimalloc. No other thread
//!   of either does a part of a call.
//! - The bare server makes its message from owned values for each call, seven texts among them, as a server must whose
//!   answers differ; that both messages are equal is asserted.
//! - The client (`support/load/`) costs less than half of what the bare server does, and sends many requests at once. A
//!   slow client lets both servers sleep after each call, and the cost of waking up hides the difference. The column
//!   "busy" tells how much of the time each server ran; with one call at a time it also wakes up for each, however fast
//!   the client is. The last lines show that the ratio stays if the client does as much work again for each answer.
//! - Each answer is looked at: `grpc-status` is 0, and its session is the one that the token is of.
//! - The servers take short turns in each round, and turns at who goes first. A ratio is that of one round; the median of
//!   the rounds' is printed, with the quartiles.
//!
//! Cases:
//! - warm: one token, asked again and again.
//! - warm reference: the same of `session.strategy: database`, whose rows are read once in `session.max_staleness`.
//! - cold: each token asked once, against the bare server that does one `jsonwebtoken::decode` a call.
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
use measured::{Server, Spent, one_worker};
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
const WARM: Size = Size { turns: 10, calls: 2000 };
const COLD: Size = Size { turns: 4, calls: 500 };
/// The people who refresh at the same time, to get tokens that no server has seen.
const PEOPLE: usize = 8;

/// The turns of each server in a round, and the calls in each.
#[derive(Clone, Copy)]
struct Size {
    turns: usize,
    calls: usize,
}

fn main() {
    // The log as it is by default: at info, where an OK answer has no line.
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

/// Asks both servers the same in each round, but for the first, which warms them up.
fn rounds(
    client: &Runtime,
    servers: [&Server; 2],
    size: Size,
    mut loads: impl FnMut() -> [Arc<Load>; 2],
) -> Rounds {
    let rounds = (0..=ROUNDS).map(|_| round(client, servers, size, &loads()));
    let spent = rounds.skip(1).collect();
    Rounds { calls: u32::try_from(size.turns * size.calls).unwrap(), spent }
}

/// Takes turns between the servers, so that what disturbs the machine disturbs both.
fn round(client: &Runtime, servers: [&Server; 2], size: Size, loads: &[Arc<Load>; 2]) -> [Spent; 2] {
    let mut connections = [0, 1].map(|one| client.block_on(loads[one].connect(servers[one].addr)));
    let mut spent = [Spent::default(); 2];
    for turn in 0..size.turns {
        let order = if turn % 2 == 0 { [0, 1] } else { [1, 0] };
        for one in order {
            spent[one] += servers[one].spends(client, async {
                let theirs = std::mem::take(&mut connections[one]);
                connections[one] = loads[one].run(theirs, turn * size.calls, size.calls).await;
            });
        }
    }
    spent
}

fn same(ask: &Ask, shape: Shape, idle_work: Duration) -> impl FnMut() -> [Arc<Load>; 2] {
    let load = Arc::new(Load { shape, first: ask.clone(), asks: vec![ask.clone()], idle_work });
    move || [Arc::clone(&load), Arc::clone(&load)]
}

fn warm(case: &str, client: &Runtime, gatepass: &Server) -> (Server, Ask) {
    let issued = client.block_on(issued(gatepass.addr));
    let session = issued.session.unwrap();
    let bare = Server::bare(OwnedSession::like(&session, None));
    let ask = Ask::of(issued.access_token, Some(session));
    for shape in SHAPES {
        let same = same(&ask, shape, Duration::ZERO);
        table::row(case, shape, &rounds(client, [gatepass, &bare], WARM, same));
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
                Arc::new(Load { shape, first, asks, idle_work: Duration::ZERO })
            })
        };
        table::row("cold", shape, &rounds(client, [gatepass, &bare], COLD, fresh));
    }
}

/// Shows that it is the servers that are measured.
fn slow_client(client: &Runtime, servers: [&Server; 2], ask: &Ask) {
    let as_it_is = rounds(client, servers, WARM, same(ask, FULL, Duration::ZERO));
    let idle_work = Duration::from_secs_f64(as_it_is.client() / 1e6);
    let slow = rounds(client, servers, WARM, same(ask, FULL, idle_work));
    println!();
    table::row("client as it is", FULL, &as_it_is);
    table::row("client half as fast", FULL, &slow);
}

async fn issued(addr: SocketAddr) -> v1::IssueTokenResponse {
    let mut caller = Caller::of(addr).await;
    let grant = caller.sign_in("ada").await;
    caller.issue_token(grant).await
}

/// Tokens that no server has seen: refreshed from a few sessions, many at a time.
async fn fresh(addr: SocketAddr) -> Vec<Ask> {
    let refreshing: Vec<_> = (0..PEOPLE)
        .map(|person| {
            tokio::spawn(async move {
                let mut caller = Caller::of(addr).await;
                let grant = caller.sign_in(&format!("person{person}")).await;
                let issued = caller.issue_token(grant).await;
                let mut refresh_token = issued.refresh_token;
                let mut asks = Vec::with_capacity(COLD.turns * COLD.calls / PEOPLE);
                for _ in 0..COLD.turns * COLD.calls / PEOPLE {
                    let refreshed = caller.refresh_token(refresh_token).await;
                    asks.push(Ask::of(refreshed.access_token, refreshed.session));
                    refresh_token = refreshed.refresh_token;
                }
                asks
            })
        })
        .collect();
    let mut asks = Vec::with_capacity(COLD.turns * COLD.calls);
    for person in refreshing {
        asks.extend(person.await.unwrap());
    }
    asks
}

/// The key and the rules for one `jsonwebtoken::decode`.
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
