//! The token endpoint: a code for tokens, who we are there, and what it answers.

mod client_authentication;
mod exchange;
mod response;

pub(super) use client_authentication::OAuthClient;
pub(super) use exchange::redeem;
