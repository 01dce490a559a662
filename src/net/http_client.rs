//! The HTTP client for one server. It follows no redirect, trusts no length, has no deadline but that of the request,
//! and shares nothing with other clients. A server that hangs therefore blocks only its own callers, whose number those
//! callers limit.
//!
//! It is a thin layer over hyper-util's client: reqwest would bring redirects, cookies and compression, each of which
//! would have to be switched off, and has no bound for a response body.
#![expect(clippy::disallowed_types, reason = "this is the one HTTP client")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::USER_AGENT;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, timeout_at};
use tracing::Span;
use zeroize::Zeroizing;

use super::http_fault::HttpFault;
use super::outbound::{Plaintext, Proxy, Route};
use super::tls::{TlsFault, client_config};
use crate::model::Clock;

/// The time for which unused connections are kept. It is shorter than that of servers (Node 5 s), so that no code is
/// sent on a closing connection.
const IDLE: Duration = Duration::from_secs(4);
const USER_AGENT_VALUE: &str = concat!("gatepass/", env!("CARGO_PKG_VERSION"));

/// Sends requests to one server.
pub struct HttpClient(Client<HttpsConnector<Route>, Full<Bytes>>);

/// The way to one server.
#[derive(Debug, Clone)]
pub struct HttpClientSettings {
    /// The setting that names the file of authorities, for faults.
    pub setting: &'static str,
    /// The authorities that sign its certificate. Default (`None`): Mozilla's list of public ones.
    pub ca: Option<PathBuf>,
    /// The destinations that may be reached without TLS.
    pub plaintext: Plaintext,
    /// The proxy of requests with TLS.
    pub proxy: Option<Proxy>,
}

impl HttpClient {
    /// Makes a client that checks certificates by this clock.
    pub fn new(settings: HttpClientSettings, clock: Arc<dyn Clock>) -> Result<Self, TlsFault> {
        let tls = client_config(settings.setting, settings.ca.as_deref(), clock)?;
        let route = Route::new(settings.plaintext, settings.proxy, tls.clone());
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(route);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(8)
            .pool_timer(TokioTimer::new())
            .http1_max_buf_size(64 << 10)
            .build(connector);
        Ok(Self(client))
    }

    /// Sends a request, and reads the whole response: at most `limit` bytes, and until `until`. If the current span has
    /// a `status` field, it is set. The bytes that were sent and received are wiped when they are dropped.
    pub async fn ask(
        &self,
        request: http::request::Builder,
        body: Zeroizing<Vec<u8>>,
        limit: usize,
        until: Instant,
    ) -> Result<Response<Bytes>, HttpFault> {
        let mut request = request.body(Full::new(Bytes::from_owner(body))).map_err(|_| HttpFault::Address)?;
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(USER_AGENT_VALUE));
        let answer = timeout_at(until, self.exchange(request, limit)).await;
        answer.unwrap_or(Err(HttpFault::TimedOut))
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        limit: usize,
    ) -> Result<Response<Bytes>, HttpFault> {
        let response = self.0.request(request).await.map_err(|fault| broken(&fault))?;
        Span::current().record("status", response.status().as_u16());
        let (head, body) = response.into_parts();
        Ok(Response::from_parts(head, read(body, limit).await?))
    }
}

/// Reads a body and counts its bytes, because the declared length is not reliable.
async fn read(mut body: Incoming, limit: usize) -> Result<Bytes, HttpFault> {
    if body.size_hint().lower() > limit as u64 {
        return Err(HttpFault::TooLarge);
    }
    let mut read = Zeroizing::new(Vec::new());
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(|fault| broken(&fault))?.into_data() {
            if read.len() + data.len() > limit {
                return Err(HttpFault::TooLarge);
            }
            read.extend_from_slice(&data);
        }
    }
    Ok(Bytes::from_owner(read))
}

/// Makes the fault of an error with its causes. None of them contains data that was sent or received.
fn broken(fault: &dyn std::error::Error) -> HttpFault {
    let causes = std::iter::successors(Some(fault), |fault| fault.source());
    let words = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    HttpFault::Unreachable(words.chars().take(300).collect())
}
