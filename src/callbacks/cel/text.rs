//! The text functions whose result may be much larger than their arguments: `split`, `replace` and `join`, as in
//! cel-go's strings extension. Each charges for its result before making it.

use cel::ExecutionError;
use cel::common::types::{CelInt, CelList, CelString};
use cel::common::value::{CowVal, Val};

use super::budget::{Budget, text_weight};
use super::fault::failed;

/// The answer of a function.
type Answer<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;

/// Implements `text.split(separator)` and `text.split(separator, most)`.
pub(super) fn split<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let (budget, rest) = paying(&args)?;
    let (text, separator) = (string(rest, 0)?, string(rest, 1)?);
    let most = most(rest, 2)?;
    let found = if separator.is_empty() { text.chars().count() } else { text.matches(separator).count() + 1 };
    budget.charge(text_weight(text.len()) + units(found.min(most)))?;
    let parts: Vec<&str> = if most == 0 {
        Vec::new()
    } else if separator.is_empty() {
        let starts = text.char_indices().map(|(start, _)| start).take(most);
        let starts: Vec<usize> = starts.chain([text.len()]).collect();
        starts.windows(2).map(|edges| &text[edges[0]..edges[1]]).collect()
    } else {
        text.splitn(most, separator).collect()
    };
    let parts = parts.into_iter().map(|part| Box::new(CelString::from(part.to_owned())) as Box<dyn Val + 'v>);
    Ok(CowVal::owned(CelList::from(parts.collect::<Vec<_>>())))
}

/// Implements `text.replace(from, to)` and `text.replace(from, to, most)`.
pub(super) fn replace<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let (budget, rest) = paying(&args)?;
    let (text, from, to) = (string(rest, 0)?, string(rest, 1)?, string(rest, 2)?);
    let most = most(rest, 3)?;
    let found = text.matches(from).count().min(most);
    budget.charge(text_weight(text.len().saturating_add(found.saturating_mul(to.len()))))?;
    Ok(CowVal::owned(CelString::from(text.replacen(from, to, most))))
}

/// Implements `list.join()` and `list.join(separator)`.
pub(super) fn join<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let (budget, rest) = paying(&args)?;
    let separator = if rest.len() > 1 { string(rest, 1)? } else { "" };
    let list = rest.first().and_then(|list| list.downcast_ref::<CelList>()).ok_or_else(wrong)?;
    let parts = list.inner().iter().map(|part| part.downcast_ref::<CelString>().map(CelString::inner));
    let parts: Vec<&str> =
        parts.collect::<Option<_>>().ok_or_else(|| failed("join() takes a list of strings"))?;
    let bytes = parts.iter().fold(0, |sum: usize, part| sum.saturating_add(part.len() + separator.len()));
    budget.charge(text_weight(bytes) + units(parts.len()))?;
    Ok(CowVal::owned(CelString::from(parts.join(separator))))
}

fn paying<'a, 'b, 'v>(
    args: &'a [CowVal<'b, 'v>],
) -> Result<(&'a Budget, &'a [CowVal<'b, 'v>]), ExecutionError> {
    let (budget, rest) = args.split_first().ok_or_else(wrong)?;
    Ok((budget.downcast_ref::<Budget>().ok_or_else(wrong)?, rest))
}

fn string<'a>(args: &'a [CowVal<'_, '_>], at: usize) -> Result<&'a str, ExecutionError> {
    args.get(at).and_then(|arg| arg.downcast_ref::<CelString>()).map(CelString::inner).ok_or_else(wrong)
}

/// Returns the largest number of parts, if it is given and not negative; otherwise all.
fn most(args: &[CowVal<'_, '_>], at: usize) -> Result<usize, ExecutionError> {
    match args.get(at) {
        None => Ok(usize::MAX),
        Some(arg) => {
            let count = arg.downcast_ref::<CelInt>().ok_or_else(wrong)?;
            Ok(usize::try_from(*count.inner()).unwrap_or(usize::MAX))
        }
    }
}

fn units(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX / 2)
}

fn wrong() -> ExecutionError {
    failed("split() and replace() take strings, join() a list of strings")
}
