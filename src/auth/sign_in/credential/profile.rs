//! A profile that the caller vouches for.

use super::proven::{Proven, Proving};
use crate::auth::caller::Caller;
use crate::auth::error::Result;
use crate::model::Profile;

/// Accepts the profile from a caller that may vouch for the provider.
pub(super) fn prove(caller: &Caller, profile: Profile) -> Result<Proving> {
    caller.must_assert(&profile.identity.provider)?;
    Ok(Proving::Person(Box::new(Proven::vouched(profile))))
}
