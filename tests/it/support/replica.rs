//! A client of a running program, with the calls that several tests need.

use std::time::{Duration, Instant};

use gatepass::grpc::proto::v1::admin_service_client::AdminServiceClient;
use gatepass::grpc::proto::v1::auth_service_client::AuthServiceClient;
use gatepass::grpc::proto::v1::{
    GetSessionRequest, GetSessionResponse, GetUserRequest, IssueTokenRequest, IssueTokenResponse,
    RefreshTokenRequest, RefreshTokenResponse, RevokeSessionRequest, RevokeUserSessionsRequest,
    SignInRequest, SignInResponse, SignOutRequest, UpdateUserRequest, User, get_session_request,
    get_user_request, sign_out_request,
};
use prost_types::FieldMask;
use tonic::transport::Channel;
use tonic::{Response, Status};

use super::program::Serving;
use super::{allowed, profile, reason};

/// A client of one replica.
#[derive(Clone)]
pub struct Replica {
    pub auth: AuthServiceClient<Channel>,
    pub admin: AdminServiceClient<Channel>,
}

impl Replica {
    pub async fn of(program: &Serving) -> Self {
        Self { auth: program.auth().await, admin: program.admin().await }
    }

    /// Signs in with this request.
    pub async fn sign_in(&self, request: SignInRequest) -> Result<Response<SignInResponse>, Status> {
        self.auth.clone().sign_in(request).await
    }

    /// Signs a person in and redeems the grant.
    pub async fn tokens(&self, who: &str) -> IssueTokenResponse {
        let grant = allowed(self.sign_in(profile(who)).await).grant.unwrap();
        self.issue(&grant, "").await.unwrap()
    }

    /// Redeems a grant with this request id.
    pub async fn issue(&self, grant: &str, request_id: &str) -> Result<IssueTokenResponse, Status> {
        let (grant, request_id) = (grant.to_owned(), request_id.to_owned());
        let request = IssueTokenRequest { grant, request_id, ..Default::default() };
        self.auth.clone().issue_token(request).await.map(Response::into_inner)
    }

    /// Refreshes with this token.
    pub async fn refresh(&self, refresh_token: &str) -> Result<RefreshTokenResponse, Status> {
        let request = RefreshTokenRequest { refresh_token: refresh_token.to_owned(), ..Default::default() };
        self.auth.clone().refresh_token(request).await.map(Response::into_inner)
    }

    /// Reads the session of an access token.
    pub async fn session(&self, access_token: &str) -> Result<GetSessionResponse, Status> {
        let credential = get_session_request::Credential::AccessToken(access_token.to_owned());
        let request = GetSessionRequest { credential: Some(credential), ..Default::default() };
        self.auth.clone().get_session(request).await.map(Response::into_inner)
    }

    /// Waits until this replica rejects an access token, and returns the reason.
    pub async fn refuses_at_last(&self, access_token: &str) -> String {
        let begin = Instant::now();
        loop {
            let answer = self.session(access_token).await;
            if answer.is_err() {
                return reason(answer);
            }
            assert!(begin.elapsed() < Duration::from_secs(30), "this replica does not hear of the end");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Reads the user with this id.
    pub async fn user(&self, id: &str) -> Result<User, Status> {
        let key = Some(get_user_request::Key::UserId(id.to_owned()));
        let answer = self.admin.clone().get_user(GetUserRequest { key }).await?;
        Ok(answer.into_inner().user.unwrap())
    }

    /// Changes the fields in the mask of a user.
    pub async fn update(&self, user: User, mask: &str) -> Result<User, Status> {
        let update_mask = Some(FieldMask { paths: vec![mask.to_owned()] });
        let request = UpdateUserRequest { user: Some(user), update_mask };
        Ok(self.admin.clone().update_user(request).await?.into_inner().user.unwrap())
    }

    /// Bans a user, or lifts the ban.
    pub async fn ban(&self, id: &str, banned: bool) -> Result<User, Status> {
        self.update(User { id: id.to_owned(), banned, ..Default::default() }, "banned").await
    }
}

/// Returns the ids of the session and of its user.
pub fn ids(tokens: &IssueTokenResponse) -> [String; 2] {
    let session = tokens.session.clone().unwrap();
    [session.id.unwrap(), session.user.unwrap().id.unwrap()]
}

/// An operation that ends a session.
#[derive(Debug, Clone, Copy)]
pub enum End {
    RevokeSession,
    RevokeUserSessions,
    SignOut,
    SignOutEverywhere,
    Ban,
}

/// All operations that end a session.
pub const ENDS: [End; 5] =
    [End::RevokeSession, End::RevokeUserSessions, End::SignOut, End::SignOutEverywhere, End::Ban];

impl End {
    /// Ends the session of these tokens.
    pub async fn ask(self, replica: &Replica, tokens: &IssueTokenResponse) -> Result<(), Status> {
        let (mut auth, mut admin) = (replica.auth.clone(), replica.admin.clone());
        let [session_id, user_id] = ids(tokens);
        let sign_out = |everywhere| {
            let credential = Some(sign_out_request::Credential::AccessToken(tokens.access_token.clone()));
            SignOutRequest { credential, everywhere, ..Default::default() }
        };
        match self {
            Self::RevokeSession => admin.revoke_session(RevokeSessionRequest { session_id }).await.map(drop),
            Self::RevokeUserSessions => {
                admin.revoke_user_sessions(RevokeUserSessionsRequest { user_id }).await.map(drop)
            }
            Self::SignOut => auth.sign_out(sign_out(false)).await.map(drop),
            Self::SignOutEverywhere => auth.sign_out(sign_out(true)).await.map(drop),
            Self::Ban => replica.ban(&user_id, true).await.map(drop),
        }
    }

    /// Returns the reason that tokens of the session get afterwards.
    pub fn reason(self) -> &'static str {
        if matches!(self, Self::Ban) { "USER_BANNED" } else { "SESSION_REVOKED" }
    }
}
