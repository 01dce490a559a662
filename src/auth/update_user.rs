//! `UpdateUser`: an administrator changes a user; a ban ends all its sessions in the same transaction.

use super::caller::Call;
use super::error::{Error, Result};
use super::get_user::UserKey;
use super::shared::Auth;
use crate::model::{AuthLogAction, Ban, Email, EndReason, Timestamp, User, UserId};
use crate::storage::commands;

/// How often a change without an etag is made again on a newer version.
const ATTEMPTS: u32 = 5;

/// What `UpdateUser` asks.
#[derive(Debug)]
pub struct UpdateUser {
    /// The user.
    pub id: UserId,
    /// The etag the caller saw, if it cares.
    pub etag: Option<String>,
    /// What shall change.
    pub change: UserChange,
}

/// New values, of those fields that the mask names.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// Display name.
    pub name: Option<Option<String>>,
    /// Address of a picture.
    pub image: Option<Option<String>>,
    /// E-mail. A new one is not verified: no provider vouched for it.
    pub email: Option<Option<Email>>,
    /// Role.
    pub role: Option<String>,
    /// Whether the user is banned.
    pub banned: Option<bool>,
    /// Why.
    pub ban_reason: Option<Option<String>>,
    /// Until when.
    pub ban_expires_at: Option<Option<Timestamp>>,
}

impl Auth {
    /// Changes a user.
    pub async fn update_user(&self, call: &Call, request: UpdateUser) -> Result<User> {
        for _ in 0..ATTEMPTS {
            let mut before = self.get_user(UserKey::Id(request.id)).await?;
            if request.etag.as_ref().is_some_and(|etag| *etag != before.etag()) {
                return Err(Error::EtagMismatch);
            }
            let now = self.now();
            if !before.is_banned(now) {
                // A ban that ran out is none: nothing of it is changed, lifted or used again.
                before.ban = None;
            }
            let after = changed(&before, &request.change, now)?;
            if after == before {
                self.hold_what_is().await?;
                return Ok(before);
            }
            if let Some(user) = self.write_user(call, &before, after, now).await? {
                return Ok(user);
            }
        }
        Err(Error::Conflict)
    }

    async fn write_user(
        &self,
        call: &Call,
        before: &User,
        mut after: User,
        now: Timestamp,
    ) -> Result<Option<User>> {
        let ends_sessions = lasts_longer(after.ban.as_ref(), before.ban.as_ref());
        let mut actions = Vec::new();
        if ends_sessions {
            after.epoch += 1;
        }
        if after.ban.is_some() && before.ban.is_none() {
            actions.push(AuthLogAction::UserBanned);
        } else if before.ban.is_some() && after.ban.is_none() {
            actions.push(AuthLogAction::UserUnbanned);
        }
        if actions.is_empty() || !same_but_ban(before, &after) {
            actions.push(AuthLogAction::UserUpdated);
        }
        after.version += 1;
        after.updated_at = now;
        let email = after.email.as_ref().map(Email::as_str);
        let log =
            actions.into_iter().map(|action| self.log_entry(action, &call.origin).of_user(after.id, email));
        let update = commands::UpdateUser {
            expected_version: before.version,
            end_sessions: ends_sessions.then_some(EndReason::Banned),
            remember_until: self.rules.remember_until(now),
            log: log.filter_map(|entry| self.unless_excluded(entry)).collect(),
            user: after,
        };
        let Some(revoked) = self.parts.users.update_user(update).await? else { return Ok(None) };
        self.hold(&revoked);
        Ok(revoked.user)
    }
}

/// Whether a user is banned for longer than before. The shorter ban may have run out meanwhile, by this clock or another,
/// and a session been opened.
fn lasts_longer(after: Option<&Ban>, before: Option<&Ban>) -> bool {
    let (Some(after), Some(before)) = (after, before) else { return after.is_some() };
    match (after.expires_at, before.expires_at) {
        (Some(after), Some(before)) => after > before,
        (after, before) => after.is_none() && before.is_some(),
    }
}

fn same_but_ban(before: &User, after: &User) -> bool {
    (&before.name, &before.image, &before.email, &before.role)
        == (&after.name, &after.image, &after.email, &after.role)
}

fn changed(before: &User, change: &UserChange, now: Timestamp) -> Result<User> {
    let mut user = before.clone();
    if let Some(name) = &change.name {
        user.name.clone_from(name);
    }
    if let Some(image) = &change.image {
        user.image.clone_from(image);
    }
    if let Some(email) = &change.email
        && *email != user.email
    {
        user.email.clone_from(email);
        user.email_verified = false;
    }
    if let Some(role) = &change.role {
        user.role.clone_from(role);
    }
    match change.banned {
        Some(true) => user.ban = Some(user.ban.unwrap_or_default()),
        Some(false) => user.ban = None,
        None => {}
    }
    change_ban(&mut user, change, now)?;
    Ok(user)
}

fn change_ban(user: &mut User, change: &UserChange, now: Timestamp) -> Result<()> {
    let about_ban = |set: Option<&str>| match set {
        Some(field) => Err(Error::invalid(field, "is of a ban, and the user is not banned")),
        None => Ok(()),
    };
    let Some(ban) = &mut user.ban else {
        about_ban(change.ban_reason.as_ref().and_then(Option::as_ref).map(|_| "user.ban_reason"))?;
        return about_ban(change.ban_expires_at.flatten().map(|_| "user.ban_expires_at"));
    };
    let Ban { reason, expires_at } = ban;
    if let Some(new) = &change.ban_reason {
        reason.clone_from(new);
    }
    if let Some(new) = change.ban_expires_at {
        *expires_at = new;
    }
    if expires_at.is_some_and(|end| end <= now) {
        return Err(Error::invalid("user.ban_expires_at", "is in the past"));
    }
    Ok(())
}
