//! The stores, as the use cases see them: one trait each, so that a cache can wrap a store.

use async_trait::async_trait;

use super::commands::{
    ChangeSigningKeys, EndSession, EndUserSessions, LinkAccount, Linked, OpenSession, Opened, RecordOutcome,
    RecordRequest, RecordedRequest, RedeemGrant, Revoked, RotateRefreshToken, Sweepable, UpdateUser,
};
use super::error::StoreResult;
use crate::model::{
    Account, AccountKey, AuthLogEntry, EmailKey, FeedEntry, KeyRecord, ProviderId, Session, SessionId,
    Timestamp, UsedMark, User, UserId,
};

/// The largest number of entries in one page of the feed.
pub const FEED_PAGE: usize = 10_000;

/// Users and their accounts.
#[async_trait]
pub trait UserStore: Send + Sync {
    /// Finds the user with this id.
    async fn find_user(&self, id: UserId) -> StoreResult<Option<User>>;
    /// Finds the user of this account.
    async fn find_user_by_account(&self, key: AccountKey) -> StoreResult<Option<(User, Account)>>;
    /// Finds the user who owns this verified e-mail address.
    async fn find_user_by_email(&self, key: EmailKey) -> StoreResult<Option<User>>;
    /// Lists the accounts of a user.
    async fn accounts_of(&self, id: UserId) -> StoreResult<Vec<Account>>;
    /// Lists the providers that a user can sign in with.
    async fn linked_providers(&self, id: UserId) -> StoreResult<Vec<ProviderId>>;
    /// Adds an account to a signed-in user.
    async fn link_account(&self, linking: LinkAccount) -> StoreResult<Linked>;
    /// Writes an administrator's change, if the user still has the version that it was made from.
    async fn update_user(&self, change: UpdateUser) -> StoreResult<Option<Revoked>>;
}

/// Sessions, from the grant to the last refresh.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Writes a sign-in, in one transaction.
    async fn open_session(&self, opening: OpenSession) -> StoreResult<Opened>;
    /// Finds the session that a sign-in with this request key opened.
    async fn find_session_by_request(&self, key: [u8; 32]) -> StoreResult<Option<(Session, User)>>;
    /// Finds the session of this grant, redeemed or not.
    async fn find_session_by_grant(&self, hash: [u8; 32]) -> StoreResult<Option<(Session, User)>>;
    /// Finds the session and its user.
    async fn find_session(&self, id: SessionId) -> StoreResult<Option<(Session, User)>>;
    /// Redeems a grant; returns false if it was already redeemed, or the session was ended.
    async fn redeem_grant(&self, redemption: RedeemGrant) -> StoreResult<bool>;
    /// Rotates the expected refresh token of a session; returns false if the session now has another.
    async fn rotate_refresh_token(&self, step: RotateRefreshToken) -> StoreResult<bool>;
    /// Ends one session; returns `None` if it had already ended.
    async fn end_session(&self, ending: EndSession) -> StoreResult<Option<Revoked>>;
    /// Ends all sessions of a user and raises its epoch, or ends all but one by their ids.
    async fn end_user_sessions(&self, ending: EndUserSessions) -> StoreResult<Revoked>;
}

/// The auth log, for events that change nothing else.
#[async_trait]
pub trait AuthLogStore: Send + Sync {
    /// Adds a row.
    async fn append(&self, entry: AuthLogEntry) -> StoreResult<()>;
}

/// Marks of single-use values.
#[async_trait]
pub trait UsedMarkStore: Send + Sync {
    /// Marks a value as used; returns false if it was already marked.
    async fn mark_used(&self, mark: UsedMark) -> StoreResult<bool>;
    /// Marks a flow as used by a request that may be repeated; returns false if it was already marked.
    async fn record_request(&self, record: RecordRequest) -> StoreResult<bool>;
    /// Finds the request that used this flow, if it may be repeated.
    async fn find_request(&self, mark: [u8; 32]) -> StoreResult<Option<RecordedRequest>>;
    /// Records the outcome of a request; returns false if it has one.
    async fn record_outcome(&self, outcome: RecordOutcome) -> StoreResult<bool>;
}

/// Signing keys, sealed.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Returns all keys, oldest first.
    async fn signing_keys(&self) -> StoreResult<Vec<KeyRecord>>;
    /// Adds a key; returns false if another replica already added one of the same generation.
    async fn add_signing_key(&self, record: KeyRecord) -> StoreResult<bool>;
    /// Performs all steps, with a row in the log and an entry in the feed. Returns false, and performs none, if a key
    /// has changed or another replica already used the generation.
    async fn change_signing_keys(&self, change: ChangeSigningKeys) -> StoreResult<bool>;
    /// Replaces the sealed record of a key with a new one; returns false if the record has changed.
    async fn reseal_signing_key(&self, before: &KeyRecord, after: &KeyRecord) -> StoreResult<bool>;
    /// Deletes keys whose successor began at `horizon` or earlier, and returns their number. The signing key therefore
    /// stays.
    async fn sweep_signing_keys(&self, horizon: Timestamp) -> StoreResult<u64>;
}

/// The revocation feed.
#[async_trait]
pub trait RevocationFeed: Send + Sync {
    /// Returns the entries after this place, in order; [`FEED_PAGE`] entries if there may be more.
    async fn revocations_after(&self, seq: i64) -> StoreResult<Vec<FeedEntry>>;
    /// Returns the current users with these ids, if they exist; a broken row is an error of its own.
    async fn find_users(&self, ids: &[UserId]) -> StoreResult<Vec<(UserId, StoreResult<User>)>>;
}

/// Removes expired rows.
#[async_trait]
pub trait Sweep: Send + Sync {
    /// Removes at most `batch` rows, and returns their number. Rows that another transaction holds are left for later.
    async fn sweep(&self, what: Sweepable, batch: u64) -> StoreResult<u64>;
}

/// The database's own clock.
#[async_trait]
pub trait DatabaseClock: Send + Sync {
    /// Returns the time of the database's server; `None` if that is this machine.
    async fn database_time(&self) -> StoreResult<Option<Timestamp>>;
}
