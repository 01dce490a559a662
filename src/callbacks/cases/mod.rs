//! Cases by which operators test their policy in a repository of their own: the input of one callback, as JSON, and the
//! outcome that is expected. Cases ask the chain as calls do, without anything behind it. `input` reads the input, whose
//! people and sessions are in `written`; `outcome` asks.

mod case;
mod input;
mod outcome;
mod written;

pub use case::Case;
pub use outcome::Bench;
