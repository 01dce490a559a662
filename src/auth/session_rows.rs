//! The rows that references name: read from the store in one statement, and remembered for as long as a caller
//! accepts. What is remembered is bounded in bytes, and of many callers who miss the same session one reads it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use quick_cache::Weighter;
use quick_cache::sync::{Cache, EntryAction, EntryResult};

use super::error::{Error, Result};
use super::shared::{UserClaim, user_claims};
use crate::model::{ClaimMap, Clock, Session, SessionId, SuspendAwareInstant, Timestamp, User, claims};
use crate::storage::{SessionStore, StoreResult};
use crate::tokens::UserClaims;

/// What a reading weighs besides its claims, in bytes.
const BYTES_A_READING: u64 = 2048;

/// A session's rows.
#[derive(Debug)]
pub struct SessionRows {
    /// The session; its claims are beside it.
    pub session: Session,
    /// What the `jwt` callbacks and updates added.
    pub claims: Arc<ClaimMap>,
    /// Its user.
    pub user: User,
    /// What tokens tell of the user.
    pub told: UserClaims,
}

/// The rows of one session as they were at one moment.
#[derive(Debug)]
pub struct Reading {
    /// When it began, by the clock; a change from then on may be missing.
    pub at: Timestamp,
    began: SuspendAwareInstant,
    ended: SuspendAwareInstant,
    rows: StoreResult<Option<SessionRows>>,
    bytes: u64,
}

impl Reading {
    /// The rows; one that is missing was swept, its session is over.
    pub fn rows(&self) -> Result<&SessionRows> {
        let rows = self.rows.as_ref().map_err(|error| Error::from(error.clone()))?;
        rows.as_ref().ok_or(Error::SessionExpired)
    }

    /// Whether it answers a call made then that takes rows of this age: it began late enough. A failure answers only
    /// those who waited for it.
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
    /// The rows of this session, at most so old; zero: as they are from now on.
    async fn read(&self, id: SessionId, max_age: Duration) -> Arc<Reading>;
}

/// Reads them from the store, each time.
pub struct StoredRows {
    /// Where they are.
    pub sessions: Arc<dyn SessionStore>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// What is told of a user.
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

/// Remembers what another reader read.
pub struct RememberedRows {
    reader: Arc<dyn ReadSessionRows>,
    readings: Cache<SessionId, Arc<Reading>, Bytes>,
}

#[derive(Clone)]
struct Bytes;

impl Weighter<SessionId, Arc<Reading>> for Bytes {
    fn weight(&self, _: &SessionId, reading: &Arc<Reading>) -> u64 {
        reading.bytes
    }
}

impl RememberedRows {
    /// Remembers readings of about so many bytes.
    #[must_use]
    pub fn new(reader: Arc<dyn ReadSessionRows>, bytes: u32) -> Self {
        let readings = usize::try_from(u64::from(bytes) / BYTES_A_READING).unwrap_or(usize::MAX);
        Self { reader, readings: Cache::with_weighter(readings, bytes.into(), Bytes) }
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
        // Who is not first waits here, and reads again if what the first one reads answers it not.
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
    fn a_reading_answers_those_who_accept_its_age() {
        let began = SuspendAwareInstant::now();
        let read = reading(began, Ok(None));
        for (later, max_age, answers) in [
            (SECOND, SECOND, true),
            (SECOND + Duration::from_nanos(1), SECOND, false),
            (Duration::from_nanos(1), Duration::ZERO, false),
            // Begun when the call was there already.
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
    fn a_failure_answers_those_who_waited_for_it() {
        let began = SuspendAwareInstant::now();
        let failed = reading(began, Err(StoreError::Broken(String::new())));
        assert!(failed.answers(began.plus(SECOND), Duration::ZERO));
        assert!(!failed.answers(began.plus(SECOND + Duration::from_nanos(1)), SECOND * 60));
    }

    #[test]
    fn a_session_that_is_not_there_is_over() {
        let gone = reading(SuspendAwareInstant::now(), Ok(None)).rows().map(drop);
        assert!(matches!(gone, Err(Error::SessionExpired)), "{gone:?}");
    }
}
