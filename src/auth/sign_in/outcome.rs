//! The response of `SignIn`.

use crate::auth::callbacks::Denial;
use crate::model::{Account, Ban, ProviderId, RedirectUrl, Timestamp, User};
use crate::oauth::ProviderTokens;
use crate::tokens::GrantToken;

/// The response of `SignIn`.
#[derive(Debug)]
pub enum SignInOutcome {
    /// The person is signed in.
    Allowed(Box<Allowed>),
    /// The sign-in is denied.
    Denied(Denied),
    /// A callback redirects the person first.
    Redirect(RedirectUrl),
}

/// A successful sign-in.
#[derive(Debug)]
pub struct Allowed {
    /// The user.
    pub user: User,
    /// The account that the person authenticated with.
    pub account: Account,
    /// True if the user is new.
    pub is_new_user: bool,
    /// The grant and its expiry; `None` if the account was linked.
    pub grant: Option<(GrantToken, Timestamp)>,
    /// The URL to send the person to.
    pub redirect_to: RedirectUrl,
    /// The tokens of the provider, returned only once.
    pub provider_tokens: Option<ProviderTokens>,
}

/// A sign-in that was denied.
#[derive(Debug)]
pub struct Denied {
    /// The reason.
    pub denial: Denial,
    /// The ban, if it is the reason.
    pub ban: Option<Ban>,
    /// The providers by which the owner of the e-mail address signs in.
    pub linked_providers: Vec<ProviderId>,
    /// The URL to send the person to.
    pub redirect_to: RedirectUrl,
}
