//! Cases by which operators test their policy in their own repository: the input of one callback, as JSON, and the
//! expected outcome. Cases call the chain as calls do, but without a database. `input` reads the input, whose people
//! and sessions are in `written`; `outcome` calls the chain.

mod case;
mod input;
mod outcome;
mod written;

pub use case::Case;
pub use outcome::Bench;
