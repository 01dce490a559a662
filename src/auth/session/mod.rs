//! Sessions: their tokens are issued, refreshed and read, and sign-outs end them.

pub(super) mod access_token;
mod audiences;
pub(super) mod get_session;
pub(super) mod issue_token;
pub(super) mod jwt_reader;
pub(super) mod readers;
pub(super) mod reference_reader;
pub(super) mod refresh_token;
pub(super) mod rotation;
pub(super) mod session_rows;
pub(super) mod sign_out;
pub(super) mod token_issuer;
pub(super) mod token_names;
pub(super) mod token_response;
pub(super) mod view;
