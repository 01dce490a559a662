//! The messages of `AuthService`.

use std::time::Duration;

use prost::Message as _;

use super::read::Fields;
use super::write::{write_session, write_timestamp};
use crate::auth::{
    Call, GetSessionRequest, IssueTokenRequest, RefreshTokenRequest, Result, Rotation, SessionAnswer,
    SessionCredential, SignOutRequest, SignOutToken, TokenResponse,
};
use crate::grpc::proto::v1::{self, get_session_request, sign_out_request};
use crate::model::SessionLifetime;

/// The shortest lifetime that a call may give to its session.
const LEAST_LIFETIME: Duration = Duration::from_mins(1);

pub(crate) fn read_issue_token<'a>(
    call: &mut Call,
    message: &'a v1::IssueTokenRequest,
) -> Result<IssueTokenRequest<'a>> {
    let mut fields = Fields::default();
    fields.client(call, message.client.clone());
    let request = fields.request(call, "IssueToken", &message.request_id, &message.encode_to_vec());
    let audiences = fields.audiences(message.audiences.clone());
    let lifetime = read_lifetime(&mut fields, message.session_lifetime);
    fields.finish(Some(IssueTokenRequest { grant: &message.grant, audiences, request, lifetime }))
}

fn read_lifetime(fields: &mut Fields, message: Option<v1::SessionLifetime>) -> SessionLifetime {
    let Some(message) = message else { return SessionLifetime::default() };
    let mut read = |name: &str, duration| {
        let field = format!("session_lifetime.{name}");
        let read = fields.duration(&field, duration);
        if read.is_some_and(|lifetime| lifetime < LEAST_LIFETIME) {
            fields.fault(&field, "must be at least a minute");
        }
        read
    };
    SessionLifetime {
        idle_ttl: read("idle_ttl", message.idle_ttl),
        max_age: read("max_age", message.max_age),
    }
}

pub(crate) fn read_refresh_token<'a>(
    call: &mut Call,
    message: &'a v1::RefreshTokenRequest,
) -> Result<RefreshTokenRequest<'a>> {
    let mut fields = Fields::default();
    fields.client(call, message.client.clone());
    let update = fields.json("update", message.update.clone());
    let audiences = fields.audiences(message.audiences.clone());
    fields.finish(Some(RefreshTokenRequest { refresh_token: &message.refresh_token, update, audiences }))
}

pub(crate) fn write_issued(issued: TokenResponse) -> v1::IssueTokenResponse {
    let refreshed = write_refreshed(issued);
    v1::IssueTokenResponse {
        access_token: refreshed.access_token,
        token_type: refreshed.token_type,
        access_token_expires_at: refreshed.access_token_expires_at,
        refresh_token: refreshed.refresh_token,
        refresh_token_expires_at: refreshed.refresh_token_expires_at,
        session: refreshed.session,
        rotation: refreshed.rotation,
    }
}

pub(crate) fn write_refreshed(issued: TokenResponse) -> v1::RefreshTokenResponse {
    let rotation = match issued.rotation {
        Rotation::Issued => v1::Rotation::Issued,
        Rotation::Rotated => v1::Rotation::Rotated,
        Rotation::Replayed => v1::Rotation::Replayed,
        Rotation::Recovered => v1::Rotation::Recovered,
    };
    v1::RefreshTokenResponse {
        access_token: issued.access_token,
        token_type: "Bearer".to_owned(),
        access_token_expires_at: Some(write_timestamp(issued.access_token_expires_at)),
        refresh_token: issued.refresh_token.encode(),
        refresh_token_expires_at: Some(write_timestamp(issued.refresh_token_expires_at)),
        session: Some(write_session(issued.session)),
        rotation: rotation.into(),
    }
}

pub(crate) fn read_get_session(message: &v1::GetSessionRequest) -> Result<GetSessionRequest<'_>> {
    let mut fields = Fields::default();
    let max_staleness = fields.duration("max_staleness", message.max_staleness);
    let credential = match &message.credential {
        Some(get_session_request::Credential::AccessToken(token)) => {
            Some(SessionCredential::AccessToken(token))
        }
        Some(get_session_request::Credential::CookieHeader(header)) => {
            Some(SessionCredential::Cookie(header))
        }
        None => {
            fields.fault("credential", "access_token is required");
            None
        }
    };
    let audience = message.audience.as_str();
    fields.finish(credential.map(|credential| GetSessionRequest { credential, audience, max_staleness }))
}

pub(crate) fn write_session_answer(answer: SessionAnswer) -> v1::GetSessionResponse {
    v1::GetSessionResponse {
        session: Some(write_session(answer.session)),
        revocations_checked_at: Some(write_timestamp(answer.revocations_checked_at)),
    }
}

pub(crate) fn read_sign_out<'a>(
    call: &mut Call,
    message: &'a v1::SignOutRequest,
) -> Result<SignOutRequest<'a>> {
    let mut fields = Fields::default();
    fields.client(call, message.client.clone());
    let token = match &message.credential {
        Some(sign_out_request::Credential::AccessToken(token)) => Some(SignOutToken::Access(token)),
        Some(sign_out_request::Credential::RefreshToken(token)) => Some(SignOutToken::Refresh(token)),
        None => {
            fields.fault("credential", "one of access_token and refresh_token is required");
            None
        }
    };
    let (everywhere, except_current) = (message.everywhere, message.except_current);
    fields.finish(token.map(|token| SignOutRequest { token, everywhere, except_current }))
}
