//! Sample data for the contract: users, accounts and sessions with the same time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gatepass::model::{
    Account, AccountId, AccountKind, AuthLogAction, AuthLogEntry, ClaimMap, Email, EndReason, Grant,
    ManualClock, Origin, OsEntropy, RefreshState, RequestMark, Session, SessionId, SessionLifetime,
    Timestamp, UsedMark, User, UserId, digest_of, sha256,
};
use gatepass::storage::{AccountWrite, Database, Opened, Revoked, SessionStore as _, UserWrite, commands};

use crate::support::START;

pub(crate) const NOW: Timestamp = START;
pub(crate) const MINUTE: Duration = Duration::from_mins(1);
pub(crate) const HOUR: Duration = Duration::from_hours(1);

/// Hashes a text, in place of a token.
pub(crate) fn hash(of: &str) -> [u8; 32] {
    digest_of(b"test", &[of.as_bytes()])
}

/// Returns a unique hash.
pub(crate) fn fresh_hash() -> [u8; 32] {
    static LAST: AtomicU64 = AtomicU64::new(0);
    digest_of(b"fresh", &[&LAST.fetch_add(1, Ordering::Relaxed).to_be_bytes()])
}

fn clock() -> ManualClock {
    ManualClock::at(NOW)
}

pub(crate) fn session_id() -> SessionId {
    SessionId::mint(&clock(), &OsEntropy)
}

pub(crate) fn user_id() -> UserId {
    UserId::mint(&clock(), &OsEntropy)
}

pub(crate) fn user(name: &str) -> User {
    User {
        id: user_id(),
        email: Some(Email::parse(&format!("{name}@example.com")).unwrap()),
        email_source: None,
        email_verified: true,
        name: Some(name.to_owned()),
        image: None,
        role: "user".to_owned(),
        ban: None,
        epoch: 0,
        version: 1,
        created_at: NOW,
        updated_at: NOW,
        last_sign_in_at: Some(NOW),
    }
}

pub(crate) fn account(user: &User, provider: &str, id: &str) -> Account {
    Account {
        id: AccountId::mint(&clock(), &OsEntropy),
        user_id: user.id,
        provider: provider.parse().unwrap(),
        provider_account_id: id.parse().unwrap(),
        issuer: String::new(),
        kind: AccountKind::Profile,
        scope: None,
        created_at: NOW,
    }
}

/// Builds a pending session of a user.
pub(crate) fn session(user: &User, account: &Account) -> Session {
    Session {
        id: session_id(),
        user_id: user.id,
        account_id: account.id,
        provider: account.provider.clone(),
        group: "web".to_owned(),
        epoch: user.epoch,
        authenticated_at: NOW,
        expires_at: NOW.plus(24 * HOUR),
        ended: None,
        grant: Grant {
            hash: fresh_hash(),
            expires_at: NOW.plus(MINUTE),
            request: None,
            redeemed_at: None,
            redemption: None,
        },
        refresh: None,
        lifetime: SessionLifetime::default(),
        audiences: Vec::new(),
        granted_audiences: None,
        claims: ClaimMap::new(),
        claims_role: None,
        pending: Some(b"sealed".to_vec()),
        version: 0,
    }
}

pub(crate) fn log(action: AuthLogAction) -> AuthLogEntry {
    let origin = Origin {
        caller: "web".to_owned(),
        ip_address: Some("192.0.2.7".to_owned()),
        user_agent: Some("a browser".to_owned()),
        request_id: "request-1".to_owned(),
    };
    AuthLogEntry::new(&clock(), &OsEntropy, action, &origin)
}

/// Builds the record of a request that uses the flow of this name, busy for a second and repeatable for a minute.
pub(crate) fn recording(flow: &str) -> commands::RecordRequest {
    commands::RecordRequest {
        mark: UsedMark::of_flow(flow.as_bytes(), NOW.plus(HOUR)),
        request: RequestMark { key: sha256(flow.as_bytes()), fingerprint: [7; 32] },
        busy_until: NOW.plus(Duration::from_secs(1)),
        repeat_until: NOW.plus(Duration::from_mins(1)),
    }
}

/// Builds the sign-up of a new user.
pub(crate) fn sign_up(user: &User, account: &Account, session: &Session) -> commands::OpenSession {
    commands::OpenSession {
        user: UserWrite::Create(user.clone()),
        account: Some(AccountWrite::Create(account.clone())),
        used: Vec::new(),
        outcome: None,
        session: session.clone(),
        remember_until: NOW.plus(HOUR),
        ip_address: Some("192.0.2.7".to_owned()),
        log: vec![
            log(AuthLogAction::SignUp)
                .of_user(user.id, None)
                .of_session(session.id, account.provider.as_str()),
        ],
    }
}

/// Builds another sign-in of a known user, with its new record.
pub(crate) fn sign_in(user: &User, expected_version: i64, session: &Session) -> commands::OpenSession {
    commands::OpenSession {
        user: UserWrite::Update { user: user.clone(), expected_version },
        account: None,
        used: Vec::new(),
        outcome: None,
        session: session.clone(),
        remember_until: NOW.plus(HOUR),
        ip_address: Some("192.0.2.7".to_owned()),
        log: vec![log(AuthLogAction::SignIn).of_user(user.id, None).of_session(session.id, "github")],
    }
}

