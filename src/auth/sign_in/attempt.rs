//! A sign-in in progress, as far as the log can describe it.

use crate::model::{Email, ProviderId, UserId};

/// The person of a sign-in, as far as known.
#[derive(Debug, Default)]
pub(super) struct Attempt {
    pub(super) provider: Option<ProviderId>,
    pub(super) email: Option<Email>,
    pub(super) user_id: Option<UserId>,
}
