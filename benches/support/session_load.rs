//! Calls of `GetSession`, on several connections, with several concurrent calls on each.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatepass::grpc::proto::v1::{self, get_session_request};
use prost::Message as _;
use tokio::task::JoinSet;

use crate::caller;
use crate::load::Connection;

/// A request, and the expected session.
#[derive(Clone)]
pub struct Ask {
    request: Vec<u8>,
    /// The beginning of the expected answer, without its time.
    session: Vec<u8>,
}

impl Ask {
    pub fn of(access_token: String, session: Option<v1::Session>) -> Self {
        let credential = Some(get_session_request::Credential::AccessToken(access_token));
        let request = Connection::framed(&v1::GetSessionRequest { credential, ..Default::default() });
        let answer = v1::GetSessionResponse { session, revocations_checked_at: None };
        Self { request, session: answer.encode_to_vec() }
    }

    /// Builds the same for a server that returns this session for every request.
    pub fn answered_as(&self, other: &Self) -> Self {
        Self { request: self.request.clone(), session: other.session.clone() }
    }

    fn is_answered_by(&self, body: &[u8]) -> bool {
        let time = body.strip_prefix(&self.session[..]);
        time.is_some_and(|time| time.first() == Some(&0x12) && time.len() <= 16)
    }
}

/// The pattern of the calls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub connections: usize,
    /// The number of concurrent calls on each connection.
    pub streams: usize,
}

pub struct Load {
    pub shape: Shape,
    pub calls: usize,
    /// Requests sent once on each new connection.
    pub first: Ask,
    /// Requests sent in turn, starting again after the last.
    pub asks: Vec<Ask>,
    /// Extra work of the client for each answer.
    pub idle_work: Duration,
}

impl Load {
    /// Opens the connections, and makes one call on each.
    pub async fn connect(&self, addr: SocketAddr) -> Vec<Connection> {
        let mut connections = Vec::with_capacity(self.shape.connections);
        for _ in 0..self.shape.connections {
            let mut connection = caller::connect(addr, "GetSession").await;
            connection.calls(1, &[&self.first.request], |_, _| ()).await;
            connections.push(connection);
        }
        connections
    }

    /// Makes all calls.
    pub async fn run(self: &Arc<Self>, connections: Vec<Connection>) {
        let mut lanes = JoinSet::new();
        for (lane, mut connection) in connections.into_iter().enumerate() {
            let this = Arc::clone(self);
            lanes.spawn(async move {
                let asks: Vec<&Ask> = this.lane(lane).collect();
                let requests: Vec<&[u8]> = asks.iter().map(|ask| &ask.request[..]).collect();
                let check = |place: usize, body: &[u8]| {
                    assert!(asks[place].is_answered_by(body), "another answer: {body:?}");
                    spin(this.idle_work);
                };
                connection.calls(this.shape.streams, &requests, check).await;
            });
        }
        lanes.join_all().await;
    }

    fn lane(&self, lane: usize) -> impl Iterator<Item = &Ask> {
        (lane..self.calls).step_by(self.shape.connections).map(|call| &self.asks[call % self.asks.len()])
    }
}

fn spin(time: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < time {
        std::hint::spin_loop();
    }
}
