//! `GetUser`: one user, by id or verified e-mail.

use crate::auth::error::{Error, Result};
use crate::auth::rules::Auth;
use crate::model::{Email, EmailKey, User, UserId};

/// What finds a user.
#[derive(Debug)]
pub enum UserKey {
    /// Its id.
    Id(UserId),
    /// Its verified e-mail; an unverified one finds nobody.
    Email(Email),
}

impl Auth {
    /// Finds a user.
    pub async fn get_user(&self, key: UserKey) -> Result<User> {
        let found = match key {
            UserKey::Id(id) => self.parts.users.find_user(id).await?,
            UserKey::Email(email) => self.parts.users.find_user_by_email(EmailKey::from(&email)).await?,
        };
        found.ok_or(Error::UserNotFound)
    }
}
