//! The creation of providers from their settings. It sends no request.

use std::sync::Arc;

use url::Url;

use super::address::may_be_asked;
use super::github::GitHubProvider;
use super::oauth2::OAuth2Provider;
use super::oidc::{Discovery, OidcProvider, Published};
use super::provider::Provider;
use super::provider_client::ProviderClient;
use super::settings::{ProviderKind, Settings};
use super::shared::Shared;
use super::token::OAuthClient;
use crate::model::{Clock, Entropy};
use crate::net::RefreshedCache;

/// Makes the provider of these settings. An error is a text for the operator and begins with the name of the setting.
/// Examples are an unreadable file or key, or an address that is missing or not allowed.
pub fn connect(
    settings: Settings,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
) -> Result<Arc<dyn Provider>, String> {
    let provider = ProviderClient::new(&settings, Arc::clone(&clock))?;
    let plaintext = settings.reach();
    let client = OAuthClient::new(
        settings.client_id.clone(),
        &settings.client_authentication,
        Arc::clone(&clock),
        entropy,
    )?;
    let shared = Shared::new(settings, provider, client, clock);
    let settings = &shared.settings;
    let (discovery_url, jwks_url) = match &settings.kind {
        ProviderKind::Oidc { discovery_url, jwks_url, .. } => (discovery_url, jwks_url),
        ProviderKind::OAuth2 { .. } | ProviderKind::GitHub { .. } => (&None, &None),
    };
    let urls = [
        ("discovery_url", discovery_url),
        ("jwks_url", jwks_url),
        ("authorization_url", &settings.authorization_url),
        ("token_url", &settings.token_url),
        ("userinfo_url", &settings.userinfo_url),
        ("emails_url", &settings.emails_url),
    ];
    for (name, url) in urls {
        if url.as_ref().is_some_and(|url| !may_be_asked(url, plaintext)) {
            return Err(format!("{name}: must be an https address"));
        }
    }
    let required = |name: &str, url: &Option<Url>| url.clone().ok_or_else(|| format!("{name}: is missing"));
    Ok(match settings.kind.clone() {
        ProviderKind::Oidc { issuer, userinfo, .. } => {
            let (client, clock) = (Arc::clone(&shared.provider), Arc::clone(&shared.clock));
            let discovery = Discovery::new(settings, &client, &clock)?;
            let discovery = Arc::new(discovery);
            let published = Published { discovery: Arc::clone(&discovery), client };
            let keys = RefreshedCache::new(published, clock, settings.timeout);
            Arc::new(OidcProvider { shared, issuer, userinfo, discovery, keys })
        }
        ProviderKind::OAuth2 { issuer } => Arc::new(OAuth2Provider {
            issuer,
            authorization_url: required("authorization_url", &settings.authorization_url)?,
            token_url: required("token_url", &settings.token_url)?,
            userinfo_url: required("userinfo_url", &settings.userinfo_url)?,
            shared,
        }),
        ProviderKind::GitHub { api, issuer } => {
            let at = |path: &str| {
                let url = Url::parse(&format!("{}/{path}", api.as_str().trim_end_matches('/')));
                url.ok()
                    .filter(|url| may_be_asked(url, plaintext))
                    .ok_or("enterprise_url: must be an https address")
            };
            Arc::new(GitHubProvider {
                issuer,
                authorization_url: required("authorization_url", &settings.authorization_url)?,
                token_url: required("token_url", &settings.token_url)?,
                user_url: at("user")?,
                // Otherwise there are 30 on a page, and the primary address may be on another.
                emails_url: at("user/emails?per_page=100")?,
                shared,
            })
        }
    })
}
