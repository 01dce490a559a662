//! A sign-in in progress.

use super::repeat::claim::Claim;
use crate::model::{Email, ProviderId, UserId};

/// A sign-in in progress: its person, as far as the log can describe them, and its flow.
#[derive(Default)]
pub(super) struct Attempt {
    pub(super) provider: Option<ProviderId>,
    pub(super) email: Option<Email>,
    pub(super) user_id: Option<UserId>,
    /// The claim on the flow, if the call may be repeated.
    pub(super) claim: Option<Claim>,
    /// True if the call has used its flow: a retry can't succeed.
    pub(super) used_flow: bool,
    /// True if the browser brought an error that tells of a wrong configuration. Anybody can send one.
    pub(super) is_reported: bool,
}
