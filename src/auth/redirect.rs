//! `ResolveRedirect`: decides where a person is sent (Auth.js `redirect`). The one rule of `model::resolve_redirect`
//! decides every redirect; the answer of a callback must pass the same rule.

use super::callbacks::Invoke;
use super::error::{Error, Result};
use crate::model::{Disposition, RedirectUrl};

/// The request of `ResolveRedirect`.
#[derive(Debug)]
pub struct ResolveRedirectRequest<'a> {
    /// The URL that the person requested; any text.
    pub url: &'a str,
    /// The base URL of the site; if empty, the first of `base_urls`.
    pub base_url: &'a str,
}

/// The use case `ResolveRedirect`.
pub struct ResolveRedirect {
    /// The callbacks, and the origins that redirects may go to.
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
