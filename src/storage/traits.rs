//! The stores, as the use cases see them: a trait each, so that a cache can stand before one.

use async_trait::async_trait;

use super::commands::{
    ChangeSigningKeys, EndSession, EndUserSessions, LinkAccount, Linked, OpenSession, Opened, RedeemGrant,
    Revoked, RotateRefreshToken, Sweepable, UpdateUser,
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
    /// The user of this id.
    async fn find_user(&self, id: UserId) -> StoreResult<Option<User>>;
    /// The user that this account proves.
    async fn find_user_by_account(&self, key: AccountKey) -> StoreResult<Option<(User, Account)>>;
    /// The user who owns this verified e-mail.
    async fn find_user_by_email(&self, key: EmailKey) -> StoreResult<Option<User>>;
    /// The providers a user can sign in with.
    async fn linked_providers(&self, id: UserId) -> StoreResult<Vec<ProviderId>>;
    /// Adds an account to a user who is signed in.
    async fn link_account(&self, linking: LinkAccount) -> StoreResult<Linked>;
    /// Writes an administrator's change, if the user is still of the version it was made from.
    async fn update_user(&self, change: UpdateUser) -> StoreResult<Option<Revoked>>;
}

/// Sessions, from the grant to the last refresh.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Writes a sign-in, in one transaction.
    async fn open_session(&self, opening: OpenSession) -> StoreResult<Opened>;
    /// The session that a sign-in of this name opened.
    async fn find_session_by_request(&self, key: [u8; 32]) -> StoreResult<Option<(Session, User)>>;
    /// The session that this grant opens, redeemed or not.
    async fn find_session_by_grant(&self, hash: [u8; 32]) -> StoreResult<Option<(Session, User)>>;
    /// The session and its user.
    async fn find_session(&self, id: SessionId) -> StoreResult<Option<(Session, User)>>;
    /// Redeems a grant; false when it was redeemed before, or the session was ended.
    async fn redeem_grant(&self, redemption: RedeemGrant) -> StoreResult<bool>;
    /// Moves a session on from the refresh token it is expected to have; false when it has another by now.
    async fn rotate_refresh_token(&self, step: RotateRefreshToken) -> StoreResult<bool>;
    /// Ends one session; false when it had ended already.
    async fn end_session(&self, ending: EndSession) -> StoreResult<Option<Revoked>>;
    /// Ends all sessions of a user and raises its epoch, or all but one, each by name.
    async fn end_user_sessions(&self, ending: EndUserSessions) -> StoreResult<Revoked>;
}

/// The auth log, for what changes nothing else.
#[async_trait]
pub trait AuthLogStore: Send + Sync {
    /// Adds a row.
    async fn append(&self, entry: AuthLogEntry) -> StoreResult<()>;
}

/// Marks of single-use values.
#[async_trait]
pub trait UsedMarkStore: Send + Sync {
    /// Marks a value as used; false when it was marked before.
    async fn mark_used(&self, mark: UsedMark) -> StoreResult<bool>;
}

/// Signing keys, sealed.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Every key there is, oldest first.
    async fn signing_keys(&self) -> StoreResult<Vec<KeyRecord>>;
    /// Adds a key; false when another replica was faster with the same generation.
    async fn add_signing_key(&self, record: KeyRecord) -> StoreResult<bool>;
    /// Takes all of the steps, with a row in the log and an entry in the feed; false, and none of them taken, when a key
    /// is not as it was read, or another replica was faster with the same generation.
    async fn change_signing_keys(&self, change: ChangeSigningKeys) -> StoreResult<bool>;
    /// Puts the key's new sealed record in place of the one it was made from; false when that is another by now.
    async fn reseal_signing_key(&self, before: &KeyRecord, after: &KeyRecord) -> StoreResult<bool>;
    /// Deletes keys that a later one followed at `horizon` or earlier; answers how many. So whichever signs stays.
    async fn sweep_signing_keys(&self, horizon: Timestamp) -> StoreResult<u64>;
}

/// The revocation feed.
#[async_trait]
pub trait RevocationFeed: Send + Sync {
    /// The entries after this place, in order; [`FEED_PAGE`] entries where there may be more.
    async fn revocations_after(&self, seq: i64) -> StoreResult<Vec<FeedEntry>>;
    /// The users of these ids as they are now, those that exist; each an error by itself where its row is broken.
    async fn find_users(&self, ids: &[UserId]) -> StoreResult<Vec<(UserId, StoreResult<User>)>>;
}

/// Removes expired rows.
#[async_trait]
pub trait Sweep: Send + Sync {
    /// Removes at most `batch` rows, and answers how many. Rows that another transaction holds are left for a later time.
    async fn sweep(&self, what: Sweepable, batch: u64) -> StoreResult<u64>;
}

/// The database's own clock.
#[async_trait]
pub trait DatabaseClock: Send + Sync {
    /// The time of the database's server; none where that is this machine.
    async fn database_time(&self) -> StoreResult<Option<Timestamp>>;
}
