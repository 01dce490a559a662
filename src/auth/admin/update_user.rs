//! `UpdateUser`: an administrator changes a user. A ban ends all sessions of the user in the same transaction.

use std::sync::Arc;

use crate::auth::audit::Audit;
use crate::auth::caller::Call;
use crate::auth::error::{Error, Result};
use crate::auth::retry::ATTEMPTS;
use crate::auth::revocation::LocalRevocations;
use crate::model::{AuthLogAction, Ban, Clock, Email, EmailSource, EndReason, Timestamp, User, UserId};
use crate::storage::{UserStore, commands};

/// The request of `UpdateUser`.
#[derive(Debug)]
pub struct UpdateUserRequest {
    /// The user.
    pub id: UserId,
    /// The etag that the caller saw, if the caller requires it to match.
    pub etag: Option<String>,
    /// The change.
    pub change: UserChange,
}

/// New values for the fields that the mask names.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// Display name.
    pub name: Option<Option<String>>,
    /// Address of a picture.
    pub image: Option<Option<String>>,
    /// E-mail address. A new one is unverified, because no provider vouched for it.
    pub email: Option<Option<Email>>,
    /// Role.
    pub role: Option<String>,
    /// Bans the user, or lifts the ban.
    pub banned: Option<bool>,
    /// The reason for the ban.
    pub ban_reason: Option<Option<String>>,
    /// The end of the ban.
    pub ban_expires_at: Option<Option<Timestamp>>,
}

/// The use case `UpdateUser`.
pub struct UpdateUser {
    /// The store of the users.
    pub users: Arc<dyn UserStore>,
    /// The auth log.
    pub audit: Arc<Audit>,
    /// Applies the changed user on this replica immediately.
    pub local: Arc<LocalRevocations>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

impl UpdateUser {
    /// Changes a user.
    pub async fn run(&self, call: &Call, request: UpdateUserRequest) -> Result<User> {
        for _ in 0..ATTEMPTS {
            let mut before = self.users.find_user(request.id).await?.ok_or(Error::UserNotFound)?;
            if request.etag.as_ref().is_some_and(|etag| *etag != before.etag()) {
                return Err(Error::EtagMismatch);
            }
            let now = self.clock.now();
            if !before.is_banned(now) {
                // An expired ban counts as no ban: it is not changed, lifted or used again.
                before.ban = None;
            }
            let after = changed(&before, &request.change, now)?;
            if after == before {
                self.local.catch_up().await?;
                return Ok(before);
            }
            if let Some(user) = self.write(call, &before, after, now).await? {
                return Ok(user);
            }
        }
        Err(Error::Conflict)
    }

    /// Writes the user; returns `None` if another writer was first.
    async fn write(
        &self,
        call: &Call,
        before: &User,
        mut after: User,
        now: Timestamp,
    ) -> Result<Option<User>> {
        let ends_sessions = lasts_longer(after.ban.as_ref(), before.ban.as_ref());
        if ends_sessions {
            after.epoch += 1;
        }
        after.version += 1;
        after.updated_at = now;
        let log = actions(before, &after).into_iter();
        let log = log.map(|action| self.audit.user_entry(action, call, &after));
        let update = commands::UpdateUser {
            expected_version: before.version,
            end_sessions: ends_sessions.then_some(EndReason::Banned),
            remember_until: self.local.remember_until(now),
            log: log.filter_map(|entry| self.audit.unless_excluded(entry)).collect(),
            user: after,
        };
        let Some(revoked) = self.users.update_user(update).await? else { return Ok(None) };
        self.local.apply(&revoked);
        Ok(revoked.user)
    }
}

/// Lists the actions that the log records for this change.
fn actions(before: &User, after: &User) -> Vec<AuthLogAction> {
    let mut actions = Vec::new();
    if after.ban.is_some() && before.ban.is_none() {
        actions.push(AuthLogAction::UserBanned);
    } else if before.ban.is_some() && after.ban.is_none() {
        actions.push(AuthLogAction::UserUnbanned);
    }
    if actions.is_empty() || !same_but_ban(before, after) {
        actions.push(AuthLogAction::UserUpdated);
    }
    actions
}

/// Returns true if a user is banned for longer than before. The shorter ban may have expired by now, by this clock or
/// another, and a session may have been opened since.
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

/// Returns the user as it is after the change.
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
        user.email_source = Some(EmailSource::Admin);
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

/// Changes the user's current ban.
fn change_ban(user: &mut User, change: &UserChange, now: Timestamp) -> Result<()> {
    let about_ban = |set: Option<&str>| match set {
        Some(field) => Err(Error::invalid(field, "is only allowed if the user is banned")),
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
        return Err(Error::invalid("user.ban_expires_at", "must be in the future"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::samples;

    fn ban(expires_at: Option<i64>) -> Ban {
        Ban { reason: None, expires_at: expires_at.map(Timestamp) }
    }

    #[test]
    fn a_ban_ends_sessions_if_it_lasts_longer_than_the_one_before() {
        let (none, day, week, ever) = (None, Some(ban(Some(1))), Some(ban(Some(7))), Some(ban(None)));
        for (before, after, longer) in [
            (&none, &none, false),
            (&none, &day, true),
            (&day, &none, false),
            (&day, &day, false),
            (&day, &week, true),
            (&week, &day, false),
            (&week, &ever, true),
            (&ever, &week, false),
            (&ever, &ever, false),
        ] {
            assert_eq!(lasts_longer(after.as_ref(), before.as_ref()), longer, "{before:?} {after:?}");
        }
    }

    #[test]
    fn the_log_records_bans_and_all_other_changes() {
        use AuthLogAction::{UserBanned, UserUnbanned, UserUpdated};
        let user = samples::user();
        let banned = User { ban: Some(ban(None)), ..user.clone() };
        let renamed = User { name: None, ..user.clone() };
        let longer = User { ban: Some(ban(Some(7))), ..user.clone() };
        for (before, after, told) in [
            (&user, &banned, &[UserBanned][..]),
            (&banned, &user, &[UserUnbanned]),
            (&user, &renamed, &[UserUpdated]),
            (&banned, &renamed, &[UserUnbanned, UserUpdated]),
            (&longer, &banned, &[UserUpdated]),
        ] {
            assert_eq!(actions(before, after), told);
        }
    }

    #[test]
    fn a_new_email_is_not_verified_and_the_same_one_stays_so() {
        let user = samples::user();
        let email = |text| UserChange { email: Some(Some(samples::email(text))), ..UserChange::default() };
        let changed = |change| changed(&user, &change, Timestamp(0)).unwrap().email_verified;
        assert!(changed(email("ada@example.com")));
        assert!(!changed(email("eve@example.com")));
    }
}
