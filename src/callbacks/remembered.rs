//! Answers of `session`, remembered: a session that is read again and again asks once. What is remembered belongs to
//! exactly what was asked, is bounded in bytes, and of many calls that ask the same at once one asks.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use quick_cache::sync::{Cache, EntryAction, EntryResult};
use quick_cache::{Equivalent, Weighter};

use crate::auth::{
    Callback, CallbackResult, Callbacks, FailureKind, JwtDecision, JwtInput, RedirectInput, SessionInput,
    SessionView, SignInDecision, SignInInput,
};
use crate::model::{ClaimMap, Clock, Timestamp, claims};

/// What a question and its answer weigh besides their claims, in bytes.
const BYTES_AN_ANSWER: u64 = 1024;

/// Remembers answers of `session`.
pub struct Remembered {
    inner: Arc<dyn Callbacks>,
    answers: Cache<Arc<Question>, Arc<Answer>, Bytes>,
    /// None: for as long as there is room.
    lifetime: Option<Duration>,
    clock: Arc<dyn Clock>,
}

/// All that a callback was told: another role, another claim, another token is another question.
struct Question {
    session: SessionView,
    claims: Arc<ClaimMap>,
}

/// The same, where it is asked.
#[derive(Clone, Copy)]
struct Asked<'a> {
    session: &'a SessionView,
    claims: &'a ClaimMap,
}

struct Answer {
    /// When it was asked, by the clock.
    asked: Timestamp,
    /// When it came.
    came: Instant,
    said: CallbackResult<ClaimMap>,
}

impl Answer {
    /// Whether it can be told to who asks now.
    fn is_fresh(&self, now: impl FnOnce() -> Timestamp, lifetime: Option<Duration>) -> bool {
        let counts = |lifetime| (self.asked..self.asked.plus(lifetime)).contains(&now());
        self.said.is_ok() && lifetime.is_none_or(counts)
    }

    /// Whether it can be told to who has asked since then. A failure answers only those who waited for it.
    fn counts(&self, now: impl FnOnce() -> Timestamp, lifetime: Option<Duration>, asking: Instant) -> bool {
        self.is_fresh(now, lifetime) || (self.said.is_err() && asking <= self.came)
    }
}

#[derive(Clone)]
struct Bytes;

impl Weighter<Arc<Question>, Arc<Answer>> for Bytes {
    fn weight(&self, question: &Arc<Question>, answer: &Arc<Answer>) -> u64 {
        let told = claims::memory_size(&question.claims);
        let said = answer.said.as_ref().map_or(0, claims::memory_size);
        BYTES_AN_ANSWER + told + said
    }
}

impl Remembered {
    /// Remembers answers of `inner`, of about so many bytes, for that long; without end if they depend on nothing but what
    /// is asked.
    #[must_use]
    pub fn new(
        inner: Arc<dyn Callbacks>,
        lifetime: Option<Duration>,
        bytes: u32,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let answers = usize::try_from(u64::from(bytes) / BYTES_AN_ANSWER).unwrap_or(usize::MAX);
        Self { inner, answers: Cache::with_weighter(answers, bytes.into(), Bytes), lifetime, clock }
    }

    async fn ask(&self, input: &SessionInput<'_>) -> Answer {
        let asked = self.clock.now();
        let said = self.inner.session(input).await;
        Answer { asked, came: Instant::now(), said }
    }
}

impl<'a> Asked<'a> {
    fn of(input: &SessionInput<'a>) -> Self {
        // Field by field, so that a new one does not compile before it is in here.
        let SessionInput { session, claims } = *input;
        Self { session, claims }
    }

    fn keep(self) -> Question {
        let of_token = &self.session.claims;
        let same = std::ptr::eq(self.claims, &raw const **of_token);
        let claims = if same { Arc::clone(of_token) } else { Arc::new(self.claims.clone()) };
        Question { session: self.session.clone(), claims }
    }
}

impl Question {
    fn asked(&self) -> Asked<'_> {
        Asked { session: &self.session, claims: &self.claims }
    }
}

