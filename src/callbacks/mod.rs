//! Floor 2, the ways a callback can be given: the built-in policy, expressions of the configuration, and the chain that asks
//! one after the other. A Rust program adds its own by implementing [`Callbacks`](crate::auth::Callbacks).

pub mod cases;
mod cel;
mod chain;
mod policy;

pub use cel::{Cel, CelFault, CelRules, Program};
pub use chain::Chain;
pub use policy::Policy;
