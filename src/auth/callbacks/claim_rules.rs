//! The declared types of claims, as the callers of callbacks apply them.

use std::borrow::Cow;
use std::sync::Arc;

use super::callback::Callback;
use crate::auth::error::{Error, Result};
use crate::metrics::LeftOutClaims;
use crate::model::{ClaimMap, ClaimTypeFault, ClaimTypes};

/// The declared types of claims, and the count of stored claims that no longer have them.
#[derive(Debug, Clone, Default)]
pub struct ClaimRules {
    /// The declared types.
    pub types: Arc<ClaimTypes>,
    /// Counts the stored claims that are left out.
    pub left_out: LeftOutClaims,
}

impl ClaimRules {
    /// Rejects changes that a client requests, if they are not as declared.
    pub(in crate::auth) fn check_update(&self, update: &ClaimMap) -> Result<()> {
        self.types.check_update(update).map_err(|fault| Error::invalid("update", fault.to_string()))
    }

    /// Returns stored claims without those that are not as declared: the configuration changed since they were stored.
    pub(super) fn fitting<'c>(&self, stored: &'c ClaimMap) -> Cow<'c, ClaimMap> {
        match self.types.unfit(stored) {
            0 => Cow::Borrowed(stored),
            unfit => {
                self.left_out.add(unfit);
                let mut claims = stored.clone();
                self.types.remove_unfit(&mut claims);
                Cow::Owned(claims)
            }
        }
    }

    /// Fails a callback whose additions are not as declared.
    pub(super) fn check_additions(&self, callback: Callback, additions: &ClaimMap) -> Result<()> {
        self.types.check_additions(additions).map_err(|fault| failed(callback, &fault))
    }

    /// Fails `jwt` if the claims that it leaves are not as declared, or a required one is missing.
    pub(super) fn check_all(&self, claims: &ClaimMap) -> Result<()> {
        self.types.check_all(claims).map_err(|fault| failed(Callback::Jwt, &fault))
    }
}

fn failed(callback: Callback, fault: &ClaimTypeFault) -> Error {
    callback.failed(fault.to_string()).into()
}
