//! The calls of one callback, over its current connection. If a connection closes before it takes a call, the call uses
//! the next connection.
//!
//! This is not `tonic::transport::Channel` (0.14), which connects on the first call, keeps a connection until it
//! breaks, and fails a call that a GOAWAY rejected. With it, these tests would fail:
//!
//! - The connection exists before the first call.
//! - A connection that the peer has forgotten costs one call its timeout.
//! - A call that the service did not take uses another connection.
//! - A connection is replaced at its age.
//!
//! Each call would also pass through an additional queue and task.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{AUTHORIZATION, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use tonic::body::Body;
use tower::Service;

use super::connection::{Line, keep};
use super::connector::Connector;
use super::credential::Credential;
use crate::auth::Callback;
use crate::model::Entropy;

/// Headers that differ from call to call.
const ONCE: [&str; 3] = ["grpc-timeout", "x-request-id", "traceparent"];

static AGENT: HeaderValue = HeaderValue::from_static(concat!("gatepass/", env!("CARGO_PKG_VERSION")));

/// Sends the calls of one callback.
#[derive(Clone)]
pub(super) struct Channel(Arc<Shared>);

struct Shared {
    line: Arc<Line>,
    credential: Option<Credential>,
    _keeping: AbortOnDropHandle<()>,
}

type Failure = Box<dyn Error + Send + Sync>;

impl Channel {
    /// Connects, and stays connected until the last clone is dropped.
    pub(super) fn open(
        callback: Callback,
        connector: Arc<Connector>,
        credential: Option<Credential>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let line = Arc::new(Line::new());
        let connect = move || {
            let connector = Arc::clone(&connector);
            async move { connector.connect().await }
        };
        let keeping = tokio::spawn(keep(callback, connect, Arc::clone(&line), entropy));
        Self(Arc::new(Shared { line, credential, _keeping: AbortOnDropHandle::new(keeping) }))
    }

    /// Replaces the connection, if it was made before this time.
    pub(super) fn doubt(&self, asked: Instant) {
        self.0.line.doubt(asked);
    }
}

impl Shared {
    async fn send(&self, request: Request<Body>) -> Result<Response<Incoming>, Failure> {
        let (mut head, body) = request.into_parts();
        self.add_headers(&mut head.headers);
        // A single message, so it can be sent again.
        let body = body.collect().await?.to_bytes();
        loop {
            let mut sender = self.line.sender().await?;
            match sender.send_request(again(&head, &body)).await {
                Err(error) if was_not_taken(&error) => {}
                answered => return Ok(answered?),
            }
        }
    }

    fn add_headers(&self, headers: &mut HeaderMap) {
        for name in ONCE {
            // HPACK never indexes sensitive headers: a value that occurs once would evict values that recur.
            if let Some(value) = headers.get_mut(name) {
                value.set_sensitive(true);
            }
        }
        headers.insert(USER_AGENT, AGENT.clone());
        if let Some(credential) = &self.credential {
            headers.insert(AUTHORIZATION, credential.header());
        }
    }
}

fn again(head: &Parts, body: &Bytes) -> Request<Full<Bytes>> {
    Request::from_parts(head.clone(), Full::new(body.clone()))
}

/// Returns true if the service has certainly not seen the call, and the connection takes no other. The connection was
/// closed before, or the service said so in its GOAWAY (RFC 9113 section 6.8).
fn was_not_taken(error: &hyper::Error) -> bool {
    let told = error.source().and_then(|source| source.downcast_ref::<h2::Error>());
    let goes_away = |error: &h2::Error| {
        error.is_remote() && error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR)
    };
    error.is_canceled() || told.is_some_and(goes_away)
}

impl Service<Request<Body>> for Channel {
    type Response = Response<Incoming>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Incoming>, Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let shared = Arc::clone(&self.0);
        Box::pin(async move { shared.send(request).await })
    }
}
