//! The identity of a person, as vouched for by a provider or a caller.

use super::claims::ClaimMap;
use super::email::Email;
use super::provider::{ProviderAccountId, ProviderId};
use super::user::AccountKind;

/// A person as described by a provider, or by a caller that vouches for them.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The provider.
    pub provider: ProviderId,
    /// The issuer of the identity; empty if a caller vouches for it.
    pub issuer: String,
    /// The person's id at the provider.
    pub provider_account_id: ProviderAccountId,
    /// The kind of proof.
    pub kind: AccountKind,
    /// The scopes that the provider granted, if known.
    pub scope: Option<String>,
    /// E-mail address.
    pub email: Option<Email>,
    /// True if the e-mail address was verified.
    pub email_verified: bool,
    /// Display name.
    pub name: Option<String>,
    /// URL of a picture.
    pub image: Option<String>,
    /// The full profile as received.
    pub raw: ClaimMap,
}

impl Profile {
    /// Returns the e-mail address if it is verified, so that it may be looked up and linked.
    #[must_use]
    pub fn verified_email(&self) -> Option<&Email> {
        self.email.as_ref().filter(|_| self.email_verified)
    }

    /// Returns the `profile` that callbacks see: the received profile, overridden by the verified values.
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
