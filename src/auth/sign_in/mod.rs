//! Signing in: a flow is begun, a credential proven, a user found, a session opened or an account linked.

pub(super) mod begin;
pub(super) mod complete;
pub(super) mod credential;
pub(super) mod denial;
pub(super) mod flow;
pub(super) mod link_account;
pub(super) mod open_session;
pub(super) mod pending_session;
pub(super) mod resolve_user;
pub(super) mod signed_in;
