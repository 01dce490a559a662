//! The callbacks as the use cases call them.

use std::sync::Arc;

use super::ask;
use super::callbacks::{Callback, Callbacks, JwtInput, SignInDecision, SignInInput};
use super::error::Result;
use super::session::view::SessionView;
use crate::model::{Base, BaseUrls, ClaimMap, Disposition, RedirectUrl};

/// Calls the callbacks and checks what they answer.
#[derive(Clone)]
pub struct Invoke {
    /// The chain of callbacks.
    pub callbacks: Arc<dyn Callbacks>,
    /// The sites that redirects may go to.
    pub base_urls: Arc<BaseUrls>,
}

impl Invoke {
    /// Decides whether a person may sign in.
    pub(super) fn sign_in(&self, input: &SignInInput<'_>) -> impl Future<Output = Result<SignInDecision>> {
        ask::sign_in(&*self.callbacks, input)
    }

    /// Makes the claims of a session's next token from those that it has.
    pub(super) fn jwt(&self, input: &JwtInput<'_>) -> impl Future<Output = Result<ClaimMap>> {
        ask::jwt(&*self.callbacks, input)
    }

    /// Adds claims to the view of a session.
    pub(super) fn session(&self, session: &mut SessionView) -> impl Future<Output = Result<()>> {
        ask::session(&*self.callbacks, session)
    }

    /// Decides a redirect from this base.
    pub(super) fn redirect(
        &self,
        base: &Base,
        url: &str,
    ) -> impl Future<Output = Result<(RedirectUrl, Disposition)>> {
        ask::redirect(&*self.callbacks, &self.base_urls, base, url)
    }

    /// Decides a redirect of a sign-in: from the default base, within the time of the call.
    pub(super) async fn redirect_of_sign_in(&self, url: &str) -> Result<RedirectUrl> {
        let decided = self.redirect(self.base_urls.default_base(), url);
        Ok(ask::in_time(Callback::Redirect, decided).await?.0)
    }
}
