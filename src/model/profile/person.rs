//! The identity of a person, as vouched for by a provider or a caller.

use super::clean::{Attribute, CleanAttributes, ToldAttributes};
use super::visible::VisibleProfile;
use crate::model::claims::ClaimMap;
use crate::model::email::Email;
use crate::model::provider::{ProviderAccountId, ProviderId};
use crate::model::user::{AccountKey, AccountKind};

/// The account of a person, and the kind of its proof.
#[derive(Debug, Clone)]
pub struct Identity {
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
}

impl Identity {
    /// Returns the look-up key of the account.
    #[must_use]
    pub fn account_key(&self) -> AccountKey {
        AccountKey::new(&self.issuer, &self.provider, &self.provider_account_id)
    }
}

/// A person as described by a provider, or by a caller that vouches for them. The attributes are clean.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The account.
    pub identity: Identity,
    /// E-mail address.
    pub email: Option<Email>,
    /// True if the e-mail address was verified.
    pub email_verified: bool,
    /// Display name.
    pub name: Option<String>,
    /// URL of a picture.
    pub image: Option<String>,
    /// The attributes that were told and are not kept.
    pub dropped: Vec<Attribute>,
    /// The full profile as received.
    pub raw: ClaimMap,
}

impl Profile {
    /// Makes the profile of a person; its attributes are cleaned.
    #[must_use]
    pub fn new(identity: Identity, told: ToldAttributes, raw: ClaimMap) -> Self {
        let CleanAttributes { email, email_verified, name, image, dropped } = told.clean();
        Self { identity, email, email_verified, name, image, dropped, raw }
    }

    /// Returns the e-mail address if it is verified, so that it may be looked up and linked.
    #[must_use]
    pub fn verified_email(&self) -> Option<&Email> {
        self.email.as_ref().filter(|_| self.email_verified)
    }

    /// Returns the profile that policies see: the received one, overridden by the verified and cleaned values. Of a
    /// profile that is too large, the claims in `keep` are left out last.
    #[must_use]
    pub fn visible(&self, keep: &[String]) -> VisibleProfile {
        let mut claims = self.raw.clone();
        let mut set = |name: &str, value: Option<&str>| match value {
            Some(value) => drop(claims.insert(name.to_owned(), value.into())),
            None => drop(claims.remove(name)),
        };
        set("sub", Some(self.identity.provider_account_id.as_str()));
        set("email", self.email.as_ref().map(Email::as_str));
        set("name", self.name.as_deref());
        set("picture", self.image.as_deref());
        claims.insert("email_verified".to_owned(), self.email_verified.into());
        VisibleProfile::of(claims, keep)
    }
}
