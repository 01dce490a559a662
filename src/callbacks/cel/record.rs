//! Values with fixed fields: a user, an account, a client, a session. A field is made when it is read. A field that is
//! not set is null, and `has()` returns false, as with the wrapper types of protocol buffers.

use cel::ExecutionError;
use cel::common::traits::Indexer;
use cel::common::types::{CelBool, CelNull, CelString, CelTimestamp, Type};
use cel::common::value::{CowVal, Val};

use super::names::RECORD_TYPE;
use super::value::{Boxed, name};
use crate::auth::{SessionUser, SessionView};
use crate::model::{Account, Email, Origin, Timestamp, User};

/// A borrowed value with fields.
#[derive(Debug, Clone, Copy)]
pub(super) enum Record<'v> {
    User(&'v User),
    Account(&'v Account),
    /// A user or an account that is not stored yet: its id is not final.
    NewUser(&'v User),
    NewAccount(&'v Account),
    Client(&'v Origin),
    Session(&'v SessionView),
    SessionUser(&'v SessionUser),
}

/// The fields of a user, as `gatepass.v1.User` names them.
pub(super) const USER: &[&str] = &[
    "id",
    "email",
    "email_verified",
    "name",
    "image",
    "role",
    "created_at",
    "updated_at",
    "last_sign_in_at",
];
/// The fields of an account.
pub(super) const ACCOUNT: &[&str] = &["id", "provider", "provider_account_id", "type", "scope", "created_at"];
/// The fields of a client.
pub(super) const CLIENT: &[&str] = &["ip_address", "user_agent"];
/// The fields of a session.
pub(super) const SESSION: &[&str] =
    &["id", "expires_at", "access_token_expires_at", "authenticated_at", "provider"];
/// The fields of a session's user.
pub(super) const SESSION_USER: &[&str] = &["id", "email", "email_verified", "name", "image", "role"];

impl<'v> Record<'v> {
    fn field(self, name: &str) -> Option<Boxed<'v>> {
        Some(match (self, name) {
            (Self::NewUser(_) | Self::NewAccount(_), "id") => null(),
            (Self::NewUser(user), _) => return Self::User(user).field(name),
            (Self::NewAccount(account), _) => return Self::Account(account).field(name),
            (Self::User(user), "id") => owned(&user.id),
            (Self::User(user), "email") => optional(user.email.as_ref().map(Email::as_str)),
            (Self::User(user), "email_verified") => Box::new(CelBool::from(user.email_verified)),
            (Self::User(user), "name") => optional(user.name.as_deref()),
            (Self::User(user), "image") => optional(user.image.as_deref()),
            (Self::User(user), "role") => text(&user.role),
            (Self::User(user), "created_at") => time(user.created_at),
            (Self::User(user), "updated_at") => time(user.updated_at),
            (Self::User(user), "last_sign_in_at") => user.last_sign_in_at.map_or_else(null, time),
            (Self::Account(account), "id") => owned(&account.id),
            (Self::Account(account), "provider") => text(account.provider.as_str()),
            (Self::Account(account), "provider_account_id") => text(account.provider_account_id.as_str()),
            (Self::Account(account), "type") => text(account.kind.name()),
            (Self::Account(account), "scope") => optional(account.scope.as_deref()),
            (Self::Account(account), "created_at") => time(account.created_at),
            (Self::Client(origin), "ip_address") => optional(origin.ip_address.as_deref()),
            (Self::Client(origin), "user_agent") => optional(origin.user_agent.as_deref()),
            (Self::Session(session), "id") => text(&session.id),
            (Self::Session(session), "expires_at") => time(session.expires_at),
            (Self::Session(session), "access_token_expires_at") => time(session.access_token_expires_at),
            (Self::Session(session), "authenticated_at") => time(session.authenticated_at),
            (Self::Session(session), "provider") => text(&session.provider),
            (Self::SessionUser(user), "id") => text(&user.id),
            (Self::SessionUser(user), "email") => optional(user.email.as_deref()),
            (Self::SessionUser(user), "email_verified") => Box::new(CelBool::from(user.email_verified)),
            (Self::SessionUser(user), "name") => optional(user.name.as_deref()),
            (Self::SessionUser(user), "image") => optional(user.image.as_deref()),
            (Self::SessionUser(user), "role") => optional(user.role.as_deref()),
            _ => return None,
        })
    }
}

/// Makes a borrowed text.
pub(super) fn text(text: &str) -> Boxed<'_> {
    Box::new(CelString::from(text))
}

/// Makes an owned text.
pub(super) fn owned(value: &dyn std::fmt::Display) -> Boxed<'static> {
    Box::new(CelString::from(value.to_string()))
}

/// Makes null.
pub(super) fn null<'v>() -> Boxed<'v> {
    Box::new(CelNull)
}

fn optional(value: Option<&str>) -> Boxed<'_> {
    value.map_or_else(null, text)
}

/// Makes a point in time; null if CEL can't represent it, because its years have four digits.
pub(super) fn time<'v>(at: Timestamp) -> Boxed<'v> {
    let time = chrono::DateTime::from_timestamp_millis(at.millis());
    let time = time.filter(|time| (1..=9999).contains(&chrono::Datelike::year(time)));
    time.map_or_else(null, |time| Box::new(CelTimestamp::from(time.fixed_offset())))
}

impl Val for Record<'_> {
    fn get_type(&self) -> &Type {
        &RECORD_TYPE
    }

    fn cel_type() -> &'static Type {
        &RECORD_TYPE
    }

    fn as_indexer<'b, 'w>(&'b self) -> Option<&'b (dyn Indexer + 'w)>
    where
        Self: 'w,
    {
        Some(self)
    }

    fn clone_as_boxed<'w>(&self) -> Boxed<'w>
    where
        Self: 'w,
    {
        Box::new(*self)
    }
}

impl Indexer for Record<'_> {
    fn get<'b, 'w>(&'b self, key: &dyn Val) -> Result<CowVal<'b, 'w>, ExecutionError>
    where
        Self: 'w,
    {
        let name = name(key)?;
        self.field(name).map(CowVal::Owned).ok_or_else(|| ExecutionError::no_such_key(name))
    }

    fn steal<'w>(self: Box<Self>, key: &dyn Val) -> Result<Boxed<'w>, ExecutionError>
    where
        Self: 'w,
    {
        let name = name(key)?;
        self.field(name).map(|field| field as Boxed<'w>).ok_or_else(|| ExecutionError::no_such_key(name))
    }
}
