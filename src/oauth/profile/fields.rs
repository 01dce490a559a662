//! The profile of a person, from the fields of a provider. Only the id must be usable.

use super::super::fault::{FaultKind, ProviderFault};
use super::super::settings::{ProfileFields, Settings};
use crate::model::{AccountKind, ClaimMap, Identity, Profile, ToldAttributes};

/// The source of a profile, and its context.
pub(in crate::oauth) struct Told<'a> {
    pub(in crate::oauth) settings: &'a Settings,
    pub(in crate::oauth) issuer: String,
    pub(in crate::oauth) kind: AccountKind,
    pub(in crate::oauth) scope: Option<String>,
}

impl Told<'_> {
    /// Makes the profile from the fields; `raw` is stored with it.
    pub(in crate::oauth) fn profile(
        self,
        claims: &ClaimMap,
        raw: ClaimMap,
    ) -> Result<Profile, ProviderFault> {
        let fields = self.settings.profile.read(claims).map_err(unusable)?;
        let ProfileFields { id, email, email_verified, name, image, unusable: unreadable } = fields;
        let id = id.filter(|id| !id.is_empty()).ok_or_else(|| unusable("no id"))?;
        let identity = Identity {
            provider: self.settings.id.clone(),
            issuer: self.issuer,
            provider_account_id: id.parse().map_err(|fault| unusable(format!("its id {fault}")))?,
            kind: self.kind,
            scope: self.scope,
        };
        let told = ToldAttributes { email, email_verified, name, image, unusable: unreadable };
        Ok(Profile::new(identity, told, raw))
    }
}

fn unusable(cause: impl std::fmt::Display) -> ProviderFault {
    ProviderFault::new(FaultKind::Profile, format!("the profile: {cause}"))
}

#[cfg(test)]
mod tests;
