//! Revocations in memory: an index that every `GetSession` asks, and the follower that reads the feed into it.

mod follower;
mod index;
mod known;
mod order;
mod position;

pub use follower::{Follower, FollowerRules, FollowerState};
pub use index::Revocations;
pub use known::{UserNow, UserRead};
pub use position::{Gone, Position};
