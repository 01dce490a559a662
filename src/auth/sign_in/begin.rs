//! `BeginSignIn`: where to send a browser to be signed in (Auth.js `signIn()`). Writes nothing: what must be known later
//! is sealed in the flow.

use std::collections::HashMap;
use std::sync::Arc;

use super::flow::{FLOW_TTL, cookie_name};
use super::flows::Flows;
use super::provider_deadline::provider_until;
use super::signed_in::LinkSessions;
use crate::auth::caller::Call;
use crate::auth::error::{Error, Result};
use crate::auth::rules::ProviderRules;
use crate::model::{BaseUrls, Disposition, ProviderId, SessionId, Timestamp, resolve_redirect};
use crate::oauth::{AuthorizationRequest, MAX_AGE, Providers, ResponseMode};

/// The most bytes of a redirect URI: it is kept in the flow.
const MAX_REDIRECT_URI: usize = 512;

/// The request of `BeginSignIn`.
pub struct BeginSignInRequest {
    /// The provider.
    pub provider: ProviderId,
    /// The address it sends the browser back to; empty: the first that is configured.
    pub redirect_uri: String,
    /// The place the person should end up at; any text.
    pub redirect_to: String,
    /// The scopes to ask for; empty: the configured ones.
    pub scopes: Vec<String>,
    /// Further parameters, none of which is one of the protocol's own.
    pub params: Vec<(String, String)>,
    /// An access token of the person who wants to link an account; empty: nobody does.
    pub link_access_token: String,
}

/// The response of `BeginSignIn`.
pub struct Begun {
    /// The address to send the browser to.
    pub authorization_url: String,
    /// The sealed flow, to be kept until the browser comes back.
    pub flow: String,
    /// The expiry of the flow.
    pub expires_at: Timestamp,
    /// The name of the cookie to keep it in.
    pub cookie_name: String,
    /// The browser comes back by a POST from another site, which carries cookies of `SameSite=None` only.
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
    /// The addresses that browsers may come back to.
    pub redirects: RedirectRules,
}

/// The addresses that browsers may come back to, and persons be sent to.
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
            let what = "means nothing at a provider without ID tokens: nothing would prove it";
            return Err(Error::invalid("authorization_params[max_age]", what));
        }
        let link = self.link_from(call, &request.link_access_token).await?;
        let redirect_to = self.redirects.wanted(&request.redirect_to);
        let (mut flow, state) = self.flows.begin(request.provider.clone(), redirect_uri, redirect_to, link);
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
    /// Chooses where the browser comes back to: a configured address byte for byte, or one on a base URL as the redirect
    /// rule spells it.
    fn redirect_uri(&self, provider: &ProviderId, asked: &str) -> Result<String> {
        let known = self.providers.get(provider);
        let listed = known.map(|rules| rules.redirect_uris.as_slice()).unwrap_or_default();
        let refuse = |what: &str| Err(Error::invalid("redirect_uri", what));
        if asked.is_empty() {
            return match listed.first() {
                Some(first) => Ok(first.clone()),
                None => refuse("is required: the provider has no redirect_uris in the configuration"),
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

    /// Resolves where the person wants to go, as far as the rule lets them: the callbacks are asked when they come back.
    fn wanted(&self, url: &str) -> String {
        if url.is_empty() {
            return String::new();
        }
        resolve_redirect(&self.base_urls, self.base_urls.default_base(), url).0.into()
    }
}
