//! The HTTP client of one provider: the size limits of each endpoint's responses, and the span of each request. Turns
//! limit the number of sign-ins that wait for a provider.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderMap, HeaderValue, Method, Request};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use tracing::{Instrument as _, Span, field};
use url::Url;
use zeroize::Zeroizing;

use super::address::may_be_asked;
use super::answer::Answer;
use super::fault::{FaultKind, ProviderFault};
use super::settings::{Settings, UserinfoMethod, UserinfoRequest};
use crate::model::{Clock, ProviderId};
use crate::net::{HttpClient, HttpClientSettings, HttpFault, Plaintext};

/// The endpoint of a request.
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

    /// Returns the maximum size of a response, in bytes.
    const fn limit(self) -> usize {
        match self {
            Self::Discovery | Self::Jwks => 256 << 10,
            Self::Token | Self::Userinfo => 1 << 20,
        }
    }

    fn fault(self, fault: &HttpFault) -> ProviderFault {
        let kind = match fault {
            HttpFault::Address => {
                return ProviderFault::new(FaultKind::Metadata, "unsupported URL");
            }
            HttpFault::TimedOut => FaultKind::TimedOut,
            HttpFault::Unreachable(_) => FaultKind::Unreachable,
            HttpFault::TooLarge => {
                let cause = format!("{}: more than {} bytes", self.name(), self.limit());
                return ProviderFault::new(FaultKind::TooLarge, cause);
            }
        };
        ProviderFault::new(kind, format!("{}: {fault}", self.name()))
    }
}

/// Sends requests to one provider.
pub(super) struct ProviderClient {
    provider: ProviderId,
    plaintext: Plaintext,
    http: HttpClient,
}

impl ProviderClient {
    /// Makes the client of the provider with these settings.
    pub(super) fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let plaintext = settings.reach();
        let way = HttpClientSettings {
            setting: "ca",
            ca: settings.ca.clone(),
            plaintext,
            proxy: settings.proxy.clone(),
        };
        let http = HttpClient::new(way, clock).map_err(|fault| fault.to_string())?;
        Ok(Self { provider: settings.id.clone(), plaintext, http })
    }

    /// Logs that a document could not be fetched, and that the previous one stays in use.
    pub(super) fn log_stale(&self, endpoint: Endpoint, fault: &ProviderFault) {
        let (provider, endpoint) = (&self.provider, endpoint.name());
        let (fault, cause) = (fault.kind.name(), &fault.cause);
        tracing::warn!(%provider, endpoint, fault, cause, "document of a provider not refreshed");
    }

    /// Gets a document.
    pub(super) async fn get(
        &self,
        endpoint: Endpoint,
        url: &Url,
        until: Instant,
    ) -> Result<Answer, ProviderFault> {
        self.ask(endpoint, url, Request::get(url.as_str()), Vec::new(), until).await
    }

    /// Asks for a profile, with an access token (RFC 6750 section 2.1) and the provider's own headers.
    pub(super) async fn userinfo(
        &self,
        url: &Url,
        access_token: &SecretString,
        request: &UserinfoRequest,
        until: Instant,
    ) -> Result<Answer, ProviderFault> {
        let method = match request.method {
            UserinfoMethod::Get => Method::GET,
            UserinfoMethod::Post => Method::POST,
        };
        let mut asked = Request::builder().method(method).uri(url.as_str());
        asked = asked.header(AUTHORIZATION, bearer(access_token)?);
        for (name, value) in &request.headers {
            asked = asked.header(name, value);
        }
        self.ask(Endpoint::Userinfo, url, asked, Vec::new(), until).await
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
            let mut value = value.clone();
            // The header of a client that sends its secret.
            value.set_sensitive(name == AUTHORIZATION);
            request = request.header(name, value);
        }
        self.ask(endpoint, url, request, form, until).await
    }

    async fn ask(
        &self,
        endpoint: Endpoint,
        url: &Url,
        mut request: http::request::Builder,
        body: Vec<u8>,
        until: Instant,
    ) -> Result<Answer, ProviderFault> {
        let body = Zeroizing::new(body);
        if !may_be_asked(url, self.plaintext) {
            return Err(ProviderFault::new(FaultKind::Metadata, "the URL is not https"));
        }
        if let Some(headers) = request.headers_mut() {
            headers.entry(ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        }
        let span = tracing::info_span!(
            "provider",
            provider = self.provider.as_str(),
            endpoint = endpoint.name(),
            status = field::Empty,
            duration_ms = field::Empty,
        );
        let begin = Instant::now();
        let exchange = async {
            let answer = self.http.ask(request, body, endpoint.limit(), until).await;
            let duration = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
            Span::current().record("duration_ms", duration);
            tracing::debug!("provider called");
            answer.map(|answer| Answer::new(endpoint.name(), answer)).map_err(|fault| endpoint.fault(&fault))
        };
        exchange.instrument(span).await
    }
}

/// Makes the header that sends an access token; its bytes are wiped with it.
fn bearer(access_token: &SecretString) -> Result<HeaderValue, ProviderFault> {
    let text = Zeroizing::new(format!("Bearer {}", access_token.expose_secret()).into_bytes());
    let mut bearer = HeaderValue::from_maybe_shared(Bytes::from_owner(text))
        .map_err(|_| ProviderFault::new(FaultKind::Malformed, "the access token has invalid characters"))?;
    bearer.set_sensitive(true);
    Ok(bearer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_token_is_sent_whole_and_never_shown() {
        let header = bearer(&"the-token".into()).unwrap();
        assert_eq!(header.to_str().unwrap(), "Bearer the-token");
        assert!(!format!("{header:?}").contains("the-token"));
        assert_eq!(bearer(&"a\nb".into()).unwrap_err().kind, FaultKind::Malformed);
    }
}
