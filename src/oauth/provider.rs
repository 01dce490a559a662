//! The questions that a provider is asked.

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

/// A provider that proves people to us. Each question has an answer at `until`, or at the end of its turn, whatever the provider
/// does; its own `timeout` may end it sooner.
#[async_trait]
pub trait Provider: Send + Sync {
    /// The page to send a browser to (RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2.1).
    async fn authorization_page(
        &self,
        request: &AuthorizationRequest<'_>,
        until: Instant,
    ) -> Result<AuthorizationPage, ProviderFault>;

    /// A turn for somebody who came back from the provider's page; none where too many have one. It is taken before their
    /// flow is used, so that who finds no room can come again.
    fn turn(&self, until: Instant) -> Result<Turn, ProviderFault>;

    /// Refuses the answer of somebody else (RFC 9207 section 2.4): `iss` must be this provider's issuer, and there if the
    /// provider says that it sends it.
    async fn check_issuer(&self, iss: Option<&str>, turn: &Turn) -> Result<(), ProviderFault>;

    /// Redeems a code for the provider's tokens, and proves by them who the person is (RFC 6749 section 4.1.3, OpenID Connect
    /// Core section 3.1.3).
    async fn redeem_code(&self, code: &AuthorizationCode<'_>, turn: &Turn) -> Result<Proof, ProviderFault>;

    /// Proves who the person is by an ID token that the client got by itself (OpenID Connect Core section 3.1.3.7). Its `nonce`
    /// must be this one, and what was asked must hold. Refused where it issues none.
    async fn verify_id_token(
        &self,
        _token: &str,
        _nonce: &str,
        _asked: &Asked,
        _until: Instant,
    ) -> Result<Proof, ProviderFault> {
        Err(ProviderFault::new(FaultKind::IdTokenMissing, "this provider issues no ID tokens"))
    }

    /// Tells whether this provider issues ID tokens.
    fn has_id_tokens(&self) -> bool {
        false
    }

    /// The way in which its answer comes back to the browser's origin.
    fn response_mode(&self) -> ResponseMode;
}

/// Room for one person among those whose codes a provider is asked to redeem, and until when all that it is asked for them
/// has its answer.
#[derive(Debug)]
pub struct Turn {
    /// The time that was given, or the provider's own `timeout` from the beginning of the turn.
    pub until: Instant,
    pub(super) _room: OwnedSemaphorePermit,
}

/// The request to the provider's page.
#[derive(Debug)]
pub struct AuthorizationRequest<'a> {
    /// The address that the browser comes back to.
    pub redirect_uri: &'a str,
    /// The scopes; those of the settings, if empty.
    pub scopes: &'a [String],
    /// The text that ties the answer to this browser.
    pub state: &'a SecretString,
    /// The text that ties the ID token to this flow.
    pub nonce: &'a SecretString,
    /// The text that ties the code to this flow (RFC 7636): its S256 challenge is sent.
    pub code_verifier: &'a SecretString,
    /// Further parameters, none of which is one that is set here.
    pub params: &'a [(String, String)],
}

/// The provider's page, and what it is asked.
#[derive(Debug)]
pub struct AuthorizationPage {
    /// Its address, with all parameters.
    pub url: String,
    /// The terms that its answer is held to; kept with the flow.
    pub asked: Asked,
}

/// The terms that a flow asked for and an answer is held to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// The scopes, separated by spaces; none where they are those of the settings.
    pub scope: Option<String>,
    /// `max_age`: how long ago the person may have proved themselves to the provider.
    pub max_age: Option<Duration>,
}

/// The answer of the provider's page, with what belongs to it.
pub struct AuthorizationCode<'a> {
    /// The code.
    pub code: &'a str,
    /// The address that the browser came back to.
    pub redirect_uri: &'a str,
    /// The verifier whose challenge was sent.
    pub code_verifier: &'a SecretString,
    /// The nonce that was sent.
    pub nonce: &'a SecretString,
    /// The terms that were asked for.
    pub asked: &'a Asked,
    /// The JSON that Apple posts at the first sign-in; only the name is taken from it.
    pub user: Option<&'a str>,
}
