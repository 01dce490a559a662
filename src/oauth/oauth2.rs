//! Providers of OAuth 2.0 without ID tokens: their userinfo endpoint identifies a person by an access token.

use async_trait::async_trait;
use tokio::time::Instant;
use url::Url;

use super::authorization;
use super::fault::ProviderFault;
use super::profile::Told;
use super::proof::Proof;
use super::provider::{AuthorizationCode, AuthorizationPage, AuthorizationRequest, Provider, Turn};
use super::settings::ResponseMode;
use super::shared::{Shared, check_issuer};
use super::token;
use crate::model::AccountKind;

/// The member of a profile that holds the response of `emails_url`.
const EMAILS: &str = "emails";

/// A provider of OAuth 2.0.
pub(super) struct OAuth2Provider {
    pub(super) shared: Shared,
    pub(super) issuer: String,
    pub(super) authorization_url: Url,
    pub(super) token_url: Url,
    pub(super) userinfo_url: Url,
}

#[async_trait]
impl Provider for OAuth2Provider {
    async fn authorization_page(
        &self,
        request: &AuthorizationRequest<'_>,
        _: Instant,
    ) -> Result<AuthorizationPage, ProviderFault> {
        authorization::page(&self.authorization_url, &self.shared.settings, request, None)
    }

    fn turn(&self, until: Instant) -> Result<Turn, ProviderFault> {
        self.shared.turn(until)
    }

    async fn check_issuer(&self, iss: Option<&str>, _: &Turn) -> Result<(), ProviderFault> {
        check_issuer(iss, &[&self.issuer])
    }

    async fn redeem_code(&self, code: &AuthorizationCode<'_>, turn: &Turn) -> Result<Proof, ProviderFault> {
        let until = turn.until;
        let Shared { provider, settings, .. } = &self.shared;
        let tokens = token::redeem(&self.shared, &self.token_url, None, code, until).await?;
        let ask = |url| provider.userinfo(url, &tokens.access_token, &settings.userinfo_request, until);
        let claims = match &settings.emails_url {
            None => ask(&self.userinfo_url).await?.object()?,
            Some(emails_url) => {
                let (user, emails) = tokio::try_join!(ask(&self.userinfo_url), ask(emails_url))?;
                let mut claims = user.object()?;
                claims.insert(EMAILS.to_owned(), emails.document()?);
                claims
            }
        };
        let told = Told {
            settings,
            issuer: self.issuer.clone(),
            kind: AccountKind::OAuth,
            scope: self.shared.granted(&tokens, code.asked),
        };
        let profile = told.profile(&claims, claims.clone())?;
        Ok(Proof { profile, id_token: None, tokens: Some(tokens) })
    }

    fn response_mode(&self) -> ResponseMode {
        self.shared.settings.response_mode
    }
}
