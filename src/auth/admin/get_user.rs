//! `GetUser`: one user, by id or verified e-mail.

use std::sync::Arc;

use crate::auth::error::{Error, Result};
use crate::model::{Email, EmailKey, User, UserId};
use crate::storage::UserStore;

/// A key that finds a user.
#[derive(Debug)]
pub enum UserKey {
    /// Its id.
    Id(UserId),
    /// Its verified e-mail address; an unverified address matches no user.
    Email(Email),
}

/// The use case `GetUser`.
pub struct GetUser {
    /// The store of the users.
    pub users: Arc<dyn UserStore>,
}

impl GetUser {
    /// Finds a user.
    pub async fn run(&self, key: UserKey) -> Result<User> {
        let found = match key {
            UserKey::Id(id) => self.users.find_user(id).await?,
            UserKey::Email(email) => self.users.find_user_by_email(EmailKey::from(&email)).await?,
        };
        found.ok_or(Error::UserNotFound)
    }
}
