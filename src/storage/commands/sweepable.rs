//! Expired rows that cleanup removes.

use crate::model::Timestamp;

/// Rows that may be removed; a row at exactly the given time stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweepable {
    /// Sessions whose grant expired before this time without being redeemed.
    Unredeemed(Timestamp),
    /// Sessions that were ended before this time.
    Ended(Timestamp),
    /// Sessions that are too old to be refreshed.
    Outlived {
        /// Sessions that were opened before this time.
        opened_before: Timestamp,
        /// Sessions that expired before this time.
        expired_before: Timestamp,
    },
    /// Entries of the feed whose retention ended before this time.
    Revocations(Timestamp),
    /// Rows of the auth log from before this time.
    AuthLog(Timestamp),
    /// Marks of single-use values whose retention ended before this time.
    UsedMarks(Timestamp),
}
