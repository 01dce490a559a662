//! Administration: users and their sessions.

pub(super) mod get_user;
pub(super) mod revoke_session;
pub(super) mod revoke_user_sessions;
pub(super) mod update_user;
