//! Users, and the accounts that they sign in with.

use super::digest::digest_of;

use super::email::Email;
use super::id::{AccountId, UserId};
use super::provider::{ProviderAccountId, ProviderId};
use super::time::Timestamp;

/// A user: found or created by a sign-in, and the source of a token's claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The `sub` of its tokens.
    pub id: UserId,
    /// Its e-mail address; unique, and used for look-up and linking only if verified.
    pub email: Option<Email>,
    /// True if a provider verified the e-mail address.
    pub email_verified: bool,
    /// The source of the e-mail address; not set for users of older versions.
    pub email_source: Option<EmailSource>,
    /// Display name.
    pub name: Option<String>,
    /// URL of a picture.
    pub image: Option<String>,
    /// Its role, a name defined by the operator.
    pub role: String,
    /// The ban, if there is one; it may have expired.
    pub ban: Option<Ban>,
    /// Increases with each ban, deletion and revoke-all; sessions and tokens with a lower epoch are rejected.
    pub epoch: i64,
    /// Increases with each change to a field that an administrator may set; the source of the etag.
    pub version: i64,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
    /// Time of the last sign-in.
    pub last_sign_in_at: Option<Timestamp>,
}

/// The source of a user's e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmailSource {
    /// An account: its provider told the address at a sign-in.
    Account(AccountId),
    /// An administrator.
    Admin,
}

impl EmailSource {
    /// Returns the text of its column.
    #[must_use]
    pub fn to_row(self) -> String {
        match self {
            Self::Account(id) => id.to_string(),
            Self::Admin => ADMIN.to_owned(),
        }
    }

    /// Parses the text of its column. An unknown source comes from another version; it counts as an administrator,
    /// whose address accounts replace least.
    #[must_use]
    pub fn from_row(text: &str) -> Self {
        text.parse().map_or(Self::Admin, Self::Account)
    }
}

/// The column's text for an administrator.
const ADMIN: &str = "admin";

/// A ban: its reason and its end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ban {
    /// The reason given by the administrator.
    pub reason: Option<String>,
    /// Time at which it expires; never, if not set.
    pub expires_at: Option<Timestamp>,
}

impl Ban {
    /// Tells whether the ban is in force at this time.
    #[must_use]
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

impl User {
    /// Returns the ban that is in force at this time.
    #[must_use]
    pub fn ban_at(&self, now: Timestamp) -> Option<&Ban> {
        self.ban.as_ref().filter(|ban| ban.is_in_force(now))
    }

    /// Tells whether the user is banned at this time.
    #[must_use]
    pub fn is_banned(&self, now: Timestamp) -> bool {
        self.ban_at(now).is_some()
    }

    /// Returns the etag that `UpdateUser` compares to detect concurrent updates.
    #[must_use]
    pub fn etag(&self) -> String {
        self.version.to_string()
    }
}

/// One identity of a user at one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id in Gatepass.
    pub id: AccountId,
    /// The user that it belongs to.
    pub user_id: UserId,
    /// The provider.
    pub provider: ProviderId,
    /// The user's id at the provider.
    pub provider_account_id: ProviderAccountId,
    /// The issuer of the identity; empty if a caller vouched for it.
    pub issuer: String,
    /// The kind of proof: `oauth`, `oidc`, or `profile` if a caller vouched for it.
    pub kind: AccountKind,
    /// The scope that the provider granted.
    pub scope: Option<String>,
    /// Time of linking.
    pub created_at: Timestamp,
}

super::name_enum::name_enum!(
    /// The kind of proof of an account; Auth.js' `account.type`.
    AccountKind {
        /// An ID token (OpenID Connect Core section 2).
        Oidc = "oidc",
        /// The response of a userinfo endpoint to an access token (RFC 6749).
        OAuth = "oauth",
        /// A caller with `sign_in.assert` vouched for it.
        Profile = "profile",
    }
);

/// The look-up key of an account: a digest, because text collations may treat different identities as equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AccountKey(pub [u8; 32]);

impl AccountKey {
    /// Returns the key of (issuer, provider, id at the provider).
    #[must_use]
    pub fn new(issuer: &str, provider: &ProviderId, id: &ProviderAccountId) -> Self {
        Self(digest_of(
            b"gatepass account",
            &[issuer.as_bytes(), provider.as_str().as_bytes(), id.as_str().as_bytes()],
        ))
    }
}

impl From<&Account> for AccountKey {
    fn from(account: &Account) -> Self {
        Self::new(&account.issuer, &account.provider, &account.provider_account_id)
    }
}

/// The look-up key of a user by verified e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EmailKey(pub [u8; 32]);

impl From<&Email> for EmailKey {
    fn from(email: &Email) -> Self {
        Self(digest_of(b"gatepass e-mail", &[email.as_str().as_bytes()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{OsEntropy, SystemClock};

    #[test]
    fn the_source_of_an_email_reads_back_from_its_row() {
        let account = EmailSource::Account(AccountId::mint(&SystemClock, &OsEntropy));
        for source in [account, EmailSource::Admin] {
            assert_eq!(EmailSource::from_row(&source.to_row()), source);
        }
        assert_eq!(EmailSource::Admin.to_row(), "admin");
        assert_eq!(EmailSource::from_row("of another version"), EmailSource::Admin);
    }
}
