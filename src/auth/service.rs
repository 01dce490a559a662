//! The use cases, as the transport uses them.

use std::sync::Arc;

use super::admin::get_user::GetUser;
use super::admin::revoke_session::RevokeSession;
use super::admin::revoke_user_sessions::RevokeUserSessions;
use super::admin::update_user::UpdateUser;
use super::audit::Audit;
use super::redirect::ResolveRedirect;
use super::session::get_session::GetSession;
use super::session::issue_token::IssueToken;
use super::session::refresh_token::RefreshToken;
use super::session::sign_out::SignOut;
use super::sign_in::answer::SignIn;
use super::sign_in::begin::BeginSignIn;
use crate::model::{Clock, Timestamp};

/// The use cases, each named like its RPC.
pub struct Auth {
    /// Begins a sign-in at a provider.
    pub begin_sign_in: BeginSignIn,
    /// Signs a person in.
    pub sign_in: SignIn,
    /// Redeems a grant.
    pub issue_token: IssueToken,
    /// Refreshes a session.
    pub refresh_token: RefreshToken,
    /// Reads a session.
    pub get_session: GetSession,
    /// Decides a redirect.
    pub resolve_redirect: ResolveRedirect,
    /// Ends sessions by one of their tokens.
    pub sign_out: SignOut,
    /// Finds a user.
    pub get_user: GetUser,
    /// Changes a user.
    pub update_user: UpdateUser,
    /// Ends a session.
    pub revoke_session: RevokeSession,
    /// Ends every session of a user.
    pub revoke_user_sessions: RevokeUserSessions,
    /// The auth log, for callers that are denied.
    pub audit: Arc<Audit>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

impl Auth {
    /// Returns the current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
