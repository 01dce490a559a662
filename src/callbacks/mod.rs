//! Floor 2, the ways a callback can be given: the built-in policy and the chain that asks one after the other.
//! A Rust program adds its own by implementing [`Callbacks`](crate::auth::Callbacks).

mod chain;
mod policy;

pub use chain::Chain;
pub use policy::Policy;
