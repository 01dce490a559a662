//! Input and outcome of the steps of the stores.

mod change_keys;
mod end_sessions;
mod link_account;
mod open_session;
mod recorded_request;
mod refresh_session;
mod sweepable;
mod update_user;

pub use change_keys::{ChangeSigningKeys, KeyStep};
pub use end_sessions::{EndSession, EndUserSessions, Revoked};
pub use link_account::{LinkAccount, Linked};
pub use open_session::{AccountWrite, OpenSession, Opened, UserWrite};
pub use recorded_request::{RecordOutcome, RecordRequest, RecordedRequest};
pub use refresh_session::{RedeemGrant, RotateRefreshToken, SessionAdvance};
pub use sweepable::Sweepable;
pub use update_user::UpdateUser;
