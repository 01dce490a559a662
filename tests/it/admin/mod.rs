//! The administrator's calls.

mod get_user;
mod not_yet;
mod revoke_session;
mod revoke_user_sessions;
mod update_user;
