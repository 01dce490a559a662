//! `ResolveRedirect`: where a person may be sent (Auth.js `redirect`). Every redirect of the product is decided by
//! the one rule of `model::resolve_redirect`; what a callback answers passes it again.

use super::callbacks::{Callback, RedirectInput};
use super::error::{Error, Result};
use super::shared::Auth;
use crate::model::{Base, Disposition, RedirectUrl, resolve_redirect};

/// What `ResolveRedirect` asks.
#[derive(Debug)]
pub struct ResolveRedirect<'a> {
    /// Where the person wants to go; anything at all.
    pub url: &'a str,
    /// From which site; empty: the first of `base_urls`.
    pub base_url: &'a str,
}

impl Auth {
    /// Decides a redirect.
    pub async fn resolve_redirect(&self, request: ResolveRedirect<'_>) -> Result<(RedirectUrl, Disposition)> {
        let base =
            self.rules.base_urls.select(request.base_url).ok_or_else(|| {
                Error::invalid("base_url", "must be one of the configured base_urls, or empty")
            })?;
        self.redirect_from(&base, request.url).await
    }

    /// Decides a redirect on the default site.
    pub(super) async fn redirect_to(&self, url: &str) -> Result<RedirectUrl> {
        Ok(self.redirect_from(self.rules.base_urls.default_base(), url).await?.0)
    }

    async fn redirect_from(&self, base: &Base, url: &str) -> Result<(RedirectUrl, Disposition)> {
        let resolved = resolve_redirect(&self.rules.base_urls, base, url);
        if !self.parts.callbacks.has(Callback::Redirect) {
            return Ok(resolved);
        }
        let input = RedirectInput { url: resolved.0.as_str(), base_url: base.as_str() };
        match self.parts.callbacks.redirect(&input).await? {
            None => Ok(resolved),
            Some(answer) => Ok(resolve_redirect(&self.rules.base_urls, base, &answer)),
        }
    }
}
