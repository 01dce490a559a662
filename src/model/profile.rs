//! Who a person says to be, once somebody vouched for it.

use super::claims::ClaimMap;
use super::email::Email;
use super::provider::{ProviderAccountId, ProviderId};
use super::user::AccountKind;

/// A person as a provider, or a caller that vouches, tells it.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The provider.
    pub provider: ProviderId,
    /// The issuer the identity was made under; empty for one that a caller vouches for.
    pub issuer: String,
    /// The person's id there.
    pub provider_account_id: ProviderAccountId,
    /// How it was proven.
    pub kind: AccountKind,
    /// The scopes that the provider granted, if it told.
    pub scope: Option<String>,
    /// E-mail.
    pub email: Option<Email>,
    /// Whether the e-mail was verified.
    pub email_verified: bool,
    /// Display name.
    pub name: Option<String>,
    /// Address of a picture.
    pub image: Option<String>,
    /// Everything else that was told.
    pub raw: ClaimMap,
}

impl Profile {
    /// The e-mail, if it may be looked up and linked.
    #[must_use]
    pub fn verified_email(&self) -> Option<&Email> {
        self.email.as_ref().filter(|_| self.email_verified)
    }

    /// What callbacks see as `profile`: all that was told; where it differs, what was vouched for wins.
    #[must_use]
    pub fn to_claims(&self) -> ClaimMap {
        let mut claims = self.raw.clone();
        let mut set = |name: &str, value: Option<&str>| match value {
            Some(value) => drop(claims.insert(name.to_owned(), value.into())),
            None => drop(claims.remove(name)),
        };
        set("sub", Some(self.provider_account_id.as_str()));
        set("email", self.email.as_ref().map(Email::as_str));
        set("name", self.name.as_deref());
        set("picture", self.image.as_deref());
        claims.insert("email_verified".to_owned(), self.email_verified.into());
        claims
    }
}
