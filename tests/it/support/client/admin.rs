//! The calls of an administrator.

use gatepass::grpc::proto::v1::{
    GetUserRequest, RevokeSessionRequest, RevokeUserSessionsRequest, UpdateUserRequest, User,
    get_user_request::Key,
};
use prost_types::FieldMask;
use tonic::Status;

use super::Client;

impl Client {
    /// Reads the user with this id.
    pub async fn user(&self, id: &str) -> Result<User, Status> {
        self.get_user(Key::UserId(id.to_owned())).await
    }

    /// Reads the user of this key.
    pub async fn get_user(&self, key: Key) -> Result<User, Status> {
        let answer = self.admin.clone().get_user(GetUserRequest { key: Some(key) }).await?;
        Ok(answer.into_inner().user.unwrap())
    }

    /// Changes the fields in the mask of a user.
    pub async fn update(&self, user: User, mask: &[&str]) -> Result<User, Status> {
        let paths = mask.iter().map(|path| (*path).to_owned()).collect();
        let request = UpdateUserRequest { user: Some(user), update_mask: Some(FieldMask { paths }) };
        let answer = self.admin.clone().update_user(request).await?;
        Ok(answer.into_inner().user.unwrap())
    }

    /// Changes the role of a user.
    pub async fn set_role(&self, id: &str, role: &str) -> User {
        let user = User { id: id.to_owned(), role: role.to_owned(), ..Default::default() };
        self.update(user, &["role"]).await.unwrap()
    }

    /// Bans a user without an end, or lifts the ban.
    pub async fn set_banned(&self, id: &str, banned: bool) -> Result<User, Status> {
        self.update(User { id: id.to_owned(), banned, ..Default::default() }, &["banned"]).await
    }

    /// Bans a user without an end.
    pub async fn ban(&self, id: &str) -> User {
        self.set_banned(id, true).await.unwrap()
    }

    /// Lifts the ban of a user.
    pub async fn unban(&self, id: &str) -> User {
        self.set_banned(id, false).await.unwrap()
    }

    /// Ends one session.
    pub async fn revoke_session(&self, id: &str) -> Result<(), Status> {
        let request = RevokeSessionRequest { session_id: id.to_owned() };
        self.admin.clone().revoke_session(request).await.map(drop)
    }

    /// Ends every session of a user, and returns their number.
    pub async fn revoke_user_sessions(&self, id: &str) -> Result<i32, Status> {
        let request = RevokeUserSessionsRequest { user_id: id.to_owned() };
        let answer = self.admin.clone().revoke_user_sessions(request).await?;
        Ok(answer.into_inner().sessions_ended)
    }
}
