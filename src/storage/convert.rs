//! Conversion between rows and models. A row that the schema forbids is an error.

use std::time::Duration;

use sea_orm::ActiveValue::Set;
use sea_orm::prelude::Uuid;

use super::commands::{RecordRequest, RecordedRequest};
use super::entity::{account, auth_log, revocation, session, signing_key, used_mark, user};
use super::error::{StoreResult, broken_row};
use super::predecessors;
use crate::model::{
    Account, AccountId, AccountKey, AccountKind, AuthLogEntry, Ban, ClaimMap, Email, EmailKey, EmailSource,
    EndReason, FeedEntry, Grant, KeyRecord, RefreshState, RequestMark, Revocation, Session, SessionId,
    SessionLifetime, Timestamp, User, UserId,
};

fn digest(bytes: Vec<u8>, column: &str) -> StoreResult<[u8; 32]> {
    bytes.try_into().map_err(|_| broken_row("sessions", column))
}

fn digest_or_none(bytes: Option<Vec<u8>>, column: &str) -> StoreResult<Option<[u8; 32]>> {
    bytes.map(|bytes| digest(bytes, column)).transpose()
}

pub(super) fn user(row: user::Model) -> StoreResult<User> {
    let email =
        row.email.as_deref().map(Email::parse).transpose().map_err(|_| broken_row("users", "email"))?;
    Ok(User {
        id: UserId(row.id),
        email,
        email_verified: row.email_verified,
        email_source: row.email_source.as_deref().map(EmailSource::from_row),
        name: row.name,
        image: row.image,
        role: row.role,
        ban: row
            .banned
            .then(|| Ban { reason: row.ban_reason, expires_at: row.ban_expires_at.map(Timestamp) }),
        epoch: row.epoch,
        version: row.version,
        created_at: Timestamp(row.created_at),
        updated_at: Timestamp(row.updated_at),
        last_sign_in_at: row.last_sign_in_at.map(Timestamp),
    })
}

pub(super) fn user_row(user: &User) -> user::ActiveModel {
    let ban = user.ban.clone().unwrap_or_default();
    user::ActiveModel {
        id: Set(user.id.0),
        email: Set(user.email.as_ref().map(|email| email.as_str().to_owned())),
        email_key: Set(email_key(user)),
        email_verified: Set(user.email_verified),
        email_source: Set(user.email_source.map(EmailSource::to_row)),
        name: Set(user.name.clone()),
        image: Set(user.image.clone()),
        role: Set(user.role.clone()),
        banned: Set(user.ban.is_some()),
        ban_reason: Set(ban.reason),
        ban_expires_at: Set(ban.expires_at.map(Timestamp::millis)),
        epoch: Set(user.epoch),
        version: Set(user.version),
        created_at: Set(user.created_at.millis()),
        updated_at: Set(user.updated_at.millis()),
        last_sign_in_at: Set(user.last_sign_in_at.map(Timestamp::millis)),
    }
}

/// Returns the unique key of a user's e-mail address; an unverified address has none.
fn email_key(user: &User) -> Option<Vec<u8>> {
    user.email.as_ref().filter(|_| user.email_verified).map(|email| EmailKey::from(email).0.to_vec())
}

pub(super) fn account(row: account::Model) -> StoreResult<Account> {
    Ok(Account {
        id: AccountId(row.id),
        user_id: UserId(row.user_id),
        provider: row.provider.parse().map_err(|_| broken_row("accounts", "provider"))?,
        provider_account_id: row
            .provider_account_id
            .parse()
            .map_err(|_| broken_row("accounts", "provider_account_id"))?,
        issuer: row.issuer,
        kind: AccountKind::from_name(&row.kind).ok_or_else(|| broken_row("accounts", "kind"))?,
        scope: row.scope,
        created_at: Timestamp(row.created_at),
    })
}

pub(super) fn account_row(account: &Account) -> account::ActiveModel {
    account::ActiveModel {
        id: Set(account.id.0),
        user_id: Set(account.user_id.0),
        account_key: Set(AccountKey::from(account).0.to_vec()),
        provider: Set(account.provider.as_str().to_owned()),
        provider_account_id: Set(account.provider_account_id.as_str().to_owned()),
        issuer: Set(account.issuer.clone()),
        kind: Set(account.kind.name().to_owned()),
        scope: Set(account.scope.clone()),
        created_at: Set(account.created_at.millis()),
    }
}

fn mark(key: Option<Vec<u8>>, fingerprint: Option<Vec<u8>>) -> StoreResult<Option<RequestMark>> {
    match (digest_or_none(key, "request_key")?, digest_or_none(fingerprint, "request_fingerprint")?) {
        (Some(key), Some(fingerprint)) => Ok(Some(RequestMark { key, fingerprint })),
        _ => Ok(None),
    }
}

