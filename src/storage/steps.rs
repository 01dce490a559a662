//! What the steps of the stores take and answer.

use crate::model::{
    Account, AccountId, AuthLogEntry, ClaimMap, EndReason, FeedEntry, RefreshState, RequestMark, Session,
    SessionId, Timestamp, UsedMark, User, UserId,
};

/// What a revoking transaction appended to the feed, and how many live sessions it ended.
#[derive(Debug, Clone, Default)]
pub struct Revoked {
    /// The entries, to be applied at once where they were made.
    pub entries: Vec<FeedEntry>,
    /// The user as it is now, where the step changed it.
    pub user: Option<User>,
    /// Sessions that were live until now.
    pub sessions_ended: u64,
}

/// An administrator's change of a user.
#[derive(Debug, Clone)]
pub struct UserUpdate {
    /// The user as it shall be, its version raised by one; its epoch raised if sessions end.
    pub user: User,
    /// The version it was made from.
    pub expected_version: i64,
    /// Ends its sessions, for this reason.
    pub end_sessions: Option<EndReason>,
    /// Until when the feed must remember.
    pub remember_until: Timestamp,
    /// Rows for the log.
    pub log: Vec<AuthLogEntry>,
}

/// What a sign-in writes.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The user, new or known.
    pub user: UserWrite,
    /// What becomes of the account's row.
    pub account: Option<AccountWrite>,
    /// The pending session.
    pub session: Session,
    /// What it uses up.
    pub used: Vec<UsedMark>,
    /// Where the person is.
    pub ip_address: Option<String>,
    /// Until when the feed must remember a changed profile.
    pub remember_until: Timestamp,
    /// Rows for the log.
    pub log: Vec<AuthLogEntry>,
}

/// The user of a sign-in.
#[derive(Debug, Clone)]
pub enum UserWrite {
    /// A new one.
    Create(User),
    /// A known one, if it is still of the version it was found at.
    Update {
        /// The user as it shall be; of a higher version when more than the time of the last sign-in differs.
        user: User,
        /// The version it was found at.
        expected_version: i64,
    },
}

/// The account of a sign-in.
#[derive(Debug, Clone)]
pub enum AccountWrite {
    /// A new one.
    Create(Account),
    /// A known one, to which other scopes were granted.
    Scope {
        /// The account.
        id: AccountId,
        /// The scopes.
        scope: Option<String>,
    },
}

/// What became of a sign-in.
#[derive(Debug)]
pub enum Opened {
    /// It is written.
    Done(Vec<FeedEntry>),
    /// Somebody else wrote the same user, account or e-mail first, or the user was banned meanwhile: look again.
    Conflict,
    /// A sign-in of the same `request_id` was there before.
    RequestKnown,
    /// What it would use up was used before; by the same `request_id`, perhaps.
    Used,
}

/// What adding an account to a user writes.
#[derive(Debug, Clone)]
pub struct Linking {
    /// The account, of the user.
    pub account: Account,
    /// Whether the user has it already: then only its scope is written, and it may be that what is used up was used before, by
    /// the same linking, whose answer was lost.
    pub again: bool,
    /// The session that shows that the person is signed in; it must be live, of this epoch of its user.
    pub session_id: SessionId,
    /// The user's epoch.
    pub epoch: i64,
    /// When.
    pub at: Timestamp,
    /// What it uses up.
    pub used: Vec<UsedMark>,
    /// The row for the log.
    pub log: Option<AuthLogEntry>,
}

/// What became of a linking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linked {
    /// It is written.
    Done,
    /// Somebody else added the account first, or took it away: look again.
    Conflict,
    /// What it would use up was used before.
    Used,
    /// The session is over, or the user is gone.
    SessionOver,
}

/// What redeeming a grant writes.
#[derive(Debug, Clone)]
pub struct Redemption {
    /// The session.
    pub session_id: SessionId,
    /// When.
    pub at: Timestamp,
    /// The repeatable request, if the caller named it.
    pub request: Option<RequestMark>,
    /// The first refresh token.
    pub refresh: RefreshState,
    /// When the session ends by itself.
    pub expires_at: Timestamp,
    /// What its tokens are for.
    pub audiences: Vec<String>,
    /// What the `jwt` callbacks added.
    pub claims: ClaimMap,
    /// The role that they were made from.
    pub claims_role: String,
    /// The row for the log.
    pub log: Option<AuthLogEntry>,
}

/// What a refresh writes.
#[derive(Debug, Clone)]
pub struct RotationStep {
    /// The session.
    pub session_id: SessionId,
    /// The hash of the live refresh token, as it is expected.
    pub expected_hash: [u8; 32],
    /// When.
    pub at: Timestamp,
    /// What becomes of the session; nothing, where the same answer is given again.
    pub advance: Option<Advance>,
    /// Where the person is now.
    pub ip_address: Option<String>,
    /// The row for the log.
    pub log: Option<AuthLogEntry>,
}

/// How a refresh moves a session on.
#[derive(Debug, Clone)]
pub struct Advance {
    /// The version the claims were made from.
    pub expected_version: i64,
    /// The refresh token from now on.
    pub refresh: RefreshState,
    /// When the session ends by itself.
    pub expires_at: Timestamp,
    /// What its tokens are for.
    pub audiences: Vec<String>,
    /// What the `jwt` callbacks and updates added.
    pub claims: ClaimMap,
    /// The role that they were made from.
    pub claims_role: String,
}

/// What ending one session writes.
#[derive(Debug, Clone)]
pub struct Ending {
    /// The session.
    pub session_id: SessionId,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: EndReason,
    /// Until when the feed must remember.
    pub remember_until: Timestamp,
    /// The row for the log.
    pub log: Option<AuthLogEntry>,
}

/// What ending all sessions of a user writes.
#[derive(Debug, Clone)]
pub struct EndingAll {
    /// The user.
    pub user_id: UserId,
    /// The one that goes on; the user's epoch stays then.
    pub except: Option<SessionId>,
    /// Only if this session was live itself at that time; nothing is ended otherwise.
    pub only_if_live: Option<(SessionId, Timestamp)>,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: EndReason,
    /// Until when the feed must remember.
    pub remember_until: Timestamp,
    /// The row for the log.
    pub log: Option<AuthLogEntry>,
}

/// What may be removed; a row at the very time named stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweepable {
    /// Sessions whose grant nobody redeemed and that expired before this time.
    Unredeemed(Timestamp),
    /// Sessions that were ended before this time.
    Ended(Timestamp),
    /// Sessions too old to be refreshed.
    Outlived {
        /// They were opened before this time.
        opened_before: Timestamp,
        /// And would have ended by themselves before this one.
        expired_before: Timestamp,
    },
    /// Entries of the feed that had to be remembered until before this time.
    Revocations(Timestamp),
    /// Rows of the auth log from before this time.
    AuthLog(Timestamp),
    /// Marks of what was used, that had to be kept until before this time.
    UsedMarks(Timestamp),
}
