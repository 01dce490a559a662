//! The functions that metered expressions call: some charge the budget, and `has()` knows which fields are set.

use cel::ExecutionError;
use cel::common::types::{CelBool, CelInt, CelNull, CelOptional};
use cel::common::value::{CowVal, Val};

use super::budget::{Budget, weight};
use super::fault::failed;
use super::names::RECORD_TYPE;

/// The answer of a function.
type Answer<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;

/// Adds `left + right`, and charges for the sum.
pub(super) fn add<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let [budget, left, right] = args.as_slice() else { return Err(misused()) };
    let types = || vec![left.get_type().name().to_owned(), right.get_type().name().to_owned()];
    let no_sum = || ExecutionError::no_such_overload("_+_", types());
    let sum = match left.as_adder().ok_or_else(no_sum)?.add(right.as_ref()) {
        Err(ExecutionError::UnsupportedBinaryOperator(..)) => return Err(no_sum()),
        sum => sum?.into_owned(),
    };
    budget.downcast_ref::<Budget>().ok_or_else(misused)?.charge(weight(sum.as_ref()))?;
    Ok(CowVal::Owned(sum))
}

/// Charges for a value, and returns it.
pub(super) fn spend<'b, 'v>(mut args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let value = args.pop().ok_or_else(misused)?;
    let budget = args.pop().ok_or_else(misused)?;
    budget.downcast_ref::<Budget>().ok_or_else(misused)?.charge(weight(value.as_ref()))?;
    Ok(value)
}

/// Charges for a loop: for the values that it copies, and for its body once per value.
pub(super) fn each<'b, 'v>(mut args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let body = args.pop().ok_or_else(misused)?;
    let range = args.pop().ok_or_else(misused)?;
    let budget = args.pop().ok_or_else(misused)?;
    let body = body.downcast_ref::<CelInt>().ok_or_else(misused)?;
    let turns = range.as_sizer().map_or(1, |sizer| *sizer.size().inner());
    let turns = u64::try_from(turns.saturating_mul(*body.inner())).unwrap_or(u64::MAX);
    let budget = budget.downcast_ref::<Budget>().ok_or_else(misused)?;
    budget.charge(turns.saturating_add(weight(range.as_ref())))?;
    Ok(range)
}

/// Implements `has(x.field)`. Null has no fields; a record has those that are set; a map has its keys, whatever their
/// values.
pub(super) fn has<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let [of, field] = args.as_slice() else { return Err(misused()) };
    let found = |value: &dyn Val| -> Result<bool, ExecutionError> {
        if value.downcast_ref::<CelNull>().is_some() {
            return Ok(false);
        }
        let no_fields = || ExecutionError::no_such_overload("has", vec![value.get_type().name().to_owned()]);
        match value.as_indexer().ok_or_else(no_fields)?.get(field.as_ref()) {
            Ok(found) => Ok(*value.get_type() != RECORD_TYPE || found.downcast_ref::<CelNull>().is_none()),
            Err(ExecutionError::NoSuchKey(_)) => Ok(false),
            Err(error) => Err(error),
        }
    };
    let there = match of.downcast_ref::<CelOptional>() {
        Some(optional) => optional.option().map_or(Ok(false), found)?,
        None => found(of.as_ref())?,
    };
    Ok(CowVal::owned(CelBool::from(there)))
}

fn misused() -> ExecutionError {
    failed("a built-in function was called with unsupported arguments; this is a bug")
}
