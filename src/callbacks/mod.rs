//! Floor 2, the ways a callback can be given: the built-in policy and the chain that asks one after the other; and the
//! decorator that counts and times each. A Rust program adds its own by implementing
//! [`Callbacks`](crate::auth::Callbacks).

mod chain;
mod measured;
mod metrics;
mod policy;

pub use chain::Chain;
pub use measured::Measured;
pub use metrics::CallbackMetrics;
pub use policy::Policy;
