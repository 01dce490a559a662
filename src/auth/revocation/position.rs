//! A place in the feed that identifies its entry, so that a replaced feed is detected.

use crate::model::{FeedEntry, Revocation, digest_of};

/// An opaque place in the revocation feed: every entry up to it has been delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The number of feeds that this replica has followed; a restored database starts a new one.
    generation: u32,
    seq: i64,
    digest: [u8; 8],
}

/// The error for a position that the index cannot continue from; a new snapshot contains everything in force.
///
/// The position is older than the kept entries, ahead of them, or has another entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;

impl std::fmt::Display for Gone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the position is not in the revocation feed; take a snapshot")
    }
}

impl std::error::Error for Gone {}

impl Position {
    /// The place before the first entry.
    pub(super) fn start(generation: u32) -> Self {
        Self { generation, seq: 0, digest: [0; 8] }
    }

    /// The place of an entry.
    pub(super) fn of(entry: &FeedEntry, generation: u32) -> Self {
        Self { generation, seq: entry.seq, digest: digest(entry) }
    }

    /// Returns the sequence number of the entry at this place; 0 before the first entry.
    pub(super) fn seq(self) -> i64 {
        self.seq
    }
}

/// Computes a digest of the content of an entry; it is the same on every replica.
fn digest(entry: &FeedEntry) -> [u8; 8] {
    let (kind, subject, min_epoch, reason) = match &entry.revocation {
        Revocation::Session { id, reason } => (1, Some(&id.0), 0, reason.name()),
        Revocation::User { id, min_epoch, reason } => (2, Some(&id.0), *min_epoch, reason.name()),
        Revocation::UserChanged { id } => (3, Some(&id.0), 0, ""),
        Revocation::KeysChanged => (4, None, 0, ""),
    };
    let whole = digest_of(
        b"gatepass feed entry",
        &[
            &[kind],
            subject.map_or(&[][..], |id| id.as_bytes()),
            &min_epoch.to_be_bytes(),
            reason.as_bytes(),
            &entry.until.millis().to_be_bytes(),
        ],
    );
    let mut digest = [0; 8];
    digest.copy_from_slice(&whole[..8]);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EndReason, SessionId, Timestamp, UserId};

    #[test]
    fn entries_that_differ_in_anything_have_different_positions() {
        let id = uuid::Uuid::from_u128;
        let (session, user) = (|of| SessionId(id(of)), |of| UserId(id(of)));
        let (revoked, banned) = (EndReason::Revoked, EndReason::Banned);
        let told = [
            Revocation::Session { id: session(1), reason: revoked },
            Revocation::Session { id: session(2), reason: revoked },
            Revocation::Session { id: session(1), reason: banned },
            Revocation::User { id: user(1), min_epoch: 2, reason: revoked },
            Revocation::User { id: user(1), min_epoch: 3, reason: revoked },
            Revocation::UserChanged { id: user(1) },
            Revocation::KeysChanged,
        ];
        let mut positions = Vec::new();
        for revocation in told {
            for (seq, until) in [(1, 1), (1, 2), (2, 1)] {
                let entry = FeedEntry { seq, until: Timestamp(until), revocation };
                assert_eq!(Position::of(&entry, 0), Position::of(&entry, 0));
                positions.extend([Position::of(&entry, 0), Position::of(&entry, 1)]);
            }
        }
        for (index, position) in positions.iter().enumerate() {
            assert!(!positions[..index].contains(position), "{position:?}");
        }
    }
}
