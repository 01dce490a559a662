//! The operations of a provider.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::fault::{FaultKind, ProviderFault};
use super::proof::Proof;
use super::settings::ResponseMode;
use crate::model::ProviderId;

/// The providers of the configuration, by their ids.
pub type Providers = HashMap<ProviderId, Arc<dyn Provider>>;

/// A provider that authenticates people. Each operation ends at `until`, or at the end of its turn, whatever the
/// provider does; its own `timeout` may end it sooner.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Makes the page to send a browser to (RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2.1).
    async fn authorization_page(
        &self,
        request: &AuthorizationRequest<'_>,
        until: Instant,
    ) -> Result<AuthorizationPage, ProviderFault>;

    /// Takes a turn for a person who came back from the provider's page; fails if too many are taken. It is taken
    /// before the flow is used, so that a rejected person can try again.
    fn turn(&self, until: Instant) -> Result<Turn, ProviderFault>;

    /// Rejects a response of another issuer (RFC 9207 section 2.4). `iss` must be this provider's issuer, and is
    /// required if the provider declares that it sends it.
    async fn check_issuer(&self, iss: Option<&str>, turn: &Turn) -> Result<(), ProviderFault>;

    /// Redeems a code for the provider's tokens, and identifies the person by them (RFC 6749 section 4.1.3, OpenID
    /// Connect Core section 3.1.3).
    async fn redeem_code(&self, code: &AuthorizationCode<'_>, turn: &Turn) -> Result<Proof, ProviderFault>;

    /// Verifies an ID token that the client obtained itself (OpenID Connect Core section 3.1.3.7). Its `nonce` must be
    /// this one, and the requested terms must be met. Without a nonce, the token must have none, and be new. It is rejected
    /// if the provider issues no ID tokens.
    async fn verify_id_token(
        &self,
        _token: &str,
        _nonce: Option<&str>,
        _asked: &Asked,
        _until: Instant,
    ) -> Result<Proof, ProviderFault> {
        Err(ProviderFault::new(FaultKind::IdTokenMissing, "this provider issues no ID tokens"))
    }

    /// Returns true if this provider issues ID tokens that need no nonce.
    fn nonce_is_optional(&self) -> bool {
        false
    }

    /// Returns true if this provider issues ID tokens.
    fn has_id_tokens(&self) -> bool {
        false
    }

    /// Returns the response mode: how its response reaches the browser's origin.
    fn response_mode(&self) -> ResponseMode;
}

/// A permit to redeem a code at a provider, and the deadline of all its requests.
#[derive(Debug)]
pub struct Turn {
    /// The given deadline, or the provider's own `timeout` from the start of the turn.
    pub until: Instant,
    pub(super) _room: OwnedSemaphorePermit,
}

/// The request to the provider's page.
#[derive(Debug)]
pub struct AuthorizationRequest<'a> {
    /// The redirect URI.
    pub redirect_uri: &'a str,
    /// The scopes; if empty, those of the settings.
    pub scopes: &'a [String],
    /// The text that binds the response to this browser.
    pub state: &'a SecretString,
    /// The text that binds the ID token to this flow.
    pub nonce: &'a SecretString,
    /// The text that binds the code to this flow (RFC 7636): its S256 challenge is sent.
    pub code_verifier: &'a SecretString,
    /// Further parameters; none of them is set by Gatepass itself.
    pub params: &'a [(String, String)],
}

/// The provider's page, and the requested terms.
#[derive(Debug)]
pub struct AuthorizationPage {
    /// Its address, with all parameters.
    pub url: String,
    /// The terms that its response must meet; stored in the flow.
    pub asked: Asked,
}

/// The terms that a flow requested and a response must meet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// The scopes, separated by spaces; `None` if they are those of the settings.
    pub scope: Option<String>,
    /// `max_age`: the longest time since the person authenticated at the provider.
    pub max_age: Option<Duration>,
}

/// The response of the provider's page, with the values of its flow.
pub struct AuthorizationCode<'a> {
    /// The code.
    pub code: &'a str,
    /// The redirect URI that the browser used.
    pub redirect_uri: &'a str,
    /// The verifier whose challenge was sent.
    pub code_verifier: &'a SecretString,
    /// The nonce that was sent.
    pub nonce: &'a SecretString,
    /// The requested terms.
    pub asked: &'a Asked,
    /// The JSON that Apple posts at the first sign-in; only the name is used.
    pub user: Option<&'a str>,
}