/// A user with an account and a session whose grant is unredeemed.
pub(crate) struct Signed {
    pub(crate) user: User,
    pub(crate) account: Account,
    pub(crate) session: Session,
}

impl Signed {
    /// Reads the session from the database.
    pub(crate) async fn now(&self, db: &Database) -> Session {
        db.find_session(self.session.id).await.unwrap().unwrap().0
    }

    /// Reads the user from the database.
    pub(crate) async fn user_now(&self, db: &Database) -> User {
        db.find_session(self.session.id).await.unwrap().unwrap().1
    }

    /// Opens another session of the same user.
    pub(crate) async fn again(&self, db: &Database) -> Signed {
        let (user, account) = (self.user_now(db).await, self.account.clone());
        let session = session(&user, &account);
        done(db.open_session(sign_in(&user, user.version, &session)).await.unwrap());
        Signed { user, account, session }
    }
}

pub(crate) fn done(opened: Opened) -> Vec<gatepass::model::FeedEntry> {
    match opened {
        Opened::Done(entries) => entries,
        other => panic!("not opened: {other:?}"),
    }
}

pub(crate) async fn signed_up(db: &Database, name: &str) -> Signed {
    let user = user(name);
    let account = account(&user, "github", name);
    let session = session(&user, &account);
    done(db.open_session(sign_up(&user, &account, &session)).await.unwrap());
    Signed { user, account, session }
}

/// Signs a user up and redeems the grant.
pub(crate) async fn redeemed(db: &Database, name: &str) -> Signed {
    let signed = signed_up(db, name).await;
    assert!(db.redeem_grant(redemption(&signed.session)).await.unwrap());
    signed
}

pub(crate) fn refresh_state(generation: u64, previous: Option<[u8; 32]>) -> RefreshState {
    RefreshState {
        hash: fresh_hash(),
        previous_hash: previous,
        generation,
        salt: fresh_hash(),
        rotated_at: NOW,
        older: Vec::new(),
        gap_at: None,
    }
}

pub(crate) fn redemption(session: &Session) -> commands::RedeemGrant {
    commands::RedeemGrant {
        session_id: session.id,
        at: NOW,
        request: None,
        refresh: refresh_state(0, None),
        expires_at: NOW.plus(HOUR),
        lifetime: SessionLifetime::default(),
        audiences: vec!["gatepass".to_owned()],
        claims: ClaimMap::new(),
        claims_role: "user".to_owned(),
        log: Some(log(AuthLogAction::TokenIssued)),
    }
}

/// Builds the next rotation of a redeemed session.
pub(crate) fn rotation(session: &Session) -> commands::RotateRefreshToken {
    let live = session.refresh.as_ref().unwrap();
    commands::RotateRefreshToken {
        session_id: session.id,
        expected_hash: live.hash,
        at: NOW,
        advance: Some(commands::SessionAdvance {
            expected_version: session.version,
            refresh: refresh_state(live.generation + 1, Some(live.hash)),
            expires_at: NOW.plus(2 * HOUR),
            audiences: vec!["gatepass".to_owned()],
            granted_audiences: None,
            claims: ClaimMap::new(),
            claims_role: "user".to_owned(),
        }),
        ip_address: None,
        log: Some(log(AuthLogAction::TokenRefreshed)),
    }
}

pub(crate) fn ending(id: SessionId) -> commands::EndSession {
    commands::EndSession {
        session_id: id,
        at: NOW,
        reason: EndReason::SignedOut,
        remember_until: NOW.plus(HOUR),
        log: Some(log(AuthLogAction::SignOut).of_session(id, "github")),
    }
}

pub(crate) fn ending_all(user_id: UserId) -> commands::EndUserSessions {
    commands::EndUserSessions {
        user_id,
        except: None,
        only_if_live: None,
        at: NOW,
        reason: EndReason::Revoked,
        remember_until: NOW.plus(HOUR),
        log: Some(log(AuthLogAction::SessionRevoked).of_user(user_id, None)),
    }
}

/// Builds a change of a user that was read as `before`.
pub(crate) fn update(before: &User, change: impl FnOnce(&mut User)) -> commands::UpdateUser {
    let mut user = before.clone();
    user.version += 1;
    change(&mut user);
    commands::UpdateUser {
        user,
        expected_version: before.version,
        end_sessions: None,
        remember_until: NOW.plus(HOUR),
        log: vec![log(AuthLogAction::UserUpdated).of_user(before.id, None)],
    }
}

pub(crate) fn mark(of: &str) -> RequestMark {
    RequestMark { key: hash(of), fingerprint: hash(&format!("{of}, all of it")) }
}

/// Returns the number of live sessions that a step ended, and the feed entries that it made.
pub(crate) fn told(revoked: &Revoked) -> (u64, Vec<gatepass::model::Revocation>) {
    (revoked.sessions_ended, revoked.entries.iter().map(|entry| entry.revocation).collect())
}
