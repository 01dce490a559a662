//! The readiness of this replica: it serves from ready to draining, and calls of users only while what it knows of revocations
//! is fresh. The composition root finds these out; gRPC health and the admin port show them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

const READY: u8 = 1;
const STALE: u8 = 2;
const DRAINING: u8 = 4;

/// The readiness of one replica, which its clones share.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<AtomicU8>);

impl Readiness {
    /// Notes that all that a start needs is there.
    pub fn ready(&self) {
        self.0.fetch_or(READY, Ordering::AcqRel);
    }

    /// Notes whether what is known of revocations is fresh enough. It is taken to be until something else is told.
    pub fn fresh(&self, fresh: bool) {
        if fresh {
            self.0.fetch_and(!STALE, Ordering::AcqRel);
        } else {
            self.0.fetch_or(STALE, Ordering::AcqRel);
        }
    }

    /// Notes that the process was told to go. Nothing serves again after it.
    pub fn draining(&self) {
        self.0.fetch_or(DRAINING, Ordering::AcqRel);
    }

    /// Tells whether it is ready, and not draining.
    #[must_use]
    pub fn serves(&self) -> bool {
        self.0.load(Ordering::Acquire) & (READY | DRAINING) == READY
    }

    /// Tells whether it serves, and can answer what depends on revocations.
    #[must_use]
    pub fn serves_fresh(&self) -> bool {
        self.0.load(Ordering::Acquire) == READY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_serves_from_ready_to_draining() {
        let readiness = Readiness::default();
        let serves = || (readiness.serves(), readiness.serves_fresh());
        assert_eq!(serves(), (false, false));
        readiness.ready();
        assert_eq!(serves(), (true, true));
        readiness.fresh(false);
        assert_eq!(serves(), (true, false));
        readiness.fresh(true);
        readiness.draining();
        readiness.ready();
        assert_eq!(serves(), (false, false));
    }
}
