//! The readiness of this replica: it serves from ready to draining, and handles user calls only while its revocation
//! data is fresh. The composition root sets the state; gRPC health and the admin port publish it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

const READY: u8 = 1;
const STALE: u8 = 2;
const DRAINING: u8 = 4;

/// The readiness of one replica, shared by its clones.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<AtomicU8>);

impl Readiness {
    /// Records that start-up is complete.
    pub fn ready(&self) {
        self.0.fetch_or(READY, Ordering::AcqRel);
    }

    /// Records if the revocation data is fresh. It counts as fresh until the first report.
    pub fn fresh(&self, fresh: bool) {
        if fresh {
            self.0.fetch_and(!STALE, Ordering::AcqRel);
        } else {
            self.0.fetch_or(STALE, Ordering::AcqRel);
        }
    }

    /// Records that shutdown has begun. Nothing serves again afterwards.
    pub fn draining(&self) {
        self.0.fetch_or(DRAINING, Ordering::AcqRel);
    }

    /// Returns true if it is ready, and not draining.
    #[must_use]
    pub fn serves(&self) -> bool {
        self.0.load(Ordering::Acquire) & (READY | DRAINING) == READY
    }

    /// Returns true if it serves, and the revocation data is fresh.
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
