//! The messages of the calls that tests make.

use gatepass::grpc::proto::v1::{
    GetSessionRequest, IssueTokenRequest, ProfileCredential, RefreshTokenRequest, SignInRequest,
    SignOutRequest, get_session_request, sign_in_request, sign_out_request,
};
use gatepass::model::Timestamp;
use tonic::Request;
use tonic::metadata::AsciiMetadataValue;

/// A `UUIDv7` that belongs to nothing.
pub const NOBODY: &str = "0190163d-8694-739b-80cf-f63a7d4c5f6a";

/// Builds a sign-in of the provider `github` for a person with a verified e-mail of the same name.
pub fn profile(who: &str) -> SignInRequest {
    credential(at_github(who))
}

/// Builds the profile of that person.
pub fn at_github(who: &str) -> ProfileCredential {
    ProfileCredential {
        provider: "github".to_owned(),
        provider_account_id: who.to_owned(),
        email: Some(format!("{who}@example.com")),
        email_verified: true,
        name: Some(who.to_owned()),
        ..Default::default()
    }
}

/// Builds a sign-in with this profile.
pub fn credential(profile: ProfileCredential) -> SignInRequest {
    SignInRequest { credential: Some(sign_in_request::Credential::Profile(profile)), ..Default::default() }
}

/// Builds the redemption of a grant.
pub fn redeeming(grant: &str) -> IssueTokenRequest {
    IssueTokenRequest { grant: grant.to_owned(), ..Default::default() }
}

/// Builds the reading of an access token's session.
pub fn reading(access_token: &str) -> GetSessionRequest {
    let credential = Some(get_session_request::Credential::AccessToken(access_token.to_owned()));
    GetSessionRequest { credential, ..Default::default() }
}

/// Builds a refresh with this token.
pub fn refreshing(refresh_token: &str) -> RefreshTokenRequest {
    RefreshTokenRequest { refresh_token: refresh_token.to_owned(), ..Default::default() }
}

/// Builds a sign-out with an access token.
pub fn signing_out(access_token: &str) -> SignOutRequest {
    let credential = Some(sign_out_request::Credential::AccessToken(access_token.to_owned()));
    SignOutRequest { credential, ..Default::default() }
}

/// Builds a sign-out with a refresh token.
pub fn signing_out_by_refresh(refresh_token: &str) -> SignOutRequest {
    let credential = Some(sign_out_request::Credential::RefreshToken(refresh_token.to_owned()));
    SignOutRequest { credential, ..Default::default() }
}

/// Builds a request with a caller's key.
pub fn with_key<T>(message: T, key: &str) -> Request<T> {
    let mut request = Request::new(message);
    let value = AsciiMetadataValue::try_from(format!("Bearer {key}")).unwrap();
    request.metadata_mut().insert("authorization", value);
    request
}

/// Converts a time to its message form.
pub fn proto_time(at: Timestamp) -> prost_types::Timestamp {
    let nanos = i32::try_from(at.millis().rem_euclid(1000)).unwrap() * 1_000_000;
    prost_types::Timestamp { seconds: at.seconds(), nanos }
}
