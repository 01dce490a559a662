//! The redemption of a code for tokens (RFC 6749 section 4.1.3). The crate `oauth2` makes the request and reads the
//! response, over the HTTP client of the provider, which first corrects the deviations of providers.
#![expect(clippy::disallowed_types, reason = "the one place that redeems codes")]

use std::pin::Pin;

use http::StatusCode;
use oauth2::basic::BasicErrorResponse;
use oauth2::{
    AsyncHttpClient, AuthType, AuthorizationCode as Code, ClientId, ClientSecret, HttpRequest, HttpResponse,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, TokenUrl,
};
use secrecy::ExposeSecret;
use tokio::time::Instant;
use url::Url;

use super::super::answer::Answer;
use super::super::characters::is_error_code;
use super::super::error_code::is_of_configuration;
use super::super::fault::{FaultKind, ProviderFault};
use super::super::proof::ProviderTokens;
use super::super::provider::AuthorizationCode;
use super::super::provider_client::{Endpoint, ProviderClient};
use super::super::shared::Shared;
use super::client_authentication::Credential;
use super::response::TokenAnswer;

/// RFC 7523 section 2.2.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

type Client = oauth2::Client<
    BasicErrorResponse,
    TokenAnswer,
    oauth2::basic::BasicTokenIntrospectionResponse,
    oauth2::StandardRevocableToken,
    oauth2::basic::BasicRevocationErrorResponse,
>;

/// Redeems a code at this token endpoint. A signed assertion is for this issuer, or for the endpoint.
pub(in crate::oauth) async fn redeem(
    shared: &Shared,
    token_endpoint: &Url,
    issuer: Option<&str>,
    code: &AuthorizationCode<'_>,
    until: Instant,
) -> Result<ProviderTokens, ProviderFault> {
    let Shared { provider, settings, client, clock, .. } = shared;
    let redirect_uri = RedirectUrl::new(code.redirect_uri.to_owned())
        .map_err(|_| ProviderFault::new(FaultKind::CodeRejected, "the redirect URI is not a URL"))?;
    let mut requester = Client::new(ClientId::new(client.id.clone())).set_redirect_uri(redirect_uri);
    let mut assertion = None;
    match client.credential(issuer.unwrap_or(token_endpoint.as_str()))? {
        Credential::None => {}
        Credential::Basic(secret) => {
            requester = requester.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()));
        }
        Credential::Post(secret) => {
            let secret = ClientSecret::new(secret.expose_secret().to_owned());
            requester = requester.set_client_secret(secret).set_auth_type(AuthType::RequestBody);
        }
        Credential::Assertion(signed) => assertion = Some(signed),
    }
    let requester = requester.set_token_uri(TokenUrl::from_url(token_endpoint.clone()));
    let mut request = requester.exchange_code(Code::new(code.code.to_owned()));
    if settings.pkce {
        let verifier = PkceCodeVerifier::new(code.code_verifier.expose_secret().to_owned());
        request = request.set_pkce_verifier(verifier);
    }
    if let Some(assertion) = &assertion {
        request = request
            .add_extra_param("client_assertion_type", JWT_BEARER)
            .add_extra_param("client_assertion", assertion.expose_secret());
    }
    let endpoint = TokenEndpoint { provider, url: token_endpoint, until };
    let answer = request.request_async(&endpoint).await.map_err(fault)?;
    answer.tokens(clock.now())
}

/// The HTTP client, as the crate calls it.
struct TokenEndpoint<'a> {
    provider: &'a ProviderClient,
    url: &'a Url,
    until: Instant,
}

impl<'c> AsyncHttpClient<'c> for TokenEndpoint<'_> {
    type Error = ProviderFault;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, ProviderFault>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        let (head, form) = request.into_parts();
        Box::pin(async move {
            let answer = self.provider.post(Endpoint::Token, self.url, &head.headers, form, self.until);
            readable(&answer.await?)
        })
    }
}

/// Converts the response for the crate. An error counts whatever its status: GitHub returns errors with 200.
fn readable(answer: &Answer) -> Result<HttpResponse, ProviderFault> {
    let status = answer.status();
    let object = match status {
        StatusCode::OK => answer.object()?,
        StatusCode::TOO_MANY_REQUESTS => return Err(answer.unwanted_status()),
        _ if status.is_client_error() => {
            answer.object_of_any_status().map_err(|_| answer.unwanted_status())?
        }
        _ => return Err(answer.unwanted_status()),
    };
    let mut response = HttpResponse::new(answer.body().to_vec());
    *response.status_mut() = match object.get("error") {
        // The provider failed, not the request or the client (RFC 6749 section 4.1.2.1 names these codes for the
        // previous step).
        Some(error) if error == "server_error" || error == "temporarily_unavailable" => {
            return Err(answer.unwanted_status());
        }
        Some(error) if error.is_string() => StatusCode::BAD_REQUEST,
        None if status == StatusCode::OK => StatusCode::OK,
        _ => return Err(answer.unwanted_status()),
    };
    Ok(response)
}

