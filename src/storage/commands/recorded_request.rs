//! A request that may be repeated, recorded beside the mark of its flow.

use crate::model::{RequestMark, Timestamp, UsedMark};

/// Marks a flow as used by a request that may be repeated.
#[derive(Debug, Clone)]
pub struct RecordRequest {
    /// The mark of the flow.
    pub mark: UsedMark,
    /// The mark of the request.
    pub request: RequestMark,
    /// The time by which the call that marks the flow has ended.
    pub busy_until: Timestamp,
    /// The time until which the request may be repeated.
    pub repeat_until: Timestamp,
}

/// A recorded request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedRequest {
    /// The mark of the request.
    pub request: RequestMark,
    /// The time by which the call that marked the flow has ended.
    pub busy_until: Timestamp,
    /// The time until which the request may be repeated.
    pub repeat_until: Timestamp,
    /// The sealed outcome; `None` while there is none.
    pub outcome: Option<Vec<u8>>,
}

/// Records the outcome of a request, unless it has one.
#[derive(Debug, Clone)]
pub struct RecordOutcome {
    /// The key of the flow's mark.
    pub mark: [u8; 32],
    /// The sealed outcome.
    pub outcome: Vec<u8>,
}
