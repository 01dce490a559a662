//! Signing in: a flow is begun, a credential verified, a user found, and a session opened or an account linked.

pub(super) mod answer;
mod attempt;
pub(super) mod begin;
pub(super) mod complete;
pub(super) mod counts;
pub(super) mod credential;
pub(super) mod denial;
pub(super) mod dropped_attributes;
mod flow;
pub(super) mod flows;
pub(super) mod link_account;
pub(super) mod open_session;
pub(super) mod outcome;
pub(super) mod pending_session;
mod person;
mod provider_deadline;
pub(in crate::auth) mod repeat;
pub(super) mod resolve_user;
mod sealed;
pub(super) mod signed_in;
mod sync;
