//! Revocations in memory: an index that every `GetSession` asks, the follower that reads the feed into it, and what
//! takes effect here at once because this replica did it.

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
