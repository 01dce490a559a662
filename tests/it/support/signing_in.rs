//! Sign-in at a test provider, with the steps of both the backend and the browser.

use gatepass::grpc::proto::v1::{
    BeginSignInRequest, IdTokenCredential, OAuthCallbackCredential, SignInAllowed, SignInRequest,
    SignInResponse, id_token_credential, sign_in_request,
};
use tonic::{Response, Status};

use super::provider::{Answer, CLIENT_ID, CLIENT_SECRET, Person, TestProvider};
use super::{Builder, TestApp, allowed, builder};

/// The redirect URI of the application.
pub const REDIRECT_URI: &str = "http://localhost:3000/auth/callback";

/// Builds the configuration entry of a provider, with more keys.
pub fn entry(id: &str, provider: &TestProvider, more: &str) -> String {
    let issuer = provider.issuer();
    format!(
        "{{id: {id}, type: oidc, issuer: '{issuer}', client_id: '{CLIENT_ID}', client_secret: '{CLIENT_SECRET}'{}{more}}}",
        if more.is_empty() { "" } else { ", " }
    )
}

/// Builds a Gatepass with these providers.
pub fn with_providers(entries: &[String]) -> Builder {
    builder().config(&format!("providers: [{}]", entries.join(", ")))
}

/// Starts a provider, and a Gatepass that knows it as `corp`.
pub async fn corp() -> (TestProvider, TestApp) {
    let provider = TestProvider::start().await;
    let app = app_with(&provider).await;
    (provider, app)
}

/// Starts a Gatepass with the provider `corp`.
pub async fn app_with(provider: &TestProvider) -> TestApp {
    with_providers(&[entry("corp", provider, "")]).start().await
}

/// Builds the request that begins a sign-in.
pub fn begin(provider: &str) -> BeginSignInRequest {
    BeginSignInRequest {
        provider: provider.to_owned(),
        redirect_uri: REDIRECT_URI.to_owned(),
        ..Default::default()
    }
}

/// Builds the request of a browser that returned with this flow and this answer, by a route that several providers
/// share.
pub fn come_back(flow: &str, answer: Answer) -> SignInRequest {
    let Answer { code, state, iss } = answer;
    of_callback(OAuthCallbackCredential { flow: flow.to_owned(), code, state, iss, ..Default::default() })
}

/// Builds a sign-in request from a callback.
pub fn of_callback(callback: OAuthCallbackCredential) -> SignInRequest {
    let credential = Some(sign_in_request::Credential::OauthCallback(callback));
    SignInRequest { credential, ..Default::default() }
}

/// Builds a sign-in request from an ID token that a client obtained itself.
pub fn of_id_token(provider: &str, token: &str, binding: id_token_credential::Binding) -> SignInRequest {
    let credential =
        IdTokenCredential { provider: provider.to_owned(), token: token.to_owned(), binding: Some(binding) };
    SignInRequest { credential: Some(sign_in_request::Credential::IdToken(credential)), ..Default::default() }
}

impl TestApp {
    /// Begins a sign-in at `corp` and lets the person log in there. Returns the request of the returning browser.
    pub async fn log_in(&self, provider: &TestProvider, person: Person) -> SignInRequest {
        let begun = self.begin(begin("corp")).await.unwrap();
        let Answer { code, state, iss } = provider.log_in(&begun.authorization_url, person);
        let provider = Some("corp".to_owned());
        of_callback(OAuthCallbackCredential {
            flow: begun.flow,
            code,
            state,
            iss,
            provider,
            ..Default::default()
        })
    }

    /// Runs the complete sign-in, and returns its result.
    pub async fn try_sign_in_at(
        &self,
        provider: &TestProvider,
        person: Person,
    ) -> Result<Response<SignInResponse>, Status> {
        let request = self.log_in(provider, person).await;
        self.try_sign_in(request).await
    }

    /// Runs the complete sign-in of a person who must be allowed.
    pub async fn sign_in_at(&self, provider: &TestProvider, person: Person) -> SignInAllowed {
        allowed(self.try_sign_in_at(provider, person).await)
    }
}
