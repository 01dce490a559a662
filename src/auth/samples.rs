//! Sample rows for the unit tests of this room.

use crate::model::{
    Account, AccountId, AccountKind, ClaimMap, Email, Grant, Identity, OsEntropy, Profile, Session,
    SessionId, SessionLifetime, SystemClock, Timestamp, User, UserId,
};

/// A user with a verified e-mail.
pub(super) fn user() -> User {
    User {
        id: UserId::mint(&SystemClock, &OsEntropy),
        email: Some(email("ada@example.com")),
        email_verified: true,
        email_source: None,
        name: Some("Ada".to_owned()),
        image: None,
        role: "user".to_owned(),
        ban: None,
        epoch: 0,
        version: 1,
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
        last_sign_in_at: None,
    }
}

/// An account of this user at `github`.
pub(super) fn account(user: &User) -> Account {
    Account {
        id: AccountId::mint(&SystemClock, &OsEntropy),
        user_id: user.id,
        provider: "github".parse().unwrap(),
        provider_account_id: "1".parse().unwrap(),
        issuer: String::new(),
        kind: AccountKind::OAuth,
        scope: None,
        created_at: Timestamp(0),
    }
}

/// A profile of `github` with a verified e-mail.
pub(super) fn profile() -> Profile {
    Profile {
        identity: Identity {
            provider: "github".parse().unwrap(),
            issuer: String::new(),
            provider_account_id: "1".parse().unwrap(),
            kind: AccountKind::OAuth,
            scope: None,
        },
        dropped: Vec::new(),
        email: Some(email("ada@example.com")),
        email_verified: true,
        name: None,
        image: None,
        raw: ClaimMap::new(),
    }
}

/// A pending session of a sign-in at 0.
pub(super) fn session() -> Session {
    let user = user();
    Session {
        id: SessionId::mint(&SystemClock, &OsEntropy),
        user_id: user.id,
        account_id: AccountId::mint(&SystemClock, &OsEntropy),
        provider: "github".parse().unwrap(),
        group: "local".to_owned(),
        epoch: 0,
        authenticated_at: Timestamp(0),
        expires_at: Timestamp::from_seconds(1000),
        ended: None,
        grant: Grant {
            hash: [0; 32],
            expires_at: Timestamp::from_seconds(60),
            request: None,
            redeemed_at: None,
            redemption: None,
        },
        refresh: None,
        lifetime: SessionLifetime::default(),
        audiences: vec!["api".to_owned()],
        granted_audiences: None,
        claims: ClaimMap::new(),
        claims_role: None,
        pending: None,
        version: 0,
    }
}

/// An e-mail.
pub(super) fn email(text: &str) -> Email {
    Email::parse(text).unwrap()
}
