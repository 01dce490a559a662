//! The token endpoint: redeeming a code, client authentication, and the response.

mod client_authentication;
mod exchange;
mod response;

pub(super) use client_authentication::OAuthClient;
pub(super) use exchange::redeem;
