//! Callbacks as expressions of the Common Expression Language (CEL), from the configuration, and fields taken from profiles.
//! An expression is compiled at the start, where every fault is reported with line and column. A run costs no more than its
//! budget, touches nothing but its input, and ends in an answer or a failure. `expressions` are the callbacks; `program`
//! compiles and evaluates: `check` looks at names and sizes, `meter` makes it pay; `inputs`, `record` and `value` are its
//! variables, `language` its functions, `answer` reads its value. `profile` is no callback: it reads fields from profiles.
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
