//! Helpers for tests of sign-in and administration.

use gatepass::grpc::proto::v1::{
    GetSessionRequest, GetSessionResponse, RefreshTokenRequest, RefreshTokenResponse, SignInDenied,
    SignInRequest, SignInResponse, UpdateUserRequest, User, get_session_request, sign_in_response,
};
use gatepass::model::Timestamp;
use prost_types::FieldMask;
use tonic::{Code, Response, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use super::{TestApp, refusal};

/// A `UUIDv7` that belongs to nothing.
pub const NOBODY: &str = "0190163d-8694-739b-80cf-f63a7d4c5f6a";

/// Returns the result of a sign-in that must be denied.
pub fn denied(answer: Result<Response<SignInResponse>, Status>) -> SignInDenied {
    match answer.unwrap().into_inner().outcome {
        Some(sign_in_response::Outcome::Denied(denied)) => denied,
        other => panic!("not denied: {other:?}"),
    }
}

/// Returns the paths of the fields that make a request invalid.
pub fn fields<T: std::fmt::Debug>(answer: Result<T, Status>) -> Vec<String> {
    let status = answer.expect_err("a refusal");
    let details = status.get_error_details();
    assert_eq!(refusal::<()>(Err(status)), (Code::InvalidArgument, "INVALID_REQUEST".to_owned()));
    let fields = &details.bad_request().expect("a BadRequest").field_violations;
    fields.iter().map(|violation| violation.field.clone()).collect()
}

/// Converts a time to its message form.
pub fn proto_time(at: Timestamp) -> prost_types::Timestamp {
    let nanos = i32::try_from(at.millis().rem_euclid(1000)).unwrap() * 1_000_000;
    prost_types::Timestamp { seconds: at.seconds(), nanos }
}

impl TestApp {
    /// Counts the users, accounts and sessions.
    pub async fn counts(&self) -> [u32; 3] {
        let sql = "SELECT (SELECT count(*) FROM users) AS users, \
                   (SELECT count(*) FROM accounts) AS accounts, \
                   (SELECT count(*) FROM sessions) AS sessions";
        let row = self.query(sql).await.remove(0);
        [0, 1, 2].map(|column| row[column].parse().unwrap())
    }

    /// Returns the ids of the sessions, oldest first.
    pub async fn session_ids(&self) -> Vec<String> {
        let rows = self.query("SELECT id AS id FROM sessions ORDER BY rowid").await;
        rows.iter().map(|row| Uuid::parse_str(&row[0]).unwrap().to_string()).collect()
    }

    /// Signs in with this request.
    pub async fn try_sign_in(&self, request: SignInRequest) -> Result<Response<SignInResponse>, Status> {
        self.auth.clone().sign_in(request).await
    }

    /// Reads the session of an access token.
    pub async fn session(&self, access_token: &str) -> Result<GetSessionResponse, Status> {
        let credential = get_session_request::Credential::AccessToken(access_token.to_owned());
        let request = GetSessionRequest { credential: Some(credential), ..Default::default() };
        self.auth.clone().get_session(request).await.map(Response::into_inner)
    }

    /// Refreshes with this token.
    pub async fn refresh(&self, refresh_token: &str) -> Result<RefreshTokenResponse, Status> {
        let request = RefreshTokenRequest { refresh_token: refresh_token.to_owned(), ..Default::default() };
        self.auth.clone().refresh_token(request).await.map(Response::into_inner)
    }

    /// Changes the fields in the mask of a user.
    pub async fn update(&self, user: User, mask: &[&str]) -> Result<User, Status> {
        let paths = mask.iter().map(|path| (*path).to_owned()).collect();
        let request = UpdateUserRequest { user: Some(user), update_mask: Some(FieldMask { paths }) };
        let answer = self.admin.clone().update_user(request).await?;
        Ok(answer.into_inner().user.unwrap())
    }

    /// Bans a user without an end.
    pub async fn ban(&self, user_id: &str) -> User {
        let user = User { id: user_id.to_owned(), banned: true, ..Default::default() };
        self.update(user, &["banned"]).await.unwrap()
    }

    /// Lifts the ban of a user.
    pub async fn unban(&self, user_id: &str) -> User {
        let user = User { id: user_id.to_owned(), ..Default::default() };
        self.update(user, &["banned"]).await.unwrap()
    }
}
