//! `ResolveRedirect`: where a person may be sent (Auth.js `redirect`). Every redirect of the product is decided by
//! the one rule of `model::resolve_redirect`; what a callback answers passes it again.

use super::ask;
use super::callbacks::Callback;
use super::error::{Error, Result};
use super::shared::Auth;
use crate::model::{Disposition, RedirectUrl};

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
        ask::redirect(&self.parts.callbacks, &self.rules.base_urls, &base, request.url).await
    }

    /// Decides a redirect of a sign-in: on the default site.
    pub(super) async fn redirect_to(&self, url: &str) -> Result<RedirectUrl> {
        let bases = &self.rules.base_urls;
        let decided = ask::redirect(&self.parts.callbacks, bases, bases.default_base(), url);
        Ok(ask::in_time(Callback::Redirect, decided).await?.0)
    }
}
