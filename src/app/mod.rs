//! The composition root: the only place that names concrete types of every floor. The order is `load → prepare → bind →
//! run`. Files are loaded once; then the server listens, and waits for the database without a time limit. A permanent
//! fault stops the start.

mod bound;
mod builder;
mod callbacks;
mod clock;
mod fault;
mod fd_limit;
mod key_commands;
mod keys;
mod listeners;
mod metrics;
mod prepare;
mod start;
mod sweep;
mod use_cases;

pub use bound::{Bound, serve};
pub use builder::App;
pub use callbacks::bench;
pub use fault::StartFault;
pub use key_commands::{ListedKeys, list_keys, revoke_key, rotate_keys};
pub use prepare::Prepared;
pub use start::migrate;
