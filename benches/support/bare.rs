//! A tonic server without any Gatepass code, which returns the given answers.

use std::net::SocketAddr;

use gatepass::grpc::proto::v1;
use gatepass::grpc::proto::v1::auth_service_server::{AuthService, AuthServiceServer};
use tonic::transport::{Server, server::TcpIncoming};
use tonic::{Request, Response, Status, async_trait};

type Answer<T> = Result<Response<T>, Status>;

/// The answers of a bare server. A benchmark implements only the methods that it calls.
#[async_trait]
pub trait Answers: Send + Sync + 'static {
    async fn get_session(&self, _: v1::GetSessionRequest) -> v1::GetSessionResponse {
        unreachable!()
    }
    async fn sign_in(&self, _: v1::SignInRequest) -> v1::SignInResponse {
        unreachable!()
    }
    async fn issue_token(&self, _: v1::IssueTokenRequest) -> v1::IssueTokenResponse {
        unreachable!()
    }
    async fn refresh_token(&self, _: v1::RefreshTokenRequest) -> v1::RefreshTokenResponse {
        unreachable!()
    }
}

struct Bare<A>(A);

/// Serves on a free loopback port. Must run in a runtime.
pub fn serve(answers: impl Answers) -> SocketAddr {
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let addr = incoming.local_addr().unwrap();
    let service = AuthServiceServer::new(Bare(answers));
    tokio::spawn(
        Server::builder().add_service(service).serve_with_incoming(incoming.with_nodelay(Some(true))),
    );
    addr
}

#[async_trait]
impl<A: Answers> AuthService for Bare<A> {
    async fn get_session(&self, request: Request<v1::GetSessionRequest>) -> Answer<v1::GetSessionResponse> {
        Ok(Response::new(self.0.get_session(request.into_inner()).await))
    }
    async fn sign_in(&self, request: Request<v1::SignInRequest>) -> Answer<v1::SignInResponse> {
        Ok(Response::new(self.0.sign_in(request.into_inner()).await))
    }
    async fn issue_token(&self, request: Request<v1::IssueTokenRequest>) -> Answer<v1::IssueTokenResponse> {
        Ok(Response::new(self.0.issue_token(request.into_inner()).await))
    }
    async fn refresh_token(
        &self,
        request: Request<v1::RefreshTokenRequest>,
    ) -> Answer<v1::RefreshTokenResponse> {
        Ok(Response::new(self.0.refresh_token(request.into_inner()).await))
    }
    async fn begin_sign_in(&self, _: Request<v1::BeginSignInRequest>) -> Answer<v1::BeginSignInResponse> {
        unreachable!()
    }
    async fn resolve_redirect(
        &self,
        _: Request<v1::ResolveRedirectRequest>,
    ) -> Answer<v1::ResolveRedirectResponse> {
        unreachable!()
    }
    async fn sign_out(&self, _: Request<v1::SignOutRequest>) -> Answer<v1::SignOutResponse> {
        unreachable!()
    }
}
