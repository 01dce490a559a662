//! The key ring of this replica: one key signs, and all verify until they retire. Tokens are verified only with keys of
//! the ring. The role of each key depends on the time passed in; `keys/` sets when each begins and ends.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::claims::AccessClaims;
use super::fit::{TooLarge, fit};
use crate::jose::{PublishedJwks, SigningKey};
use crate::model::Timestamp;

/// The reason why a token could not be issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssueFault {
    /// The token would exceed the largest accepted size.
    ClaimsTooLarge,
    /// This replica has no valid signing key.
    NoKey,
}

impl From<TooLarge> for IssueFault {
    fn from(_: TooLarge) -> Self {
        Self::ClaimsTooLarge
    }
}

/// A key in the ring.
#[derive(Debug, Clone)]
pub struct RingKey {
    /// The key.
    pub key: Arc<SigningKey>,
    /// Time at which it begins to sign; it verifies before that.
    pub not_before: Timestamp,
    /// Time at which it retires; `None` while it has no successor.
    pub retires_at: Option<Timestamp>,
}

impl RingKey {
    fn verifies(&self, now: Timestamp) -> bool {
        self.retires_at.is_none_or(|at| now < at)
    }
}

/// The key ring; reads never block.
#[derive(Debug)]
pub struct KeyRing(ArcSwap<Snapshot>);

/// The keys of the ring between two changes, newest first. They are few, so a linear search is faster than a map.
#[derive(Debug)]
pub(super) struct Snapshot(Vec<RingKey>);

impl Snapshot {
    /// Finds the key with this `kid`; the error distinguishes a retired key from an unknown one.
    pub(super) fn find(&self, kid: &str, now: Timestamp) -> Result<&SigningKey, KeyMissing> {
        let found = self.0.iter().find(|it| it.key.kid() == kid).ok_or(KeyMissing::Unknown)?;
        if found.verifies(now) { Ok(&found.key) } else { Err(KeyMissing::Retired) }
    }

    /// Returns the newest key that has begun; if none has, the one that begins first.
    fn signing(&self, now: Timestamp) -> Option<&Arc<SigningKey>> {
        let mut living = self.0.iter().filter(|it| it.verifies(now));
        let begun = living.clone().find(|it| it.not_before <= now);
        begun.or_else(|| living.next_back()).map(|it| &it.key)
    }
}

/// The reason why the ring has no key for a `kid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyMissing {
    Unknown,
    Retired,
}

impl KeyRing {
    /// Creates a ring of these keys, newest first.
    #[must_use]
    pub fn new(newest_first: Vec<RingKey>) -> Self {
        Self(ArcSwap::from_pointee(Snapshot(newest_first)))
    }

    /// Creates a ring that does not change: the first key signs, all verify.
    #[must_use]
    pub fn constant(keys: Vec<SigningKey>) -> Self {
        let for_ever =
            |key| RingKey { key: Arc::new(key), not_before: Timestamp(i64::MIN), retires_at: None };
        Self::new(keys.into_iter().map(for_ever).collect())
    }

    /// Replaces all keys by these, newest first.
    pub fn replace(&self, newest_first: Vec<RingKey>) {
        self.0.store(Arc::new(Snapshot(newest_first)));
    }

    /// Returns the public keys of those that sign, will sign or verify.
    #[must_use]
    pub fn jwks(&self, now: Timestamp) -> PublishedJwks {
        let snapshot = self.0.load();
        PublishedJwks::of(snapshot.0.iter().filter(|it| it.verifies(now)).map(|it| &*it.key))
    }

    /// Returns the algorithms of those keys, each once.
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

    /// Tells whether a key with this `kid` verifies.
    #[must_use]
    pub fn verifies(&self, kid: &str, now: Timestamp) -> bool {
        self.0.load().find(kid, now).is_ok()
    }

    pub(super) fn snapshot(&self) -> arc_swap::Guard<Arc<Snapshot>> {
        self.0.load()
    }

    /// Issues a signed access token; returns it with its claims, of which those about the user are shortened if need
    /// be.
    pub fn issue(
        &self,
        mut claims: AccessClaims,
        now: Timestamp,
    ) -> Result<(String, AccessClaims), IssueFault> {
        let key = self.0.load().signing(now).map(Arc::clone).ok_or(IssueFault::NoKey)?;
        let payload = fit(&mut claims, &key)?;
        // Keys in the ring were tested for signing.
        let token = key.sign_payload(&payload).ok_or(IssueFault::NoKey)?;
        Ok((token, claims))
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
