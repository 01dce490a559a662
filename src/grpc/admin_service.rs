//! `gatepass.v1.AdminService`: decode, call, encode.

use std::sync::Arc;

use tonic::{Request, Response, Status, async_trait};

use super::call::open;
use super::convert;
use super::mount::Mount;
use super::not_yet::{Never, not_yet};
use super::proto::v1::admin_service_server::{AdminService, AdminServiceServer};
use super::proto::{ADMIN_SERVICE, v1};
use super::shield::shielded;
use crate::auth::{Auth, Error};

/// Builds the mount of this service.
pub(super) fn mount() -> Mount {
    Mount::new(&ADMIN_SERVICE, |auth, limit| {
        AdminServiceServer::new(AdminServiceImpl(Arc::clone(auth))).max_decoding_message_size(limit)
    })
}

/// The service over the use cases.
struct AdminServiceImpl(Arc<Auth>);

#[async_trait]
impl AdminService for AdminServiceImpl {
    type WatchAuthLogsStream = Never<v1::WatchAuthLogsResponse>;

    async fn get_user(
        &self,
        request: Request<v1::GetUserRequest>,
    ) -> Result<Response<v1::GetUserResponse>, Status> {
        let key = convert::read_user_key(request.into_inner())?;
        let user = convert::write_user(self.0.get_user.run(key).await?, self.0.now());
        Ok(Response::new(v1::GetUserResponse { user: Some(user) }))
    }

    async fn list_users(
        &self,
        _: Request<v1::ListUsersRequest>,
    ) -> Result<Response<v1::ListUsersResponse>, Status> {
        not_yet("ListUsers")
    }

    async fn create_user(
        &self,
        _: Request<v1::CreateUserRequest>,
    ) -> Result<Response<v1::CreateUserResponse>, Status> {
        not_yet("CreateUser")
    }

    async fn update_user(
        &self,
        request: Request<v1::UpdateUserRequest>,
    ) -> Result<Response<v1::UpdateUserResponse>, Status> {
        let (call, message) = open(request)?;
        let asked = convert::read_user_update(message)?;
        let auth = Arc::clone(&self.0);
        let user = shielded(async move { auth.update_user.run(&call, asked).await }).await?;
        let user = convert::write_user(user, self.0.now());
        Ok(Response::new(v1::UpdateUserResponse { user: Some(user) }))
    }

    async fn delete_user(
        &self,
        _: Request<v1::DeleteUserRequest>,
    ) -> Result<Response<v1::DeleteUserResponse>, Status> {
        not_yet("DeleteUser")
    }

    async fn list_accounts(
        &self,
        _: Request<v1::ListAccountsRequest>,
    ) -> Result<Response<v1::ListAccountsResponse>, Status> {
        not_yet("ListAccounts")
    }

    async fn unlink_account(
        &self,
        _: Request<v1::UnlinkAccountRequest>,
    ) -> Result<Response<v1::UnlinkAccountResponse>, Status> {
        not_yet("UnlinkAccount")
    }

    async fn list_sessions(
        &self,
        _: Request<v1::ListSessionsRequest>,
    ) -> Result<Response<v1::ListSessionsResponse>, Status> {
        not_yet("ListSessions")
    }

    async fn revoke_session(
        &self,
        request: Request<v1::RevokeSessionRequest>,
    ) -> Result<Response<v1::RevokeSessionResponse>, Status> {
        let (call, message) = open(request)?;
        let id = message.session_id.parse().map_err(|_| Error::not_an_id("session_id"))?;
        let auth = Arc::clone(&self.0);
        shielded(async move { auth.revoke_session.run(&call, id).await }).await?;
        Ok(Response::new(v1::RevokeSessionResponse {}))
    }

    async fn revoke_user_sessions(
        &self,
        request: Request<v1::RevokeUserSessionsRequest>,
    ) -> Result<Response<v1::RevokeUserSessionsResponse>, Status> {
        let (call, message) = open(request)?;
        let id = message.user_id.parse().map_err(|_| Error::not_an_id("user_id"))?;
        let auth = Arc::clone(&self.0);
        let ended = shielded(async move { auth.revoke_user_sessions.run(&call, id).await }).await?;
        Ok(Response::new(v1::RevokeUserSessionsResponse {
            sessions_ended: i32::try_from(ended).unwrap_or(i32::MAX),
        }))
    }

    async fn list_auth_logs(
        &self,
        _: Request<v1::ListAuthLogsRequest>,
    ) -> Result<Response<v1::ListAuthLogsResponse>, Status> {
        not_yet("ListAuthLogs")
    }

    async fn watch_auth_logs(
        &self,
        _: Request<v1::WatchAuthLogsRequest>,
    ) -> Result<Response<Self::WatchAuthLogsStream>, Status> {
        not_yet("WatchAuthLogs")
    }
}
