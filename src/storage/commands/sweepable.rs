//! Expired rows that the sweeper removes.

use crate::model::Timestamp;

/// Rows that may be removed; a row at the very time named stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweepable {
    /// Sessions whose grant expired before this time, not redeemed.
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
    /// Marks of single-use values that had to be kept until before this time.
    UsedMarks(Timestamp),
}
