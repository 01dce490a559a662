//! The ways to give callbacks, and the decorators around them: the built-in policy; expressions of the configuration; the
//! chain that asks one after the other; a circuit breaker, a cache, ignored failures, callbacks that are only tried out,
//! metrics; and cases to test a policy by. A Rust program adds its own callbacks by implementing
//! [`Callbacks`](crate::auth::Callbacks); those of a gRPC service are in `grpc/callback_client/`.

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
