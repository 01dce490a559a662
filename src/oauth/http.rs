//! The HTTP client of one provider. It follows no redirect, trusts no length, keeps no deadline but that of the question, and
//! shares nothing with other providers: one that hangs holds up its own sign-ins only. How many of those, turns bound.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, timeout_at};
use tracing::{Instrument as _, Span, field};
use url::Url;

use super::address::may_be_asked;
use super::answer::Answer;
use super::fault::{FaultKind, ProviderFault};
use super::tls::client_config;
use crate::model::{Clock, ProviderId};

/// No connection takes longer to be there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Connections that nobody uses are kept for so long: less than servers do (Node 5 s), so that no code meets one that closes.
const IDLE: Duration = Duration::from_secs(4);
const USER_AGENT_VALUE: &str = concat!("gatepass/", env!("CARGO_PKG_VERSION"));

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    Discovery,
    Jwks,
    Token,
    Userinfo,
}

impl Endpoint {
    const fn name(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Jwks => "jwks",
            Self::Token => "token",
            Self::Userinfo => "userinfo",
        }
    }

    /// More bytes of an answer are not read.
    const fn limit(self) -> usize {
        match self {
            Self::Discovery | Self::Jwks => 256 << 10,
            Self::Token | Self::Userinfo => 1 << 20,
        }
    }
}

/// Asks one provider.
pub(super) struct HttpClient {
    provider: ProviderId,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl HttpClient {
    /// A client that trusts these authorities.
    pub(super) fn new(
        provider: ProviderId,
        ca: Option<&Path>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.set_nodelay(true);
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(client_config(ca, clock)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(8)
            .pool_timer(TokioTimer::new())
            .http1_max_buf_size(64 << 10)
            .build(connector);
        Ok(Self { provider, client })
    }

    /// Gets a document.
    pub(super) async fn get(
        &self,
        endpoint: Endpoint,
        url: &Url,
        until: Instant,
    ) -> Result<Answer, ProviderFault> {
        self.ask(endpoint, url, Request::get(url.as_str()), Bytes::new(), until).await
    }

    /// Gets what an access token opens (RFC 6750 section 2.1), with headers of the provider's own.
    pub(super) async fn get_with_token(
        &self,
        url: &Url,
        access_token: &str,
        headers: &[(&'static str, &'static str)],
        until: Instant,
    ) -> Result<Answer, ProviderFault> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {access_token}"))
            .map_err(|_| ProviderFault::new(FaultKind::Malformed, "the access token is no bearer token"))?;
        bearer.set_sensitive(true);
        let mut request = Request::get(url.as_str()).header(AUTHORIZATION, bearer);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.ask(Endpoint::Userinfo, url, request, Bytes::new(), until).await
    }

    /// Posts a form.
    pub(super) async fn post(
        &self,
        endpoint: Endpoint,
        url: &Url,
        headers: &HeaderMap,
        form: Vec<u8>,
        until: Instant,
    ) -> Result<Answer, ProviderFault> {
        let mut request = Request::post(url.as_str());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        self.ask(endpoint, url, request, form.into(), until).await
    }

    async fn ask(
        &self,
        endpoint: Endpoint,
        url: &Url,
        request: http::request::Builder,
        body: Bytes,
        until: Instant,
    ) -> Result<Answer, ProviderFault> {
        if !may_be_asked(url) {
            return Err(ProviderFault::new(FaultKind::Metadata, "an address that is not https"));
        }
        let request = complete(request, body)
            .map_err(|_| ProviderFault::new(FaultKind::Metadata, "an address that can't be asked"))?;
        let span = tracing::info_span!(
            "provider",
            provider = self.provider.as_str(),
            endpoint = endpoint.name(),
            status = field::Empty,
            duration_ms = field::Empty,
        );
        let begin = Instant::now();
        let exchange = async {
            let answer = timeout_at(until, self.exchange(endpoint, request)).await;
            let duration = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
            Span::current().record("duration_ms", duration);
            tracing::debug!("a provider was asked");
            answer.unwrap_or_else(|_| {
                Err(ProviderFault::new(
                    FaultKind::TimedOut,
                    format!("{}: no answer in time", endpoint.name()),
                ))
            })
        };
        exchange.instrument(span).await
    }

    async fn exchange(
        &self,
        endpoint: Endpoint,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, ProviderFault> {
        let broken = |fault: &dyn std::error::Error| {
            let cause = format!("{}: {}", endpoint.name(), in_words(fault));
            ProviderFault::new(FaultKind::Unreachable, cause)
        };
        let response = self.client.request(request).await.map_err(|fault| broken(&fault))?;
        Span::current().record("status", response.status().as_u16());
        let (head, body) = response.into_parts();
        let body = read(body, endpoint.limit()).await.map_err(|stop| match stop {
            Stop::TooLarge => {
                let cause = format!("{}: more than {} bytes", endpoint.name(), endpoint.limit());
                ProviderFault::new(FaultKind::TooLarge, cause)
            }
            Stop::Broken(fault) => broken(&fault),
        })?;
        Ok(Answer::new(endpoint.name(), Response::from_parts(head, body)))
    }
}

fn complete(request: http::request::Builder, body: Bytes) -> http::Result<Request<Full<Bytes>>> {
    let mut request = request.body(Full::new(body))?;
    let headers = request.headers_mut();
    headers.insert(USER_AGENT, HeaderValue::from_static(USER_AGENT_VALUE));
    headers.entry(ACCEPT).or_insert(HeaderValue::from_static("application/json"));
    Ok(request)
}

enum Stop {
    TooLarge,
    Broken(hyper::Error),
}

/// Reads a body, counting: what its head says of its length binds nobody.
async fn read(mut body: Incoming, limit: usize) -> Result<Bytes, Stop> {
    if body.size_hint().lower() > limit as u64 {
        return Err(Stop::TooLarge);
    }
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(Stop::Broken)?.into_data() {
            if read.len() + data.len() > limit {
                return Err(Stop::TooLarge);
            }
            read.extend_from_slice(&data);
        }
    }
    Ok(read.into())
}

/// An error with what caused it. None of these tells what was sent or received.
fn in_words(fault: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(fault), |fault| fault.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ").chars().take(300).collect()
}
