//! The connections to the database: opening, pooling, monitoring and replacement.

mod backends;
mod database;
mod feed_connection;
mod options;
mod pool;
mod trusted_clock;

pub use database::Database;
pub use feed_connection::FeedConnection;
pub use options::{Observer, Options};
pub(super) use pool::Pool;
pub use trusted_clock::{TrustedClock, clock_offset_ms};
