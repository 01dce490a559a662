//! `BeginSignIn`: returns the URL at which a browser signs in (Auth.js `signIn()`). It writes nothing: the state that
//! is needed later is sealed in the flow.

use std::collections::HashMap;
use std::sync::Arc;

use super::flow::{FLOW_TTL, cookie_name};
use super::flows::Flows;
use super::provider_deadline::provider_until;
use super::signed_in::LinkSessions;
use crate::auth::caller::Call;
use crate::auth::error::{Error, Result};
use crate::auth::rules::ProviderRules;
use crate::model::{BaseUrls, ClaimMap, Disposition, ProviderId, SessionId, Timestamp, resolve_redirect};
use crate::oauth::{AuthorizationRequest, MAX_AGE, Providers, ResponseMode};

/// The maximum size of a redirect URI, in bytes; the flow stores it.
const MAX_REDIRECT_URI: usize = 512;

/// The request of `BeginSignIn`.
pub struct BeginSignInRequest {
    /// The provider.
    pub provider: ProviderId,
    /// The redirect URI; if empty, the first that is configured.
    pub redirect_uri: String,
    /// The URL that the person should end up at; any text.
    pub redirect_to: String,
    /// The scopes to request; if empty, the configured ones.
    pub scopes: Vec<String>,
    /// Further parameters; none of them is a parameter of the protocol itself.
    pub params: Vec<(String, String)>,
    /// An access token of the user who wants to link an account; if empty, nothing is linked.
    pub link_access_token: String,
    /// Data of the application for the callbacks; empty if none.
    pub app_data: ClaimMap,
}

/// The response of `BeginSignIn`.
pub struct Begun {
    /// The URL to send the browser to.
    pub authorization_url: String,
    /// The sealed flow, to be kept until the browser comes back.
    pub flow: String,
    /// The expiry of the flow.
    pub expires_at: Timestamp,
    /// The name of the cookie that stores the flow.
    pub cookie_name: String,
    /// True if the browser comes back by a POST from another site, which carries only cookies of `SameSite=None`.
    pub comes_back_by_post: bool,
    /// The lifetime of the cookie.
    pub max_age: std::time::Duration,
}

/// The use case `BeginSignIn`.
pub struct BeginSignIn {
    /// The configured providers.
    pub providers: Arc<Providers>,
    /// Begins and seals flows.
    pub flows: Flows,
    /// Finds the session to link an account from.
    pub link_sessions: Arc<LinkSessions>,
    /// The redirect URIs that are allowed.
    pub redirects: RedirectRules,
}

/// The rules for redirect URIs, and for the URLs that people are sent to.
#[derive(Clone)]
pub struct RedirectRules {
    /// The sites that redirects may go to.
    pub base_urls: Arc<BaseUrls>,
    /// The configured rules of each provider.
    pub providers: Arc<HashMap<ProviderId, ProviderRules>>,
}

impl BeginSignIn {
    /// Begins a sign-in at a provider.
    pub async fn run(&self, call: &Call, request: BeginSignInRequest) -> Result<Begun> {
        let provider = self.providers.get(&request.provider).ok_or(Error::ProviderNotFound)?;
        let redirect_uri = self.redirects.redirect_uri(&request.provider, &request.redirect_uri)?;
        if !provider.has_id_tokens() && request.params.iter().any(|(name, _)| name == MAX_AGE) {
            let what = "is not supported by a provider without ID tokens";
            return Err(Error::invalid("authorization_params[max_age]", what));
        }
        let link = self.link_from(call, &request.link_access_token).await?;
        let redirect_to = self.redirects.wanted(&request.redirect_to);
        let (mut flow, state) = self.flows.begin(request.provider.clone(), redirect_uri, redirect_to, link);
        flow.app_data = request.app_data;
        let asked = AuthorizationRequest {
            redirect_uri: &flow.redirect_uri,
            scopes: &request.scopes,
            state: &state,
            nonce: &flow.nonce,
            code_verifier: &flow.code_verifier,
            params: &request.params,
        };
        let page = provider
            .authorization_page(&asked, provider_until())
            .await
            .map_err(|fault| Error::of_provider(&request.provider, fault))?;
        flow.asked = page.asked;
        let expires_at = flow.expires_at;
        Ok(Begun {
            authorization_url: page.url,
            flow: self.flows.seal(&call.caller.group, flow)?,
            expires_at,
            cookie_name: cookie_name(&state),
            comes_back_by_post: provider.response_mode() == ResponseMode::FormPost,
            max_age: FLOW_TTL,
        })
    }

    async fn link_from(&self, call: &Call, access_token: &str) -> Result<Option<SessionId>> {
        if access_token.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.link_sessions.signed_in(call, access_token).await?.session.id))
    }
}

impl RedirectRules {
    /// Chooses the redirect URI: a configured URI byte for byte, or one on a base URL in the spelling of the redirect
    /// rule.
    fn redirect_uri(&self, provider: &ProviderId, asked: &str) -> Result<String> {
        let known = self.providers.get(provider);
        let listed = known.map(|rules| rules.redirect_uris.as_slice()).unwrap_or_default();
        let refuse = |what: &str| Err(Error::invalid("redirect_uri", what));
        if asked.is_empty() {
            return match listed.first() {
                Some(first) => Ok(first.clone()),
                None => refuse("is required, because the provider has no configured redirect_uris"),
            };
        }
        if listed.iter().any(|uri| uri == asked) {
            return Ok(asked.to_owned());
        }
        if asked.len() > MAX_REDIRECT_URI {
            return refuse("must have at most 512 bytes");
        }
        let (url, disposition) = resolve_redirect(&self.base_urls, self.base_urls.default_base(), asked);
        let on_a_base = matches!(disposition, Disposition::SameOrigin | Disposition::AllowedOrigin);
        // RFC 6749 section 3.1.2: no fragment.
        if on_a_base && url.as_str() == asked && !asked.contains('#') {
            return Ok(asked.to_owned());
        }
        refuse(
            "must be one of the provider's redirect_uris, or an absolute URL without fragment on one of base_urls",
        )
    }

    /// Resolves the URL that the person requested, by the rule alone; the callbacks are called when the browser comes
    /// back.
    fn wanted(&self, url: &str) -> String {
        if url.is_empty() {
            return String::new();
        }
        resolve_redirect(&self.base_urls, self.base_urls.default_base(), url).0.into()
    }
}
