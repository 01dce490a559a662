//! A client of a Gatepass, with a method for each call that tests make.

mod admin;
pub mod answers;
pub mod ends;
pub mod requests;

use gatepass::grpc::proto::v1::admin_service_client::AdminServiceClient;
use gatepass::grpc::proto::v1::auth_service_client::AuthServiceClient;
use gatepass::grpc::proto::v1::{
    BeginSignInRequest, BeginSignInResponse, Disposition, GetSessionRequest, GetSessionResponse,
    IssueTokenRequest, IssueTokenResponse, RefreshTokenRequest, RefreshTokenResponse, ResolveRedirectRequest,
    SignInAllowed, SignInRequest, SignInResponse, SignOutRequest,
};
use tonic::transport::Channel;
use tonic::{IntoRequest, Response, Status};

use super::callback_service::to_struct;
use super::program::Serving;
use answers::allowed;
use requests::{profile, reading, redeeming, refreshing, signing_out};

/// A client of one replica.
#[derive(Clone)]
pub struct Client {
    pub auth: AuthServiceClient<Channel>,
    pub admin: AdminServiceClient<Channel>,
}

impl Client {
    pub fn new(channel: &Channel) -> Self {
        Self {
            auth: AuthServiceClient::new(channel.clone()),
            admin: AdminServiceClient::new(channel.clone()),
        }
    }

    /// Connects to a program.
    pub async fn of(program: &Serving) -> Self {
        Self::new(&program.channel().await)
    }

    /// Begins a sign-in.
    pub async fn begin(
        &self,
        request: impl IntoRequest<BeginSignInRequest>,
    ) -> Result<BeginSignInResponse, Status> {
        self.auth.clone().begin_sign_in(request).await.map(Response::into_inner)
    }

    /// Signs a person in, with a verified e-mail of the same name.
    pub async fn sign_in(&self, who: &str) -> SignInAllowed {
        allowed(self.try_sign_in(profile(who)).await)
    }

    /// Signs in with this request.
    pub async fn try_sign_in(
        &self,
        request: impl IntoRequest<SignInRequest>,
    ) -> Result<Response<SignInResponse>, Status> {
        self.auth.clone().sign_in(request).await
    }

    /// Signs a person in and redeems the grant.
    pub async fn tokens(&self, who: &str) -> IssueTokenResponse {
        let grant = self.sign_in(who).await.grant.unwrap();
        self.issue(&grant).await.unwrap()
    }

    /// Redeems a grant.
    pub async fn issue(&self, grant: &str) -> Result<IssueTokenResponse, Status> {
        self.issue_token(redeeming(grant)).await
    }

    /// Redeems the grant of this request.
    pub async fn issue_token(
        &self,
        request: impl IntoRequest<IssueTokenRequest>,
    ) -> Result<IssueTokenResponse, Status> {
        self.auth.clone().issue_token(request).await.map(Response::into_inner)
    }

    /// Reads the session of an access token.
    pub async fn session(&self, access_token: &str) -> Result<GetSessionResponse, Status> {
        self.get_session(reading(access_token)).await
    }

    /// Reads the session of this request.
    pub async fn get_session(
        &self,
        request: impl IntoRequest<GetSessionRequest>,
    ) -> Result<GetSessionResponse, Status> {
        self.auth.clone().get_session(request).await.map(Response::into_inner)
    }

    /// Refreshes with this token.
    pub async fn refresh(&self, refresh_token: &str) -> Result<RefreshTokenResponse, Status> {
        self.refresh_token(refreshing(refresh_token)).await
    }

    /// Refreshes with this request.
    pub async fn refresh_token(
        &self,
        request: impl IntoRequest<RefreshTokenRequest>,
    ) -> Result<RefreshTokenResponse, Status> {
        self.auth.clone().refresh_token(request).await.map(Response::into_inner)
    }

    /// Refreshes with this token and changes claims of the session, as `update()` of Auth.js.
    pub async fn update_session(
        &self,
        refresh_token: &str,
        update: serde_json::Value,
    ) -> Result<RefreshTokenResponse, Status> {
        let update = Some(to_struct(&update));
        self.refresh_token(RefreshTokenRequest { update, ..refreshing(refresh_token) }).await
    }

    /// Signs out with an access token, and returns the number of ended sessions.
    pub async fn sign_out(&self, access_token: &str) -> Result<i32, Status> {
        self.sign_out_with(signing_out(access_token)).await
    }

    /// Signs out with this request, and returns the number of ended sessions.
    pub async fn sign_out_with(&self, request: impl IntoRequest<SignOutRequest>) -> Result<i32, Status> {
        self.auth.clone().sign_out(request).await.map(|answer| answer.into_inner().sessions_ended)
    }

    /// Resolves a redirect URL against this base, or against the default base if it is empty.
    pub async fn resolve_against(&self, base: &str, url: &str) -> Result<(String, Disposition), Status> {
        let request = ResolveRedirectRequest { url: url.to_owned(), base_url: base.to_owned() };
        let answer = self.auth.clone().resolve_redirect(request).await?.into_inner();
        let disposition = answer.disposition();
        Ok((answer.url, disposition))
    }

    /// Resolves a redirect URL against the default base.
    pub async fn resolve(&self, url: &str) -> Result<(String, Disposition), Status> {
        self.resolve_against("", url).await
    }
}
