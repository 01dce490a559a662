//! Floor 2, the ways a callback can be given, and what can be put around any: the built-in policy; expressions of the
//! configuration; the chain that asks one after the other; a breaker for those that may not answer, failures passed over,
//! answers remembered, callbacks that are only tried out, each counted and timed. A Rust program adds its own by implementing
//! [`Callbacks`](crate::auth::Callbacks); those of a gRPC service speak it in `grpc/callback_client/`.

mod breaker;
pub mod cases;
mod cel;
mod chain;
mod circuit;
mod difference;
mod measured;
mod metrics;
mod passed_over;
mod policy;
mod question;
mod remembered;
mod shadow;

pub use breaker::Breaker;
pub use cel::{Cel, CelFault, CelRules, ProfileRules, Program, Subject};
pub use chain::Chain;
pub use measured::Measured;
pub use metrics::CallbackMetrics;
pub use passed_over::PassedOver;
pub use policy::Policy;
pub use remembered::Remembered;
pub use shadow::Shadow;
