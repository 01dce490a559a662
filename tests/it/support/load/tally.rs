//! The results of the calls of a load, by method.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The calls of each method since the last check.
#[derive(Debug)]
pub struct Tallies {
    methods: Mutex<(Instant, BTreeMap<&'static str, Tally>)>,
    calls: AtomicUsize,
}

/// The calls of one method.
#[derive(Debug, Default, Clone)]
struct Tally {
    answered: usize,
    refused: BTreeMap<String, usize>,
    slowest: Duration,
    first_answer: Option<Duration>,
}

impl Default for Tallies {
    fn default() -> Self {
        Self { methods: Mutex::new((Instant::now(), BTreeMap::new())), calls: AtomicUsize::new(0) }
    }
}

impl Tallies {
    pub(super) fn next_number(&self) -> usize {
        self.calls.fetch_add(1, Ordering::Relaxed)
    }

    /// Clears the counts.
    pub fn clear(&self) {
        *self.lock() = (Instant::now(), BTreeMap::new());
    }

    pub(super) fn note(&self, method: &'static str, begun: Instant, refused: Option<&str>) {
        let (since, methods) = &mut *self.lock();
        let tally = methods.entry(method).or_default();
        tally.slowest = tally.slowest.max(begun.elapsed());
        match refused {
            None => {
                tally.answered += 1;
                tally.first_answer.get_or_insert(since.elapsed());
            }
            Some(reason) => *tally.refused.entry(reason.to_owned()).or_default() += 1,
        }
    }

    /// Checks if each of these methods was answered.
    pub fn answered(&self, methods: &[&str]) -> bool {
        let (_, tallies) = &*self.lock();
        methods.iter().all(|method| tallies.get(method).is_some_and(|tally| tally.answered > 0))
    }

    /// Checks if each of these methods was rejected.
    pub fn refused(&self, methods: &[&str]) -> bool {
        let (_, tallies) = &*self.lock();
        methods.iter().all(|method| tallies.get(method).is_some_and(|tally| !tally.refused.is_empty()))
    }

    /// Returns the time until the first answer of these methods, and until each of them had one.
    pub fn answered_after(&self, methods: &[&str]) -> (Duration, Duration) {
        let (_, tallies) = &*self.lock();
        let first = methods.iter().filter_map(|method| tallies.get(method)?.first_answer);
        (first.clone().min().unwrap_or_default(), first.max().unwrap_or_default())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (Instant, BTreeMap<&'static str, Tally>)> {
        self.methods.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Tallies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (method, tally) in &self.lock().1 {
            let Tally { answered, refused, slowest, first_answer } = tally;
            writeln!(
                f,
                "  {method}: answered {answered}, the first after {first_answer:?}, refused {refused:?}, slowest {slowest:?}"
            )?;
        }
        Ok(())
    }
}
