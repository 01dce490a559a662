//! The profile of a person, from the fields of a provider.

use super::super::fault::{FaultKind, ProviderFault};
use super::super::settings::{ProfileFields, Settings};
use crate::model::{AccountKind, ClaimMap, Email, Profile};

/// The maximum size of a name in bytes; longer ones are truncated.
const MAX_NAME: usize = 512;
/// The maximum size of a picture's URL in bytes; a longer one is dropped.
const MAX_IMAGE: usize = 2048;

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
        let ProfileFields { id, email, email_verified, name, image } = fields;
        let provider_account_id = present(id).ok_or_else(|| unusable("no id"))?;
        let provider_account_id =
            provider_account_id.parse().map_err(|fault| unusable(format!("its id {fault}")))?;
        let email = match present(email) {
            None => None,
            Some(email) => {
                Some(Email::parse(&email).map_err(|fault| unusable(format!("its e-mail {fault}")))?)
            }
        };
        Ok(Profile {
            provider: self.settings.id.clone(),
            issuer: self.issuer,
            provider_account_id,
            kind: self.kind,
            scope: self.scope,
            email_verified: email_verified && email.is_some(),
            email,
            name: present(name).and_then(|name| printable(&name)),
            image: present(image)
                .filter(|image| image.len() <= MAX_IMAGE && !image.chars().any(char::is_control)),
            raw,
        })
    }
}

fn present(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Returns a name without control characters, truncated to the maximum size.
fn printable(name: &str) -> Option<String> {
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    let end = name.floor_char_boundary(MAX_NAME);
    present(Some(name[..end].trim().to_owned()))
}

fn unusable(cause: impl std::fmt::Display) -> ProviderFault {
    ProviderFault::new(FaultKind::Profile, format!("the profile: {cause}"))
}

#[cfg(test)]
mod tests;
