//! Revocations in memory: an index that every `GetSession` queries, and the follower that fills it from the feed.
//! Changes of this replica take effect immediately.

pub(super) mod end;
mod follower;
mod index;
mod known;
mod order;
mod position;
mod publish;

pub use end::SessionEnder;
pub use follower::{Follower, FollowerRules, FollowerState};
pub use index::Revocations;
pub use known::{UserNow, UserRead};
pub use position::{Gone, Position};
pub use publish::LocalRevocations;
