//! A cache for the answers of `session`: a session that is read repeatedly calls the callback once. An entry belongs to
//! exactly one input. The cache is bounded in bytes, and of concurrent calls with the same input only one calls the
//! callback.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use quick_cache::sync::{Cache, EntryAction, EntryResult};
use quick_cache::{Equivalent, Weighter};

use crate::auth::{Answer, Ask, CallbackResult, FailureKind, Question, SessionInput, SessionView};
use crate::model::{ClaimMap, Clock, Timestamp, claims};

/// The size of an entry besides its claims, in bytes.
const ENTRY_BYTES: u64 = 1024;

/// Callbacks whose answers of `session` are cached.
pub struct SessionCache {
    inner: Arc<dyn Ask>,
    entries: Cache<Arc<Key>, Arc<Entry>, EntryBytes>,
    /// `None` if entries stay until they are evicted.
    lifetime: Option<Duration>,
    clock: Arc<dyn Clock>,
}

/// The whole input of a callback: another role, claim or token makes another key.
struct Key {
    session: SessionView,
    claims: Arc<ClaimMap>,
}

/// A key that borrows from the input.
#[derive(Clone, Copy)]
struct BorrowedKey<'a> {
    session: &'a SessionView,
    claims: &'a ClaimMap,
}

struct Entry {
    /// The time of the question, by the clock.
    asked: Timestamp,
    /// The time of the answer.
    came: Instant,
    answer: CallbackResult<ClaimMap>,
}

impl Entry {
    /// Returns true if a call that begins now may use the entry.
    fn is_fresh(&self, now: impl FnOnce() -> Timestamp, lifetime: Option<Duration>) -> bool {
        let counts = |lifetime| (self.asked..self.asked.plus(lifetime)).contains(&now());
        self.answer.is_ok() && lifetime.is_none_or(counts)
    }

    /// Returns true if a call that began at this time may use the entry. A failure answers only calls that waited for
    /// it.
    fn counts(&self, now: impl FnOnce() -> Timestamp, lifetime: Option<Duration>, asking: Instant) -> bool {
        self.is_fresh(now, lifetime) || (self.answer.is_err() && asking <= self.came)
    }
}

/// Weighs entries by their bytes.
#[derive(Clone)]
struct EntryBytes;

impl Weighter<Arc<Key>, Arc<Entry>> for EntryBytes {
    fn weight(&self, key: &Arc<Key>, entry: &Arc<Entry>) -> u64 {
        let asked = claims::memory_size(&key.claims);
        let answered = entry.answer.as_ref().map_or(0, claims::memory_size);
        ENTRY_BYTES + asked + answered
    }
}

impl SessionCache {
    /// Caches about this many bytes of answers of `inner`, for this time; without expiry if answers depend only on
    /// their input.
    #[must_use]
    pub fn new(inner: Arc<dyn Ask>, lifetime: Option<Duration>, bytes: u32, clock: Arc<dyn Clock>) -> Self {
        let entries = usize::try_from(u64::from(bytes) / ENTRY_BYTES).unwrap_or(usize::MAX);
        Self { inner, entries: Cache::with_weighter(entries, bytes.into(), EntryBytes), lifetime, clock }
    }

    async fn answered(&self, input: &SessionInput<'_>) -> Entry {
        let asked = self.clock.now();
        let answer = self.inner.ask(Question::Session(input)).await.and_then(Answer::session);
        Entry { asked, came: Instant::now(), answer }
    }

    async fn session(&self, input: &SessionInput<'_>) -> CallbackResult<ClaimMap> {
        let (key, now) = (BorrowedKey::of(input), || self.clock.now());
        if let Some(known) = self.entries.get(&key).filter(|known| known.is_fresh(now, self.lifetime)) {
            return known.answer.clone();
        }
        let asking = Instant::now();
        let key = Arc::new(key.into_owned());
        let keep = |_: &Arc<Key>, known: &mut Arc<Entry>| {
            if known.counts(now, self.lifetime, asking) {
                EntryAction::Retain(Arc::clone(known))
            } else {
                EntryAction::ReplaceWithGuard
            }
        };
        // All calls but the first wait here.
        let place = match self.entries.entry_async(&key, keep).await {
            EntryResult::Retained(known) => return known.answer.clone(),
            EntryResult::Vacant(place) | EntryResult::Replaced(place, _) => Some(place),
            EntryResult::Removed(..) | EntryResult::Timeout => None,
        };
        let entry = Arc::new(self.answered(input).await);
        // A call that was cut short is no answer for others: the next call tries itself.
        let known = entry.answer.as_ref().err().is_none_or(|failure| failure.kind != FailureKind::CutShort);
        if let Some(place) = place.filter(|_| known) {
            let _ = place.insert(Arc::clone(&entry));
        }
        entry.answer.clone()
    }
}

