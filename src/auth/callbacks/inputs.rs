//! The inputs of the four callbacks.

use crate::auth::SessionView;
use crate::model::{Account, ClaimMap, Origin, SessionId, User};

/// The input of `sign_in`.
#[derive(Debug, Clone, Copy)]
pub struct SignInInput<'a> {
    /// The user as it will be stored; a new user is not stored yet.
    pub user: &'a User,
    /// The account that proves it.
    pub account: &'a Account,
    /// The profile that the provider sent, with clean attributes.
    pub profile: &'a ClaimMap,
    /// The members of the profile that were left out for its size; `*` stands for those whose names have no room.
    pub profile_omitted: &'a [String],
    /// The data that the application gave to `BeginSignIn` or `SignIn`; empty if none.
    pub app_data: &'a ClaimMap,
    /// Set if the user is new.
    pub is_new_user: bool,
    /// Set if the account is new. The id of a new account, like that of a new user, differs at the next attempt.
    pub is_new_account: bool,
    /// Caller, address and user agent.
    pub origin: &'a Origin,
}

crate::model::name_enum!(
    /// The occasions on which `jwt` is called.
    Trigger {
        /// A known user's grant is redeemed.
        SignIn = "SIGN_IN",
        /// A new user's grant is redeemed.
        SignUp = "SIGN_UP",
        /// A session is refreshed.
        Update = "UPDATE",
    }
);

/// The input of `jwt`.
#[derive(Debug, Clone, Copy)]
pub struct JwtInput<'a> {
    /// The occasion.
    pub trigger: Trigger,
    /// The user, fresh from the database.
    pub user: &'a User,
    /// The account that signed in; at `SIGN_IN` and `SIGN_UP` only.
    pub account: Option<&'a Account>,
    /// The profile that the provider sent; at `SIGN_IN` and `SIGN_UP` only.
    pub profile: Option<&'a ClaimMap>,
    /// The members of the profile that were left out for its size; `*` stands for those whose names have no room.
    pub profile_omitted: &'a [String],
    /// The data that the application gave to `BeginSignIn` or `SignIn`, empty if none; at `SIGN_IN` and `SIGN_UP` only.
    pub app_data: Option<&'a ClaimMap>,
    /// The session.
    pub session_id: SessionId,
    /// Caller, address and user agent of this call.
    pub origin: &'a Origin,
    /// The claims that callbacks added so far.
    pub claims: &'a ClaimMap,
    /// The changes that the client requested and `session.update_allow` lists; `claims` already contains them.
    pub update: &'a ClaimMap,
}

/// The input of `session`.
#[derive(Debug, Clone, Copy)]
pub struct SessionInput<'a> {
    /// The session as it would be returned.
    pub session: &'a SessionView,
    /// The claims that `jwt` and earlier `session` callbacks added.
    pub claims: &'a ClaimMap,
}

/// The input of `redirect`.
#[derive(Debug, Clone, Copy)]
pub struct RedirectInput<'a> {
    /// The URL that the built-in rule chose.
    pub url: &'a str,
    /// The base URL, an origin without a slash.
    pub base_url: &'a str,
}
