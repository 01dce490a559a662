//! What a provider is asked.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::time::Instant;

use super::fault::ProviderFault;
use super::proof::Proof;
use super::settings::ResponseMode;
use crate::model::ProviderId;

/// The providers of the configuration, by their ids.
pub type Providers = HashMap<ProviderId, Arc<dyn Provider>>;

/// Somebody who proves people to us. Each question has an answer at `until`, whatever the provider does; its own `timeout`
/// may end it sooner.
#[async_trait]
pub trait Provider: Send + Sync {
    /// The page to send a browser to (RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2.1).
    async fn authorization_url(
        &self,
        request: &AuthorizationRequest<'_>,
        until: Instant,
    ) -> Result<String, ProviderFault>;

    /// Refuses the answer of somebody else (RFC 9207 section 2.4): `iss` must be this provider's issuer, and there if the
    /// provider says that it sends it.
    async fn check_issuer(&self, iss: Option<&str>, until: Instant) -> Result<(), ProviderFault>;

    /// Redeems a code for the provider's tokens, and proves by them who the person is (RFC 6749 section 4.1.3, OpenID Connect
    /// Core section 3.1.3).
    async fn redeem_code(&self, code: &AuthorizationCode<'_>, until: Instant)
    -> Result<Proof, ProviderFault>;

    /// Proves who the person is by an ID token that the client got by itself (OpenID Connect Core section 3.1.3.7). Its `nonce`
    /// must be this one.
    async fn verify_id_token(
        &self,
        token: &str,
        nonce: &SecretString,
        until: Instant,
    ) -> Result<Proof, ProviderFault>;

    /// Whether this provider issues ID tokens.
    fn has_id_tokens(&self) -> bool;

    /// How its answer comes back to the browser's origin.
    fn response_mode(&self) -> ResponseMode;
}

/// The parameters of an authorization request that nobody but the provider's own code sets: those that say who asks for what,
/// and those that tie the answer to this browser.
pub const RESERVED_PARAMS: &[&str] = &[
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "redirect_uri",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
];

/// What is asked of the provider's page.
#[derive(Debug)]
pub struct AuthorizationRequest<'a> {
    /// Where the browser comes back to.
    pub redirect_uri: &'a str,
    /// The scopes; those of the settings, if empty.
    pub scopes: &'a [String],
    /// What ties the answer to this browser.
    pub state: &'a SecretString,
    /// What ties the ID token to this flow.
    pub nonce: &'a SecretString,
    /// What ties the code to this flow (RFC 7636): its S256 challenge is sent.
    pub code_verifier: &'a SecretString,
    /// Further parameters, none of which is one that is set here.
    pub params: &'a [(String, String)],
}

/// What the provider's page answered, and what belongs to it.
pub struct AuthorizationCode<'a> {
    /// The code.
    pub code: &'a str,
    /// Where the browser came back to.
    pub redirect_uri: &'a str,
    /// The verifier whose challenge was sent.
    pub code_verifier: &'a SecretString,
    /// The nonce that was sent.
    pub nonce: &'a SecretString,
    /// The JSON that Apple posts at the first sign-in; only the name is taken from it.
    pub user: Option<&'a str>,
}
