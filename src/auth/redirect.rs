//! `ResolveRedirect`: where a person may be sent (Auth.js `redirect`). Every redirect of the product is decided by
//! the one rule of `model::resolve_redirect`; what a callback answers passes it again.

use super::callbacks::Invoke;
use super::error::{Error, Result};
use crate::model::{Disposition, RedirectUrl};

/// The request of `ResolveRedirect`.
#[derive(Debug)]
pub struct ResolveRedirectRequest<'a> {
    /// The place the person wants to go to; any text.
    pub url: &'a str,
    /// From which site; empty: the first of `base_urls`.
    pub base_url: &'a str,
}

/// The use case `ResolveRedirect`.
pub struct ResolveRedirect {
    /// The callbacks, and where redirects may go.
    pub invoke: Invoke,
}

impl ResolveRedirect {
    /// Decides a redirect.
    pub async fn run(&self, request: ResolveRedirectRequest<'_>) -> Result<(RedirectUrl, Disposition)> {
        let base =
            self.invoke.base_urls.select(request.base_url).ok_or_else(|| {
                Error::invalid("base_url", "must be one of the configured base_urls, or empty")
            })?;
        self.invoke.redirect(&base, request.url).await
    }
}
