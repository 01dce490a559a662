//! `gatepass.v1.AuthService`: decode, call, encode.

use std::sync::Arc;

use tonic::{Request, Response, Status, async_trait};

use super::call::open;
use super::convert;
use super::mount::Mount;
use super::proto::v1::auth_service_server::{AuthService, AuthServiceServer};
use super::proto::{AUTH_SERVICE, v1};
use super::shield::shielded;
use crate::auth::{Auth, ResolveRedirectRequest};

/// Builds the mount of this service.
pub(super) fn mount() -> Mount {
    Mount::new(&AUTH_SERVICE, |auth, limit| {
        AuthServiceServer::new(AuthServiceImpl(Arc::clone(auth))).max_decoding_message_size(limit)
    })
}

/// The service over the use cases.
struct AuthServiceImpl(Arc<Auth>);

#[async_trait]
impl AuthService for AuthServiceImpl {
    async fn begin_sign_in(
        &self,
        request: Request<v1::BeginSignInRequest>,
    ) -> Result<Response<v1::BeginSignInResponse>, Status> {
        let (call, message) = open(request)?;
        let asked = convert::read_begin_sign_in(message)?;
        Ok(Response::new(convert::write_begun(self.0.begin_sign_in.run(&call, asked).await?)))
    }

    async fn sign_in(
        &self,
        request: Request<v1::SignInRequest>,
    ) -> Result<Response<v1::SignInResponse>, Status> {
        let (mut call, message) = open(request)?;
        let asked = convert::read_sign_in(&mut call, message)?;
        let auth = Arc::clone(&self.0);
        let outcome = shielded(async move { auth.sign_in.run(&call, asked).await }).await?;
        Ok(Response::new(convert::write_sign_in(outcome, self.0.now())))
    }

    async fn issue_token(
        &self,
        request: Request<v1::IssueTokenRequest>,
    ) -> Result<Response<v1::IssueTokenResponse>, Status> {
        let (mut call, message) = open(request)?;
        let asked = convert::read_issue_token(&mut call, &message)?;
        Ok(Response::new(convert::write_issued(self.0.issue_token.run(&call, asked).await?)))
    }

    async fn refresh_token(
        &self,
        request: Request<v1::RefreshTokenRequest>,
    ) -> Result<Response<v1::RefreshTokenResponse>, Status> {
        let (mut call, message) = open(request)?;
        let asked = convert::read_refresh_token(&mut call, &message)?;
        Ok(Response::new(convert::write_refreshed(self.0.refresh_token.run(&call, asked).await?)))
    }

    async fn get_session(
        &self,
        request: Request<v1::GetSessionRequest>,
    ) -> Result<Response<v1::GetSessionResponse>, Status> {
        let asked = convert::read_get_session(request.get_ref())?;
        Ok(Response::new(convert::write_session_answer(self.0.get_session.run(asked).await?)))
    }

    async fn resolve_redirect(
        &self,
        request: Request<v1::ResolveRedirectRequest>,
    ) -> Result<Response<v1::ResolveRedirectResponse>, Status> {
        let v1::ResolveRedirectRequest { url, base_url } = request.get_ref();
        let (url, disposition) =
            self.0.resolve_redirect.run(ResolveRedirectRequest { url, base_url }).await?;
        let disposition = convert::write_disposition(disposition).into();
        Ok(Response::new(v1::ResolveRedirectResponse { url: url.into(), disposition }))
    }

    async fn sign_out(
        &self,
        request: Request<v1::SignOutRequest>,
    ) -> Result<Response<v1::SignOutResponse>, Status> {
        let (mut call, message) = open(request)?;
        let auth = Arc::clone(&self.0);
        let ended = shielded(async move {
            let asked = convert::read_sign_out(&mut call, &message)?;
            auth.sign_out.run(&call, asked).await
        });
        let ended = ended.await?;
        Ok(Response::new(v1::SignOutResponse { sessions_ended: i32::try_from(ended).unwrap_or(i32::MAX) }))
    }
}
