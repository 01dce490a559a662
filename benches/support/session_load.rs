//! Calls of `GetSession`, on some connections and some at a time on each.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatepass::grpc::proto::v1::{self, get_session_request};
use prost::Message as _;
use tokio::task::JoinSet;

use crate::caller;
use crate::load::Connection;

/// A request, and the session that answers it.
#[derive(Clone)]
pub struct Ask {
    request: Vec<u8>,
    /// The beginning of the answer, all but its time.
    session: Vec<u8>,
}

impl Ask {
    pub fn of(access_token: String, session: Option<v1::Session>) -> Self {
        let credential = Some(get_session_request::Credential::AccessToken(access_token));
        let request = Connection::framed(&v1::GetSessionRequest { credential, ..Default::default() });
        let answer = v1::GetSessionResponse { session, revocations_checked_at: None };
        Self { request, session: answer.encode_to_vec() }
    }

    /// The same of a server that answers this session to whatever it is asked.
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
    /// The calls at the same time on each connection.
    pub streams: usize,
}

pub struct Load {
    pub shape: Shape,
    /// Asked once on each connection when it is new.
    pub first: Ask,
    /// Asked in turn, from the first again after the last.
    pub asks: Vec<Ask>,
    /// The additional work of the client for each answer.
    pub idle_work: Duration,
}

impl Load {
    /// Opens the connections, each with a call made on it.
    pub async fn connect(&self, addr: SocketAddr) -> Vec<Connection> {
        let mut connections = Vec::with_capacity(self.shape.connections);
        for _ in 0..self.shape.connections {
            let mut connection = caller::connect(addr, "GetSession").await;
            connection.calls(1, &[&self.first.request], |_, _| ()).await;
            connections.push(connection);
        }
        connections
    }

    /// Makes so many calls, beginning with this one of the asks; answers the connections.
    pub async fn run(
        self: &Arc<Self>,
        connections: Vec<Connection>,
        from: usize,
        calls: usize,
    ) -> Vec<Connection> {
        let mut lanes = JoinSet::new();
        for (lane, mut connection) in connections.into_iter().enumerate() {
            let this = Arc::clone(self);
            lanes.spawn(async move {
                let calls = (from + lane..from + calls).step_by(this.shape.connections);
                let asks: Vec<&Ask> = calls.map(|call| &this.asks[call % this.asks.len()]).collect();
                let requests: Vec<&[u8]> = asks.iter().map(|ask| &ask.request[..]).collect();
                let check = |place: usize, body: &[u8]| {
                    assert!(asks[place].is_answered_by(body), "another answer: {body:?}");
                    spin(this.idle_work);
                };
                connection.calls(this.shape.streams, &requests, check).await;
                connection
            });
        }
        lanes.join_all().await
    }
}

fn spin(time: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < time {
        std::hint::spin_loop();
    }
}
