//! Answers of `session`, remembered for a while: a session that is read again and again asks once. What is remembered
//! belongs to exactly what was asked, is bounded in bytes, and of many calls that ask the same at once one asks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use quick_cache::Weighter;
use quick_cache::sync::{Cache, EntryAction, EntryResult};

use crate::auth::{
    Callback, CallbackResult, Callbacks, FailureKind, JwtDecision, JwtInput, RedirectInput, SessionInput,
    SessionUser, SessionView, SignInDecision, SignInInput,
};
use crate::model::{ClaimMap, Clock, Timestamp, claims, digest_of};

/// What an answer weighs besides its claims, in bytes.
const BYTES_AN_ANSWER: u64 = 256;

/// Remembers answers of `session`.
pub struct Remembered {
    inner: Arc<dyn Callbacks>,
    answers: Cache<Question, Arc<Answer>, Bytes>,
    lifetime: Duration,
    clock: Arc<dyn Clock>,
}

/// All that a callback is told, as a digest: another role, another claim, another token is another question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Question([u8; 32]);

struct Answer {
    /// When it was asked, by the clock.
    asked: Timestamp,
    /// When it came.
    came: Instant,
    said: CallbackResult<ClaimMap>,
    bytes: u64,
}

impl Answer {
    /// Whether it answers who asks now, and asked first then. A failure answers only those who waited for it.
    fn counts(&self, now: Timestamp, asking: Instant, lifetime: Duration) -> bool {
        match self.said {
            Ok(_) => (self.asked..self.asked.plus(lifetime)).contains(&now),
            Err(_) => asking <= self.came,
        }
    }
}

#[derive(Clone)]
struct Bytes;

impl Weighter<Question, Arc<Answer>> for Bytes {
    fn weight(&self, _: &Question, answer: &Arc<Answer>) -> u64 {
        answer.bytes
    }
}

impl Remembered {
    /// Remembers answers of `inner` for that long, of about so many bytes.
    #[must_use]
    pub fn new(inner: Arc<dyn Callbacks>, lifetime: Duration, bytes: u32, clock: Arc<dyn Clock>) -> Self {
        let answers = usize::try_from(u64::from(bytes) / (2 * BYTES_AN_ANSWER)).unwrap_or(usize::MAX);
        Self { inner, answers: Cache::with_weighter(answers, bytes.into(), Bytes), lifetime, clock }
    }

    async fn ask(&self, input: &SessionInput<'_>) -> Answer {
        let asked = self.clock.now();
        let said = self.inner.session(input).await;
        let bytes = BYTES_AN_ANSWER + said.as_ref().map_or(0, claims::memory_size);
        Answer { asked, came: Instant::now(), said, bytes }
    }
}

impl Question {
    /// None where it can't be written down, which JSON always can.
    fn of(input: &SessionInput<'_>) -> Option<Self> {
        // Field by field, so that a new one does not compile before it is in here.
        let SessionInput { session, claims } = input;
        let SessionView {
            id,
            user,
            expires_at,
            access_token_expires_at,
            authenticated_at,
            provider,
            claims: of_token,
        } = session;
        let SessionUser { id: user_id, name, email, email_verified, image, role } = user;
        let user = serde_json::to_vec(&(user_id, name, email, email_verified, image, role)).ok()?;
        let times = [expires_at, access_token_expires_at, authenticated_at].map(|at| at.millis());
        let session = serde_json::to_vec(&(id, provider, times)).ok()?;
        let of_token = serde_json::to_vec(&**of_token).ok()?;
        let claims = serde_json::to_vec(claims).ok()?;
        Some(Self(digest_of(b"gatepass session callback", &[&session, &user, &of_token, &claims])))
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
        let asking = Instant::now();
        let Some(question) = Question::of(input) else { return self.inner.session(input).await };
        let counts = |known: &Answer| known.counts(self.clock.now(), asking, self.lifetime);
        if let Some(known) = self.answers.get(&question).filter(|known| counts(known)) {
            return known.said.clone();
        }
        let keep = |_: &Question, known: &mut Arc<Answer>| {
            if counts(known) { EntryAction::Retain(Arc::clone(known)) } else { EntryAction::ReplaceWithGuard }
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

    const SECOND: Duration = Duration::from_secs(1);

    fn answer(said: CallbackResult<ClaimMap>) -> Answer {
        Answer { asked: Timestamp(5000), came: Instant::now(), said, bytes: 0 }
    }

    #[test]
    fn an_answer_counts_for_its_lifetime_and_for_no_clock_that_was_set_back() {
        let known = answer(Ok(ClaimMap::new()));
        for (now, counts) in [(5000, true), (5999, true), (6000, false), (4999, false)] {
            assert_eq!(known.counts(Timestamp(now), known.came + SECOND, SECOND), counts, "{now}");
        }
    }

    #[test]
    fn a_failure_counts_for_those_who_waited_for_it() {
        let known = answer(Err(Callback::Session.failed("")));
        assert!(known.counts(Timestamp(5000), known.came, SECOND));
        assert!(!known.counts(Timestamp(5000), known.came + Duration::from_nanos(1), SECOND));
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
        let question = |session: &SessionView, claims: &ClaimMap| {
            Question::of(&SessionInput { session, claims }).unwrap()
        };
        let none = ClaimMap::new();
        let first = question(&session(), &none);
        assert_eq!(first, question(&session(), &none));
        assert_ne!(first, question(&session(), &claims(json!({"b": 1}))));
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
            assert_ne!(first, question(&other, &none), "{at}");
        }
    }
}
