//! The response of `SignIn`.

use crate::auth::callbacks::Denial;
use crate::model::{Account, ProviderId, RedirectUrl, Timestamp, User};
use crate::oauth::ProviderTokens;
use crate::tokens::GrantToken;

/// The response of `SignIn`.
#[derive(Debug)]
pub enum SignInOutcome {
    /// The person is in.
    Allowed(Box<Allowed>),
    /// The person is not.
    Denied(Denied),
    /// A callback sends the person elsewhere first.
    Redirect(RedirectUrl),
}

/// A sign-in that went well.
#[derive(Debug)]
pub struct Allowed {
    /// The user.
    pub user: User,
    /// The account that proved it.
    pub account: Account,
    /// The user is new.
    pub is_new_user: bool,
    /// The grant, and until when it can be redeemed; none where the account was linked.
    pub grant: Option<(GrantToken, Timestamp)>,
    /// The place to send the person to.
    pub redirect_to: RedirectUrl,
    /// The provider's tokens, this once.
    pub provider_tokens: Option<ProviderTokens>,
}

/// A sign-in that was denied.
#[derive(Debug)]
pub struct Denied {
    /// Why.
    pub denial: Denial,
    /// The providers by which the owner of the e-mail signs in.
    pub linked_providers: Vec<ProviderId>,
    /// The place to send the person to.
    pub redirect_to: RedirectUrl,
}
