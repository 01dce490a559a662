//! A user, and the accounts that prove who it is.

use super::digest::digest_of;

use super::email::Email;
use super::id::{AccountId, UserId};
use super::provider::{ProviderAccountId, ProviderId};
use super::time::Timestamp;

/// A person. What a sign-in found or made, and what tokens are made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The `sub` of its tokens.
    pub id: UserId,
    /// Its e-mail; unique, looked up and linked only when verified.
    pub email: Option<Email>,
    /// Whether a provider vouched for the e-mail.
    pub email_verified: bool,
    /// Display name.
    pub name: Option<String>,
    /// Address of a picture.
    pub image: Option<String>,
    /// Its role, a word of the operator's.
    pub role: String,
    /// The ban, if it was banned; it may have run out.
    pub ban: Option<Ban>,
    /// Rises with ban, delete and revoke-all; a session or token of a lower one is refused.
    pub epoch: i64,
    /// Rises with each change of what an administrator may set; the source of the etag.
    pub version: i64,
    /// When the user was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it last signed in.
    pub last_sign_in_at: Option<Timestamp>,
}

/// Why and how long a user may not sign in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ban {
    /// What the administrator wrote.
    pub reason: Option<String>,
    /// When it runs out; never, if not set.
    pub expires_at: Option<Timestamp>,
}

impl Ban {
    /// Whether the ban has not run out at this time.
    #[must_use]
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

impl User {
    /// Whether the user is banned at this time.
    #[must_use]
    pub fn is_banned(&self, now: Timestamp) -> bool {
        self.ban.as_ref().is_some_and(|ban| ban.is_in_force(now))
    }

    /// What `UpdateUser` compares to see that nobody was faster.
    #[must_use]
    pub fn etag(&self) -> String {
        self.version.to_string()
    }
}

/// One identity of a user at one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Our id of it.
    pub id: AccountId,
    /// Whose it is.
    pub user_id: UserId,
    /// The provider.
    pub provider: ProviderId,
    /// The person's id there.
    pub provider_account_id: ProviderAccountId,
    /// The issuer the identity was made under; empty for one that a caller vouched for.
    pub issuer: String,
    /// How it was proven: `oauth`, `oidc`, or `profile` when the caller vouched.
    pub kind: AccountKind,
    /// The scope the provider granted.
    pub scope: Option<String>,
    /// When it was linked.
    pub created_at: Timestamp,
}

super::name_enum::name_enum!(
    /// How an account was proven; Auth.js' `account.type`.
    AccountKind {
        /// An ID token (OpenID Connect Core section 2).
        Oidc = "oidc",
        /// The answer of a userinfo endpoint to an access token (RFC 6749).
        OAuth = "oauth",
        /// A caller with `sign_in.assert` vouched for it.
        Profile = "profile",
    }
);

/// What finds an account: a digest, since text collations fold what identities keep apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AccountKey(pub [u8; 32]);

impl AccountKey {
    /// The key of (issuer, provider, id at the provider).
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

/// What finds a user by a verified e-mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EmailKey(pub [u8; 32]);

impl From<&Email> for EmailKey {
    fn from(email: &Email) -> Self {
        Self(digest_of(b"gatepass e-mail", &[email.as_str().as_bytes()]))
    }
}