impl<'a> BorrowedKey<'a> {
    fn of(input: &SessionInput<'a>) -> Self {
        // Field by field, so that a new field does not compile before it is part of the key.
        let SessionInput { session, claims } = *input;
        Self { session, claims }
    }

    fn into_owned(self) -> Key {
        let of_token = &self.session.claims;
        let same = std::ptr::eq(self.claims, &raw const **of_token);
        let claims = if same { Arc::clone(of_token) } else { Arc::new(self.claims.clone()) };
        Key { session: self.session.clone(), claims }
    }
}

impl Key {
    fn borrowed(&self) -> BorrowedKey<'_> {
        BorrowedKey { session: &self.session, claims: &self.claims }
    }
}

impl PartialEq for BorrowedKey<'_> {
    fn eq(&self, other: &Self) -> bool {
        // All questions about one token share the map of its cached verification.
        let same = std::ptr::eq(self.claims, other.claims);
        self.session == other.session && (same || self.claims == other.claims)
    }
}

impl Hash for BorrowedKey<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.session.id.hash(state);
        self.session.access_token_expires_at.hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.borrowed() == other.borrowed()
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.borrowed().hash(state);
    }
}

impl Equivalent<Arc<Key>> for BorrowedKey<'_> {
    fn equivalent(&self, key: &Arc<Key>) -> bool {
        *self == key.borrowed()
    }
}

#[async_trait]
impl Ask for SessionCache {
    async fn ask(&self, question: Question<'_>) -> CallbackResult<Answer> {
        match question {
            Question::Session(input) => self.session(input).await.map(Answer::Session),
            Question::SignIn(_) | Question::Jwt(_) | Question::Redirect(_) => self.inner.ask(question).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::auth::{Callback, SessionUser};

    const SECOND: Duration = Duration::from_secs(1);

    fn entry(answer: CallbackResult<ClaimMap>) -> Entry {
        Entry { asked: Timestamp(5000), came: Instant::now(), answer }
    }

    #[test]
    fn a_response_is_cached_for_its_lifetime_unless_the_clock_is_set_back() {
        let known = entry(Ok(ClaimMap::new()));
        for (now, counts) in [(5000, true), (5999, true), (6000, false), (4999, false)] {
            let counted = known.counts(|| Timestamp(now), Some(SECOND), known.came + SECOND);
            assert_eq!(counted, counts, "{now}");
            assert!(known.counts(|| Timestamp(now), None, known.came + SECOND));
        }
    }

    #[test]
    fn a_failure_counts_only_for_calls_that_waited_for_it() {
        let known = entry(Err(Callback::Session.failed("")));
        for lifetime in [Some(SECOND), None] {
            let counts = |asking| known.counts(|| Timestamp(5000), lifetime, asking);
            assert!(counts(known.came));
            assert!(!counts(known.came + Duration::from_nanos(1)));
        }
    }

    #[test]
    fn any_different_input_is_a_different_cache_key() {
        let claims = |value: serde_json::Value| Arc::new(value.as_object().unwrap().clone());
        let session = || SessionView {
            id: "a".to_owned(),
            user: SessionUser {
                id: "u".to_owned(),
                name: Some("Ada".to_owned()),
                email: None,
                email_verified: false,
                image: None,
                role: Some("user".to_owned()),
            },
            expires_at: Timestamp(3),
            access_token_expires_at: Timestamp(2),
            authenticated_at: Timestamp(1),
            provider: "github".to_owned(),
            claims: claims(json!({"a": 1})),
        };
        let none = ClaimMap::new();
        let (first, again) = (session(), session());
        let known = Arc::new(BorrowedKey::of(&SessionInput { session: &first, claims: &none }).into_owned());
        let is_known = |session: &SessionView, claims: &ClaimMap| {
            BorrowedKey::of(&SessionInput { session, claims }).equivalent(&known)
        };
        assert!(is_known(&first, &none) && is_known(&again, &ClaimMap::new()));
        assert!(!is_known(&first, &claims(json!({"b": 1}))));
        let changes: [fn(&mut SessionView); 12] = [
            |session| session.id.push('b'),
            |session| session.user.id.push('b'),
            |session| session.user.name = None,
            |session| session.user.email = Some(String::new()),
            |session| session.user.email_verified = true,
            |session| session.user.image = Some(String::new()),
            |session| session.user.role = Some("admin".to_owned()),
            |session| session.expires_at = Timestamp(4),
            |session| session.access_token_expires_at = Timestamp(4),
            |session| session.authenticated_at = Timestamp(4),
            |session| session.provider.push('b'),
            |session| session.claims = Arc::new(ClaimMap::new()),
        ];
        for (at, change) in changes.iter().enumerate() {
            let mut other = session();
            change(&mut other);
            assert!(!is_known(&other, &none), "{at}");
        }
    }
}
