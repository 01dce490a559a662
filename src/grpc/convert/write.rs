//! Writing messages.

use prost_types::Timestamp as ProtoTimestamp;

use super::json::write_struct;
use crate::auth::{SessionUser, SessionView};
use crate::grpc::proto::v1;
use crate::model::{Account, Disposition, Timestamp, User};

pub(crate) fn write_timestamp(at: Timestamp) -> ProtoTimestamp {
    let nanos = at.millis().rem_euclid(1000) * 1_000_000;
    ProtoTimestamp { seconds: at.seconds(), nanos: i32::try_from(nanos).unwrap_or_default() }
}

pub(crate) fn write_user(user: User, now: Timestamp) -> v1::User {
    let banned = user.is_banned(now);
    let etag = user.etag();
    let ban = user.ban.filter(|_| banned).unwrap_or_default();
    v1::User {
        id: user.id.to_string(),
        email: user.email.as_ref().map(|email| email.as_str().to_owned()),
        email_verified: user.email_verified,
        name: user.name,
        image: user.image,
        role: user.role,
        banned,
        ban_reason: ban.reason,
        ban_expires_at: ban.expires_at.map(write_timestamp),
        etag,
        created_at: Some(write_timestamp(user.created_at)),
        updated_at: Some(write_timestamp(user.updated_at)),
        last_sign_in_at: user.last_sign_in_at.map(write_timestamp),
    }
}

pub(crate) fn write_account(account: Account) -> v1::Account {
    v1::Account {
        id: account.id.to_string(),
        provider: account.provider.to_string(),
        provider_account_id: account.provider_account_id.as_str().to_owned(),
        r#type: account.kind.name().to_owned(),
        scope: account.scope,
        created_at: Some(write_timestamp(account.created_at)),
    }
}

pub(crate) fn write_session(session: SessionView) -> v1::Session {
    v1::Session {
        id: Some(session.id),
        user: Some(write_session_user(session.user)),
        expires_at: Some(write_timestamp(session.expires_at)),
        access_token_expires_at: Some(write_timestamp(session.access_token_expires_at)),
        authenticated_at: Some(write_timestamp(session.authenticated_at)),
        provider: Some(session.provider),
        source: v1::SessionSource::Gatepass.into(),
        claims: Some(write_struct(&session.claims)),
    }
}

fn write_session_user(user: SessionUser) -> v1::SessionUser {
    v1::SessionUser {
        id: Some(user.id),
        name: user.name,
        email: user.email,
        email_verified: user.email_verified,
        image: user.image,
        role: user.role,
    }
}

pub(crate) fn write_disposition(disposition: Disposition) -> v1::Disposition {
    match disposition {
        Disposition::Relative => v1::Disposition::Relative,
        Disposition::SameOrigin => v1::Disposition::SameOrigin,
        Disposition::AllowedOrigin => v1::Disposition::AllowedOrigin,
        Disposition::AllowedScheme => v1::Disposition::AllowedScheme,
        Disposition::Fallback => v1::Disposition::Fallback,
    }
}
