//! Callbacks as expressions of the Common Expression Language (CEL), from the configuration, and fields taken from
//! profiles. Expressions are compiled at start, where every fault is reported with line and column. A run stays within
//! its budget, accesses nothing but its input, and ends in an answer or a failure.
//!
//! `expressions` implements the callbacks. `program` compiles and evaluates: `check` validates names and sizes, `meter`
//! inserts the charges. `inputs`, `record` and `value` are the variables, `language` the functions, and `answer` reads
//! the value. `profile` is no callback: it reads fields from profiles.
#![expect(clippy::needless_pass_by_value, reason = "the library hands functions a Vec of their arguments")]

mod answer;
mod budget;
mod check;
mod expressions;
mod fault;
mod functions;
mod inputs;
mod language;
mod meter;
mod names;
mod pattern;
mod profile;
mod program;
mod record;
#[cfg(test)]
mod tests;
mod text;
mod value;

pub use expressions::{Cel, CelRules};
pub use fault::CelFault;
pub use inputs::Subject;
pub use profile::ProfileRules;
pub use program::Program;
