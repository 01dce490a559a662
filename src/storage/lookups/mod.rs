//! Reading of rows, on any connection: one by its key, users by their ids, a page of the feed.

mod by_key;
mod feed;
mod users;

pub(super) use by_key::Lookups;
pub(super) use feed::{entries_after, select_after};
pub(super) use users::users_of;
