//! The rows that references name, read from the store in one statement and cached for as long as a caller accepts. The
//! cache is bounded in bytes. If many callers miss the same session, one of them reads it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use quick_cache::Weighter;
use quick_cache::sync::{Cache, EntryAction, EntryResult};

use crate::auth::error::{Error, Result};
use crate::auth::rules::{UserClaim, user_claims};
use crate::model::{ClaimMap, Clock, Session, SessionId, SuspendAwareInstant, Timestamp, User, claims};
use crate::storage::{SessionStore, StoreResult};
use crate::tokens::UserClaims;

/// The size of a reading besides its claims, in bytes.
const BYTES_A_READING: u64 = 2048;

/// A session's rows.
#[derive(Debug)]
pub struct SessionRows {
    /// The session; its claims are beside it.
    pub session: Session,
    /// The claims that `jwt` callbacks and updates added.
    pub claims: Arc<ClaimMap>,
    /// Its user.
    pub user: User,
    /// The claims about the user.
    pub told: UserClaims,
}

/// The rows of one session at one point in time.
#[derive(Debug)]
pub struct Reading {
    /// The time at which the read began, by the clock; a later change may be missing.
    pub at: Timestamp,
    began: SuspendAwareInstant,
    ended: SuspendAwareInstant,
    rows: StoreResult<Option<SessionRows>>,
    bytes: u64,
}

impl Reading {
    /// Returns the rows. If the row is missing, cleanup has removed it, and the session has expired.
    pub fn rows(&self) -> Result<&SessionRows> {
        let rows = self.rows.as_ref().map_err(|error| Error::from(error.clone()))?;
        rows.as_ref().ok_or(Error::SessionExpired)
    }

    /// Returns true if the reading is recent enough for a call that began at this time and accepts rows of this age. A
    /// failure answers only calls that waited for it.
    fn answers(&self, call: SuspendAwareInstant, max_age: Duration) -> bool {
        match self.rows {
            Ok(_) => call.since(self.began) <= max_age,
            Err(_) => call <= self.ended,
        }
    }
}

/// Reads the rows of sessions.
#[async_trait]
pub trait ReadSessionRows: Send + Sync {
    /// Returns the rows of this session, at most this old; zero means that the read begins now or later.
    async fn read(&self, id: SessionId, max_age: Duration) -> Arc<Reading>;
}

/// Reads the rows from the store each time.
pub struct StoredRows {
    /// The store of the sessions.
    pub sessions: Arc<dyn SessionStore>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The claims about the user that tokens contain.
    pub user_claims: BTreeSet<UserClaim>,
}

#[async_trait]
impl ReadSessionRows for StoredRows {
    async fn read(&self, id: SessionId, _: Duration) -> Arc<Reading> {
        let (at, began) = (self.clock.now(), SuspendAwareInstant::now());
        let found = self.sessions.find_session(id).await;
        let mut bytes = BYTES_A_READING;
        let rows = found.map(|found| {
            found.map(|(mut session, user)| {
                let added = std::mem::take(&mut session.claims);
                // No reader of references needs them.
                session.refresh.iter_mut().for_each(|refresh| refresh.older = Vec::new());
                bytes += claims::memory_size(&added);
                SessionRows {
                    session,
                    claims: Arc::new(added),
                    told: user_claims(&self.user_claims, &user),
                    user,
                }
            })
        });
        Arc::new(Reading { at, began, ended: SuspendAwareInstant::now(), rows, bytes })
    }
}

/// Caches the rows that another reader reads.
pub struct RememberedRows {
    reader: Arc<dyn ReadSessionRows>,
    readings: Cache<SessionId, Arc<Reading>, ReadingWeight>,
}

#[derive(Clone)]
struct ReadingWeight;

impl Weighter<SessionId, Arc<Reading>> for ReadingWeight {
    fn weight(&self, _: &SessionId, reading: &Arc<Reading>) -> u64 {
        reading.bytes
    }
}

impl RememberedRows {
    /// Caches readings up to about this many bytes.
    #[must_use]
    pub fn new(reader: Arc<dyn ReadSessionRows>, bytes: u32) -> Self {
        let readings = usize::try_from(u64::from(bytes) / BYTES_A_READING).unwrap_or(usize::MAX);
        Self { reader, readings: Cache::with_weighter(readings, bytes.into(), ReadingWeight) }
    }
}

#[async_trait]
impl ReadSessionRows for RememberedRows {
    async fn read(&self, id: SessionId, max_age: Duration) -> Arc<Reading> {
        let call = SuspendAwareInstant::now();
        if let Some(known) = self.readings.get(&id).filter(|known| known.answers(call, max_age)) {
            return known;
        }
        let keep = |_: &SessionId, known: &mut Arc<Reading>| {
            if known.answers(call, max_age) {
                EntryAction::Retain(Arc::clone(known))
            } else {
                EntryAction::ReplaceWithGuard
            }
        };
        // All callers but the first wait here, and read again if the first reading does not answer them.
        let place = match self.readings.entry_async(&id, keep).await {
            EntryResult::Retained(known) => return known,
            EntryResult::Vacant(place) | EntryResult::Replaced(place, _) => Some(place),
            EntryResult::Removed(..) | EntryResult::Timeout => None,
        };
        let reading = self.reader.read(id, max_age).await;
        if let Some(place) = place {
            let _ = place.insert(Arc::clone(&reading));
        }
        reading
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::StoreError;

    const SECOND: Duration = Duration::from_secs(1);

    /// A reading that took a second.
    fn reading(began: SuspendAwareInstant, rows: StoreResult<Option<SessionRows>>) -> Reading {
        Reading { at: Timestamp(0), began, ended: began.plus(SECOND), rows, bytes: 0 }
    }

    #[test]
    fn a_cached_row_serves_requests_that_accept_its_age() {
        let began = SuspendAwareInstant::now();
        let read = reading(began, Ok(None));
        for (later, max_age, answers) in [
            (SECOND, SECOND, true),
            (SECOND + Duration::from_nanos(1), SECOND, false),
            (Duration::from_nanos(1), Duration::ZERO, false),
            // Began when the call had already arrived.
            (Duration::ZERO, Duration::ZERO, true),
        ] {
            assert_eq!(read.answers(began.plus(later), max_age), answers, "{later:?} {max_age:?}");
        }
        assert!(reading(began.plus(SECOND), Ok(None)).answers(began, Duration::ZERO));
    }

    #[test]
    fn a_reading_from_before_the_machine_slept_is_as_old_as_the_clock_says() {
        let began = SuspendAwareInstant::now();
        let awake = began.plus(SECOND).with_clock_moved(60_000);
        assert!(!reading(began, Ok(None)).answers(awake, SECOND * 60));
        assert!(reading(began, Ok(None)).answers(awake, SECOND * 61));
    }

    #[test]
    fn a_failure_is_returned_to_all_waiting_requests() {
        let began = SuspendAwareInstant::now();
        let failed = reading(began, Err(StoreError::Broken(String::new())));
        assert!(failed.answers(began.plus(SECOND), Duration::ZERO));
        assert!(!failed.answers(began.plus(SECOND + Duration::from_nanos(1)), SECOND * 60));
    }

    #[test]
    fn a_missing_session_has_ended() {
        let gone = reading(SuspendAwareInstant::now(), Ok(None)).rows().map(drop);
        assert!(matches!(gone, Err(Error::SessionExpired)), "{gone:?}");
    }
}
