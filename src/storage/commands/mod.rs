//! Input and outcome of the steps that the stores take.

mod change_keys;
mod end_sessions;
mod link_account;
mod open_session;
mod refresh_session;
mod sweepable;
mod update_user;

pub use change_keys::{KeyChange, KeyStep};
pub use end_sessions::{Ending, EndingAll, Revoked};
pub use link_account::{Linked, Linking};
pub use open_session::{AccountWrite, Opened, Opening, UserWrite};
pub use refresh_session::{Advance, Redemption, RotationStep};
pub use sweepable::Sweepable;
pub use update_user::UserUpdate;
