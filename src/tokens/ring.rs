//! The keys of this replica: one signs, all of them verify until they retire. A token's key is found here and nowhere
//! else. Which key does what follows from the time that is passed in; who fills the ring says when each begins and ends.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::claims::AccessClaims;
use super::limits::MAX_TOKEN_BYTES;
use crate::jose::{PublishedJwks, SigningKey};
use crate::model::Timestamp;

/// Why no token could be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssueFault {
    /// It would have more bytes than any reader takes.
    ClaimsTooLarge,
    /// This replica has no key whose tokens count.
    NoKey,
}

/// A key in the ring.
#[derive(Debug, Clone)]
pub struct RingKey {
    /// The key.
    pub key: Arc<SigningKey>,
    /// When it begins to sign; it verifies before that.
    pub not_before: Timestamp,
    /// When it is refused; none while no other follows it.
    pub retires_at: Option<Timestamp>,
}

impl RingKey {
    fn verifies(&self, now: Timestamp) -> bool {
        self.retires_at.is_none_or(|at| now < at)
    }
}

/// The ring; readers never wait.
#[derive(Debug)]
pub struct KeyRing(ArcSwap<Snapshot>);

/// The ring's keys between two changes, the newest first. They are few: looking through them beats a map.
#[derive(Debug)]
pub(super) struct Snapshot(Vec<RingKey>);

impl Snapshot {
    /// The key of this name; that it was known and has retired is another fault than that it was never there.
    pub(super) fn find(&self, kid: &str, now: Timestamp) -> Result<&SigningKey, KeyMissing> {
        let found = self.0.iter().find(|it| it.key.kid() == kid).ok_or(KeyMissing::Unknown)?;
        if found.verifies(now) { Ok(&found.key) } else { Err(KeyMissing::Retired) }
    }

    /// The newest key that has begun; before any has, the one that begins first.
    fn signing(&self, now: Timestamp) -> Option<&Arc<SigningKey>> {
        let mut living = self.0.iter().filter(|it| it.verifies(now));
        let begun = living.clone().find(|it| it.not_before <= now);
        begun.or_else(|| living.next_back()).map(|it| &it.key)
    }
}

/// Why the ring has no key of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyMissing {
    Unknown,
    Retired,
}

impl KeyRing {
    /// A ring of these keys, the newest first.
    #[must_use]
    pub fn new(newest_first: Vec<RingKey>) -> Self {
        Self(ArcSwap::from_pointee(Snapshot(newest_first)))
    }

    /// A ring that stays as it is: the first key signs, all verify.
    #[must_use]
    pub fn constant(keys: Vec<SigningKey>) -> Self {
        let for_ever =
            |key| RingKey { key: Arc::new(key), not_before: Timestamp(i64::MIN), retires_at: None };
        Self::new(keys.into_iter().map(for_ever).collect())
    }

    /// Puts these keys in place of those that were there, the newest first.
    pub fn replace(&self, newest_first: Vec<RingKey>) {
        self.0.store(Arc::new(Snapshot(newest_first)));
    }

    /// The public keys of those that sign, will sign or verify.
    #[must_use]
    pub fn jwks(&self, now: Timestamp) -> PublishedJwks {
        let snapshot = self.0.load();
        PublishedJwks::of(snapshot.0.iter().filter(|it| it.verifies(now)).map(|it| &*it.key))
    }

    /// The algorithms of those keys, each once.
    #[must_use]
    pub fn algorithms(&self, now: Timestamp) -> Vec<&'static str> {
        let mut names = Vec::new();
        for it in self.0.load().0.iter().filter(|it| it.verifies(now)) {
            let name = it.key.algorithm().name();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Tells whether a key of this name verifies.
    #[must_use]
    pub fn verifies(&self, kid: &str, now: Timestamp) -> bool {
        self.0.load().find(kid, now).is_ok()
    }

    pub(super) fn snapshot(&self) -> arc_swap::Guard<Arc<Snapshot>> {
        self.0.load()
    }

    /// Makes and signs an access token.
    pub fn issue(&self, claims: &AccessClaims, now: Timestamp) -> Result<String, IssueFault> {
        let key = self.0.load().signing(now).map(Arc::clone).ok_or(IssueFault::NoKey)?;
        // A key that is in the ring has proven that it signs, and claims are plain JSON: what is left is size.
        let token = key.sign(&claims.to_json()).ok_or(IssueFault::ClaimsTooLarge)?;
        if token.len() > MAX_TOKEN_BYTES { Err(IssueFault::ClaimsTooLarge) } else { Ok(token) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::Algorithm;
    use crate::model::OsEntropy;
    use crate::tokens::Secrets;

    fn key() -> Arc<SigningKey> {
        let (secrets, at) = (Secrets::new(&["a".repeat(32).into()]).unwrap(), [Timestamp(0); 2]);
        Arc::new(SigningKey::make(&secrets, &OsEntropy, Algorithm::EdDsa, 1, at).unwrap().0)
    }

    fn signs(ring: &KeyRing, now: i64) -> Option<String> {
        ring.snapshot().signing(Timestamp(now)).map(|key| key.kid().to_owned())
    }

    #[test]
    fn the_newest_key_that_has_begun_signs_and_a_retired_one_never() {
        let [old, new] = [key(), key()];
        let at = |key: &Arc<SigningKey>, not_before, retires_at: Option<i64>| RingKey {
            key: Arc::clone(key),
            not_before: Timestamp(not_before),
            retires_at: retires_at.map(Timestamp),
        };
        let ring = KeyRing::new(vec![at(&new, 100, None), at(&old, 10, Some(200))]);
        for (now, wanted) in [(0, &old), (10, &old), (99, &old), (100, &new), (200, &new)] {
            assert_eq!(signs(&ring, now).as_deref(), Some(wanted.kid()), "{now}");
        }
        let counts = |now| [&old, &new].map(|key| ring.verifies(key.kid(), Timestamp(now)));
        assert_eq!([counts(0), counts(199), counts(200)], [[true, true], [true, true], [false, true]]);
        let published = |now| ring.jwks(Timestamp(now)).body.windows(5).filter(|it| it == b"\"kid\"").count();
        assert_eq!([published(0), published(199), published(200)], [2, 2, 1]);

        ring.replace(vec![at(&old, 10, Some(200))]);
        assert_eq!(signs(&ring, 199).as_deref(), Some(old.kid()), "a newer one could not be opened");
        assert_eq!(signs(&ring, 200), None, "its tokens would be refused elsewhere");
        assert_eq!(ring.snapshot().find(new.kid(), Timestamp(0)).unwrap_err(), KeyMissing::Unknown);
        assert_eq!(ring.snapshot().find(old.kid(), Timestamp(200)).unwrap_err(), KeyMissing::Retired);
    }
}