fn list(json: &str, column: &str) -> StoreResult<Vec<String>> {
    serde_json::from_str(json).map_err(|_| broken_row("sessions", column))
}

fn refresh(row: &mut session::Model) -> StoreResult<Option<RefreshState>> {
    let (Some(hash), Some(salt), Some(rotated_at)) =
        (row.refresh_hash.take(), row.salt.take(), row.rotated_at)
    else {
        return Ok(None);
    };
    let state = RefreshState {
        hash: digest(hash, "refresh_hash")?,
        previous_hash: digest_or_none(row.previous_hash.take(), "previous_hash")?,
        generation: u64::try_from(row.generation).map_err(|_| broken_row("sessions", "generation"))?,
        salt: digest(salt, "salt")?,
        rotated_at: Timestamp(rotated_at),
        older: Vec::new(),
        gap_at: None,
    };
    Ok(Some(predecessors::read(state, row.predecessors.as_deref())))
}

fn ended(row: &session::Model) -> StoreResult<Option<(Timestamp, EndReason)>> {
    let Some(at) = row.ended_at else { return Ok(None) };
    let reason = end_reason(row.end_reason.as_deref());
    Ok(Some((Timestamp(at), reason.ok_or_else(|| broken_row("sessions", "end_reason"))?)))
}

/// Maps the reason of an ended session. An unknown reason comes from a newer version; the session counts as ended here,
/// too.
fn end_reason(name: Option<&str>) -> Option<EndReason> {
    name.map(|name| EndReason::from_name(name).unwrap_or(EndReason::Revoked))
}

pub(super) fn session(mut row: session::Model) -> StoreResult<Session> {
    Ok(Session {
        refresh: refresh(&mut row)?,
        ended: ended(&row)?,
        id: SessionId(row.id),
        user_id: UserId(row.user_id),
        account_id: AccountId(row.account_id),
        provider: row.provider.parse().map_err(|_| broken_row("sessions", "provider"))?,
        group: row.caller_group,
        epoch: row.epoch,
        authenticated_at: Timestamp(row.authenticated_at),
        expires_at: Timestamp(row.expires_at),
        grant: Grant {
            hash: digest(row.grant_hash, "grant_hash")?,
            expires_at: Timestamp(row.grant_expires_at),
            request: mark(row.request_key, row.request_fingerprint)?,
            redeemed_at: row.redeemed_at.map(Timestamp),
            redemption: mark(row.redemption_key, row.redemption_fingerprint)?,
        },
        lifetime: SessionLifetime {
            idle_ttl: row.idle_ttl.map(span).transpose().map_err(|()| broken_row("sessions", "idle_ttl"))?,
            max_age: row.max_age.map(span).transpose().map_err(|()| broken_row("sessions", "max_age"))?,
        },
        audiences: list(&row.audiences, "audiences")?,
        granted_audiences: row
            .granted_audiences
            .map(|granted| list(&granted, "granted_audiences"))
            .transpose()?,
        claims: serde_json::from_str(&row.claims).map_err(|_| broken_row("sessions", "claims"))?,
        claims_role: row.claims_role,
        pending: row.pending,
        version: row.version,
    })
}

/// Reads a duration from its milliseconds.
fn span(millis: i64) -> Result<Duration, ()> {
    u64::try_from(millis).map(Duration::from_millis).map_err(drop)
}

/// Returns the milliseconds of a duration.
pub(super) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// Makes the row of a new session: its grant not redeemed, no refresh token yet.
pub(super) fn pending_session_row(session: &Session, ip_address: Option<String>) -> session::ActiveModel {
    session::ActiveModel {
        id: Set(session.id.0),
        user_id: Set(session.user_id.0),
        account_id: Set(session.account_id.0),
        provider: Set(session.provider.as_str().to_owned()),
        caller_group: Set(session.group.clone()),
        epoch: Set(session.epoch),
        authenticated_at: Set(session.authenticated_at.millis()),
        expires_at: Set(session.expires_at.millis()),
        grant_hash: Set(session.grant.hash.to_vec()),
        grant_expires_at: Set(session.grant.expires_at.millis()),
        request_key: Set(session.grant.request.map(|mark| mark.key.to_vec())),
        request_fingerprint: Set(session.grant.request.map(|mark| mark.fingerprint.to_vec())),
        generation: Set(0),
        audiences: Set("[]".to_owned()),
        claims: Set("{}".to_owned()),
        pending: Set(session.pending.clone()),
        version: Set(session.version),
        refresh_count: Set(0),
        ip_address: Set(ip_address),
        ..Default::default()
    }
}

pub(super) fn json_of(claims: &ClaimMap) -> String {
    serde_json::Value::Object(claims.clone()).to_string()
}

