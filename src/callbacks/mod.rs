//! The implementations of callbacks, and the decorators around them. Implementations: the built-in policy, expressions
//! of the configuration, and the chain that calls several in order. Decorators: a circuit breaker, a cache, fail-open,
//! shadow mode and metrics. Cases test a policy.
//!
//! A Rust program adds its own callbacks by implementing [`Callbacks`](crate::auth::Callbacks); those of a gRPC service
//! are in `grpc/callback_client/`.

mod breaker;
pub mod cases;
mod cel;
mod chain;
mod circuit;
mod difference;
mod fail_open;
mod measured;
mod metrics;
mod owned_question;
mod policy;
mod session_cache;
mod shadow;

pub use breaker::Breaker;
pub use cel::{Cel, CelFault, CelRules, ProfileRules, Program, Subject};
pub use chain::Chain;
pub use fail_open::FailOpen;
pub use measured::Measured;
pub use metrics::CallbackMetrics;
pub use policy::Policy;
pub use session_cache::SessionCache;
pub use shadow::Shadow;
