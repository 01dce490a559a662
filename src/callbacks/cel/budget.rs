//! The budget of one run of a callback. The library has no limit of its own, and expressions process untrusted input.
//! Therefore `meter` charges for each turn of a loop and for each text or list that is made. In loops it also charges
//! for each value that is read. A run that exceeds its budget fails, even if its expression handles the failure.
//! Budget and meter are written by hand because no CEL library for Rust limits the work of a run.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use cel::ExecutionError;
use cel::common::types::{CelBytes, CelList, CelMap, CelOptional, CelString, Type};
use cel::common::value::{StaticVal, Val};

use super::fault::failed;
use super::names::BUDGET_TYPE;

/// The budget of one run without a profile: at worst some twenty milliseconds of a processor (2026); a common run takes one to five
/// microseconds. A unit is a step of a loop's body, a value that is made, or 16 bytes of text, made or (in a loop)
/// read.
pub(super) const UNITS: u64 = 100_000;

/// The rest of a run's budget. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Budget(Arc<Account>);

#[derive(Debug)]
struct Account {
    left: AtomicU64,
    overdrawn: AtomicBool,
}

impl Budget {
    /// Makes the budget of expressions of so many steps over a profile of this weight. One pass over the profile always
    /// fits: a step of a loop's body costs a unit for each value, and may read the value.
    pub(super) fn new(profile_weight: u64, steps: u64) -> Self {
        let units = UNITS.saturating_add(profile_weight.saturating_mul(steps).saturating_mul(2));
        Self(Arc::new(Account { left: AtomicU64::new(units), overdrawn: AtomicBool::new(false) }))
    }

    /// Charges the budget. Only one thread charges at a time: a run is not split.
    pub(super) fn charge(&self, units: u64) -> Result<(), ExecutionError> {
        let left = self.0.left.load(Ordering::Relaxed).checked_sub(units);
        self.0.left.store(left.unwrap_or(0), Ordering::Relaxed);
        if left.is_none() {
            self.0.overdrawn.store(true, Ordering::Relaxed);
            return Err(failed(TOO_COSTLY));
        }
        Ok(())
    }

    /// Returns true if a charge failed: an expression may have continued without its value.
    pub(super) fn is_overdrawn(&self) -> bool {
        self.0.overdrawn.load(Ordering::Relaxed)
    }
}

/// The failure of a run that exceeds its budget.
pub(super) const TOO_COSTLY: &str = "exceeds the cost limit; loop over fewer elements, or produce less text";

/// The cost of holding or looking through a value.
pub(super) fn weight(value: &dyn Val) -> u64 {
    if let Some(text) = value.downcast_ref::<CelString>() {
        text_weight(text.len())
    } else if let Some(bytes) = value.downcast_ref::<CelBytes>() {
        text_weight(bytes.inner().len())
    } else if let Some(list) = value.downcast_ref::<CelList>() {
        list.inner().iter().fold(1, |sum: u64, item| sum.saturating_add(weight(item.as_ref())))
    } else if let Some(map) = value.downcast_ref::<CelMap>() {
        map.inner().iter().fold(1, |sum: u64, (key, value)| {
            sum.saturating_add(weight(key.inner())).saturating_add(weight(value.as_ref()))
        })
    } else if let Some(optional) = value.downcast_ref::<CelOptional>() {
        optional.option().map_or(1, |value| weight(value).saturating_add(1))
    } else {
        1
    }
}

/// The cost of a text of so many bytes.
pub(super) fn text_weight(bytes: usize) -> u64 {
    1 + u64::try_from(bytes / 16).unwrap_or(u64::MAX / 2)
}

impl Val for Budget {
    fn get_type(&self) -> &Type {
        &BUDGET_TYPE
    }

    fn cel_type() -> &'static Type {
        &BUDGET_TYPE
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Budget {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exhausted_budget_stays_exhausted() {
        let budget = Budget::new(0, 0);
        budget.charge(UNITS - 1).unwrap();
        assert!(!budget.is_overdrawn());
        budget.charge(2).unwrap_err();
        budget.charge(1).unwrap_err();
        assert!(budget.is_overdrawn());
    }

    #[test]
    fn the_cost_of_a_value_is_that_of_its_contents() {
        let text = |bytes: usize| Box::new(CelString::from("x".repeat(bytes))) as Box<dyn Val>;
        assert_eq!(weight(&*text(15)), 1);
        assert_eq!(weight(&*text(1600)), 101);
        assert_eq!(weight(&CelList::from(vec![text(0), text(32)])), 1 + 1 + 3);
        assert_eq!(weight(&CelOptional::of(text(16))), 3);
        assert_eq!(weight(&Budget::new(0, 0)), 1);
    }
}
