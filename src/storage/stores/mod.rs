//! The stores: each trait is implemented for the database in its own file, or a step in one.

mod auth_log;
mod end_sessions;
mod feed;
mod keys;
mod link_account;
mod open_session;
mod session_row;
mod sessions;
mod sweep;
mod used_marks;
mod user_row;
mod users;
