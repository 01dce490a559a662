//! Signing in at a provider of our own, as a backend and a browser do it together.

use gatepass::grpc::proto::v1::{
    BeginSignInRequest, BeginSignInResponse, IdTokenCredential, OAuthCallbackCredential, SignInAllowed,
    SignInRequest, SignInResponse, id_token_credential, sign_in_request,
};
use tonic::{Response, Status};

use super::provider::{Answer, CLIENT_ID, CLIENT_SECRET, Person, TestProvider};
use super::{Builder, TestApp, allowed, builder};

/// Where browsers come back to.
pub const REDIRECT_URI: &str = "http://localhost:3000/auth/callback";

/// The entry of a provider in the configuration, with more keys.
pub fn entry(id: &str, provider: &TestProvider, more: &str) -> String {
    let issuer = provider.issuer();
    format!(
        "{{id: {id}, type: oidc, issuer: '{issuer}', client_id: '{CLIENT_ID}', client_secret: '{CLIENT_SECRET}'{}{more}}}",
        if more.is_empty() { "" } else { ", " }
    )
}

/// A Gatepass with these providers, whose clock is the first one's.
pub fn with_providers(entries: &[String]) -> Builder {
    builder().config(&format!("providers: [{}]", entries.join(", ")))
}

/// A Gatepass with the provider `corp`.
pub async fn app_with(provider: &TestProvider) -> TestApp {
    with_providers(&[entry("corp", provider, "")]).start().await
}

/// The request that begins a sign-in.
pub fn begin(provider: &str) -> BeginSignInRequest {
    BeginSignInRequest {
        provider: provider.to_owned(),
        redirect_uri: REDIRECT_URI.to_owned(),
        ..Default::default()
    }
}

/// The request of a browser that came back with this flow and this answer, by a route that several providers share.
pub fn come_back(flow: &str, answer: Answer) -> SignInRequest {
    let Answer { code, state, iss } = answer;
    of_callback(OAuthCallbackCredential { flow: flow.to_owned(), code, state, iss, ..Default::default() })
}

/// The request of this answer.
pub fn of_callback(callback: OAuthCallbackCredential) -> SignInRequest {
    let credential = Some(sign_in_request::Credential::OauthCallback(callback));
    SignInRequest { credential, ..Default::default() }
}

/// The request of an ID token that a client got by itself.
pub fn of_id_token(provider: &str, token: &str, binding: id_token_credential::Binding) -> SignInRequest {
    let credential =
        IdTokenCredential { provider: provider.to_owned(), token: token.to_owned(), binding: Some(binding) };
    SignInRequest { credential: Some(sign_in_request::Credential::IdToken(credential)), ..Default::default() }
}

impl TestApp {
    /// Begins a sign-in.
    pub async fn begin(&self, request: BeginSignInRequest) -> Result<BeginSignInResponse, Status> {
        self.auth.clone().begin_sign_in(request).await.map(Response::into_inner)
    }

    /// Begins a sign-in at `corp`, and lets the person log in there: the request of the browser that comes back.
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

    /// The whole way, whatever becomes of it.
    pub async fn try_sign_in_at(
        &self,
        provider: &TestProvider,
        person: Person,
    ) -> Result<Response<SignInResponse>, Status> {
        let request = self.log_in(provider, person).await;
        self.try_sign_in(request).await
    }

    /// The whole way, to a person who is in.
    pub async fn sign_in_at(&self, provider: &TestProvider, person: Person) -> SignInAllowed {
        allowed(self.try_sign_in_at(provider, person).await)
    }
}