pub(super) fn json_of_list(list: &[String]) -> String {
    serde_json::Value::from(list).to_string()
}

pub(super) fn auth_log_row(entry: AuthLogEntry) -> auth_log::ActiveModel {
    auth_log::ActiveModel {
        id: Set(entry.id.0),
        created_at: Set(entry.created_at.millis()),
        action: Set(entry.action.name().to_owned()),
        outcome: Set(entry.outcome.name().to_owned()),
        reason: Set(entry.reason.map(|reason| reason.name().to_owned())),
        user_id: Set(entry.user_id.map(|id| id.0)),
        email: Set(entry.email),
        provider: Set(entry.provider),
        session_id: Set(entry.session_id.map(|id| id.0)),
        caller: Set(entry.caller),
        ip_address: Set(entry.ip_address),
        user_agent: Set(entry.user_agent),
        request_id: Set(entry.request_id),
    }
}

pub(super) fn key_record(row: signing_key::Model) -> KeyRecord {
    KeyRecord {
        kid: row.kid,
        algorithm: row.algorithm,
        generation: row.generation,
        not_before: Timestamp(row.not_before),
        created_at: Timestamp(row.created_at),
        sealed: Some(row.sealed).filter(|sealed| !sealed.is_empty()),
    }
}

pub(super) fn key_row(record: KeyRecord) -> signing_key::ActiveModel {
    signing_key::ActiveModel {
        kid: Set(record.kid),
        algorithm: Set(record.algorithm),
        generation: Set(record.generation),
        not_before: Set(record.not_before.millis()),
        created_at: Set(record.created_at.millis()),
        sealed: Set(record.sealed.unwrap_or_default()),
    }
}

pub(super) fn request_row(record: &RecordRequest) -> used_mark::ActiveModel {
    used_mark::ActiveModel {
        mark: Set(record.mark.key.to_vec()),
        expires_at: Set(record.mark.expires_at.millis()),
        request_key: Set(Some(record.request.key.to_vec())),
        request_fingerprint: Set(Some(record.request.fingerprint.to_vec())),
        busy_until: Set(Some(record.busy_until.millis())),
        repeat_until: Set(Some(record.repeat_until.millis())),
        outcome: Set(None),
    }
}

/// Returns the request that a mark's row records; `None` if it may not be repeated.
pub(super) fn recorded_request(row: used_mark::Model) -> StoreResult<Option<RecordedRequest>> {
    let Some(key) = row.request_key else { return Ok(None) };
    let broken = |column| broken_row("used_marks", column);
    let digest = |bytes: Option<Vec<u8>>| bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    Ok(Some(RecordedRequest {
        request: RequestMark {
            key: digest(Some(key)).ok_or_else(|| broken("request_key"))?,
            fingerprint: digest(row.request_fingerprint).ok_or_else(|| broken("request_fingerprint"))?,
        },
        busy_until: row.busy_until.map(Timestamp).ok_or_else(|| broken("busy_until"))?,
        repeat_until: row.repeat_until.map(Timestamp).ok_or_else(|| broken("repeat_until"))?,
        outcome: row.outcome,
    }))
}

/// Returns the columns (kind, subject, `min_epoch`, reason) of a revocation.
pub(super) fn revocation_columns(it: Revocation) -> (&'static str, Uuid, Option<i64>, Option<&'static str>) {
    match it {
        Revocation::Session { id, reason } => ("SESSION", id.0, None, Some(reason.name())),
        Revocation::User { id, min_epoch, reason } => ("USER", id.0, Some(min_epoch), Some(reason.name())),
        Revocation::UserChanged { id } => ("USER_CHANGED", id.0, None, None),
        Revocation::KeysChanged => ("KEYS_CHANGED", Uuid::nil(), None, None),
    }
}

pub(super) fn feed_entry(row: &revocation::Model) -> StoreResult<FeedEntry> {
    let broken = |column| broken_row("revocations", column);
    let reason = || end_reason(row.reason.as_deref()).ok_or_else(|| broken("reason"));
    let revocation = match row.kind.as_str() {
        "SESSION" => Revocation::Session { id: SessionId(row.subject), reason: reason()? },
        "USER" => Revocation::User {
            id: UserId(row.subject),
            min_epoch: row.min_epoch.ok_or_else(|| broken("min_epoch"))?,
            reason: reason()?,
        },
        "USER_CHANGED" => Revocation::UserChanged { id: UserId(row.subject) },
        "KEYS_CHANGED" => Revocation::KeysChanged,
        // It can't be skipped: this replica would accept the revoked object. A version writes a new kind only if the
        // previous one already reads it.
        _ => return Err(broken("kind")),
    };
    Ok(FeedEntry { seq: row.seq, until: Timestamp(row.until), revocation })
}
