//! Conversion between messages and domain types. Reading collects every invalid field of a request with its path;
//! writing can't fail.

mod admin;
mod auth;
mod begin_sign_in;
mod json;
mod read;
mod sign_in;
mod write;

pub(super) use admin::{read_user_key, read_user_update};
pub(super) use auth::{
    read_get_session, read_issue_token, read_refresh_token, read_sign_out, write_issued, write_refreshed,
    write_session_answer,
};
pub(super) use begin_sign_in::{read_begin_sign_in, write_begun};
pub(super) use json::{read_struct, write_struct};
pub(super) use sign_in::{read_sign_in, write_sign_in};
pub(super) use write::{write_account, write_disposition, write_session, write_user};