impl PartialEq for Asked<'_> {
    fn eq(&self, other: &Self) -> bool {
        // What a verifier remembers is one map in every question about its token.
        let same = std::ptr::eq(self.claims, other.claims);
        self.session == other.session && (same || self.claims == other.claims)
    }
}

impl Hash for Asked<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.session.id.hash(state);
        self.session.access_token_expires_at.hash(state);
    }
}

impl PartialEq for Question {
    fn eq(&self, other: &Self) -> bool {
        self.asked() == other.asked()
    }
}

impl Eq for Question {}

impl Hash for Question {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.asked().hash(state);
    }
}

impl Equivalent<Arc<Question>> for Asked<'_> {
    fn equivalent(&self, question: &Arc<Question>) -> bool {
        *self == question.asked()
    }
}

#[async_trait]
impl Callbacks for Remembered {
    async fn sign_in(&self, input: &SignInInput<'_>) -> CallbackResult<SignInDecision> {
        self.inner.sign_in(input).await
    }

    async fn jwt(&self, input: &JwtInput<'_>) -> CallbackResult<JwtDecision> {
        self.inner.jwt(input).await
    }

    async fn session(&self, input: &SessionInput<'_>) -> CallbackResult<ClaimMap> {
        let (asked, now) = (Asked::of(input), || self.clock.now());
        if let Some(known) = self.answers.get(&asked).filter(|known| known.is_fresh(now, self.lifetime)) {
            return known.said.clone();
        }
        let asking = Instant::now();
        let question = Arc::new(asked.keep());
        let keep = |_: &Arc<Question>, known: &mut Arc<Answer>| {
            if known.counts(now, self.lifetime, asking) {
                EntryAction::Retain(Arc::clone(known))
            } else {
                EntryAction::ReplaceWithGuard
            }
        };
        // Who is not first waits here.
        let place = match self.answers.entry_async(&question, keep).await {
            EntryResult::Retained(known) => return known.said.clone(),
            EntryResult::Vacant(place) | EntryResult::Replaced(place, _) => Some(place),
            EntryResult::Removed(..) | EntryResult::Timeout => None,
        };
        let answer = Arc::new(self.ask(input).await);
        // Whose own call ended too soon knows nothing for others: the next of them asks.
        let known = answer.said.as_ref().err().is_none_or(|failure| failure.kind != FailureKind::CutShort);
        if let Some(place) = place.filter(|_| known) {
            let _ = place.insert(Arc::clone(&answer));
        }
        answer.said.clone()
    }

    async fn redirect(&self, input: &RedirectInput<'_>) -> CallbackResult<Option<String>> {
        self.inner.redirect(input).await
    }

    fn has(&self, callback: Callback) -> bool {
        self.inner.has(callback)
    }

    fn decides(&self, callback: Callback) -> bool {
        self.inner.decides(callback)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::auth::SessionUser;

    const SECOND: Duration = Duration::from_secs(1);

    fn answer(said: CallbackResult<ClaimMap>) -> Answer {
        Answer { asked: Timestamp(5000), came: Instant::now(), said }
    }

    #[test]
    fn an_answer_counts_for_its_lifetime_and_for_no_clock_that_was_set_back() {
        let known = answer(Ok(ClaimMap::new()));
        for (now, counts) in [(5000, true), (5999, true), (6000, false), (4999, false)] {
            let counted = known.counts(|| Timestamp(now), Some(SECOND), known.came + SECOND);
            assert_eq!(counted, counts, "{now}");
            assert!(known.counts(|| Timestamp(now), None, known.came + SECOND));
        }
    }

    #[test]
    fn a_failure_counts_for_those_who_waited_for_it() {
        let known = answer(Err(Callback::Session.failed("")));
        for lifetime in [Some(SECOND), None] {
            let counts = |asking| known.counts(|| Timestamp(5000), lifetime, asking);
            assert!(counts(known.came));
            assert!(!counts(known.came + Duration::from_nanos(1)));
        }
    }

    #[test]
    fn whatever_is_told_makes_another_question() {
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
        let known = Arc::new(Asked::of(&SessionInput { session: &first, claims: &none }).keep());
        let is_known = |session: &SessionView, claims: &ClaimMap| {
            Asked::of(&SessionInput { session, claims }).equivalent(&known)
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