fn fault(fault: RequestTokenError<ProviderFault, BasicErrorResponse>) -> ProviderFault {
    match fault {
        RequestTokenError::Request(fault) => fault,
        RequestTokenError::ServerResponse(told) => {
            let error: &str = told.error().as_ref();
            let error = is_error_code(error).then(|| error.to_owned());
            let (kind, cause) = match error.as_deref() {
                // The other codes are used by GitHub and Slack.
                Some("invalid_grant" | "bad_verification_code" | "invalid_code") => {
                    (FaultKind::CodeRejected, "token: the code was rejected")
                }
                Some(error) if is_of_configuration(error) => {
                    (FaultKind::ClientRejected, "token: the client or its settings were rejected")
                }
                _ => (FaultKind::ProviderError, "token: an OAuth error"),
            };
            ProviderFault { error, ..ProviderFault::new(kind, cause) }
        }
        // The text of neither is used: it may contain received data.
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            ProviderFault::new(FaultKind::Malformed, "token: not a token response")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::Response;

    fn outcome(status: u16, body: &str) -> Result<u16, FaultKind> {
        let response = Response::builder().status(status).header("content-type", "application/json");
        let answer = Answer::new("token", response.body(Bytes::copy_from_slice(body.as_bytes())).unwrap());
        readable(&answer).map(|response| response.status().as_u16()).map_err(|fault| fault.kind)
    }

    #[test]
    fn an_error_is_one_whatever_its_status() {
        for (status, body, wanted) in [
            (200, r#"{"access_token":"a"}"#, Ok(200)),
            (200, r#"{"error":"bad_verification_code"}"#, Ok(400)),
            (200, r#"{"error":"x","access_token":"a"}"#, Ok(400)),
            (400, r#"{"error":"invalid_grant"}"#, Ok(400)),
            (401, r#"{"error":"invalid_client"}"#, Ok(400)),
            (200, r#"{"error":{"message":"x"}}"#, Err(FaultKind::Status)),
            (400, r#"{"error":{"message":"x"}}"#, Err(FaultKind::Status)),
            (400, r#"{"message":"x"}"#, Err(FaultKind::Status)),
            (400, "oh no", Err(FaultKind::Status)),
            (404, r#"{"access_token":"a"}"#, Err(FaultKind::Status)),
            (500, r#"{"error":"server_error"}"#, Err(FaultKind::Status)),
            (429, r#"{"error":"ratelimited"}"#, Err(FaultKind::Status)),
            (400, r#"{"error":"temporarily_unavailable"}"#, Err(FaultKind::Status)),
            (200, r#"{"error":"server_error"}"#, Err(FaultKind::Status)),
            (201, r#"{"access_token":"a"}"#, Err(FaultKind::Status)),
            (302, "{}", Err(FaultKind::Status)),
            (200, "[]", Err(FaultKind::Malformed)),
            (200, r#"{"access_token":"a","access_token":"b"}"#, Err(FaultKind::Malformed)),
            (200, "access_token=a", Err(FaultKind::Malformed)),
        ] {
            assert_eq!(outcome(status, body), wanted, "{status} {body}");
        }
    }

    #[test]
    fn a_code_says_who_must_act_the_person_the_operator_or_the_application() {
        use FaultKind::{ClientRejected, CodeRejected, ProviderError};
        for (error, wanted) in [
            ("invalid_grant", CodeRejected),
            ("bad_verification_code", CodeRejected),
            ("invalid_client", ClientRejected),
            ("unauthorized_client", ClientRejected),
            ("redirect_uri_mismatch", ClientRejected),
            ("incorrect_client_credentials", ClientRejected),
            ("invalid_scope", ClientRejected),
            ("access_denied", ProviderError),
            ("user_cancelled_login", ProviderError),
            ("Invalid_Client", ProviderError),
            ("of tomorrow", ProviderError),
        ] {
            let body = serde_json::json!({ "error": error });
            let told = fault(RequestTokenError::ServerResponse(serde_json::from_value(body).unwrap()));
            assert_eq!((told.kind, told.error.as_deref()), (wanted, Some(error)));
        }
    }

    #[test]
    fn only_valid_error_codes_are_passed_on() {
        let long = "x".repeat(65);
        for (error, wanted) in [
            ("access_denied", Some("access_denied")),
            ("new error: 7!", Some("new error: 7!")),
            ("say \"no\"", None),
            ("a\nb", None),
            ("\u{e9}", None),
            ("", None),
            (&long, None),
        ] {
            let body = serde_json::json!({"error": error, "error_description": "ada@example.com"});
            let told = fault(RequestTokenError::ServerResponse(serde_json::from_value(body).unwrap()));
            assert_eq!((told.kind, told.error.as_deref()), (FaultKind::ProviderError, wanted));
            assert!(!told.cause.contains("ada"));
        }
    }
}
