//! Floor 1, the database: users, sessions, the auth log, signing keys and the revocation feed in SQLite, PostgreSQL or
//! MariaDB, with sea-orm. The isolation level is READ COMMITTED; rows are locked in the order user, session, feed.
//!
//! The methods of a store are atomic steps, not CRUD. Each is one statement or one transaction; its UPDATE contains the
//! expected state, and the number of changed rows decides. No transaction handle leaves this floor. The use cases in
//! `auth/` interpret the outcome of a step: reuse, replay, denial.
#![expect(clippy::disallowed_types, reason = "this is the floor that speaks to the database")]

pub mod commands;
mod connection;
mod convert;
mod entity;
mod error;
mod error_code;
mod lookups;
mod migrate;
mod predecessors;
mod stores;
mod traits;
mod transaction;

pub use commands::{AccountWrite, KeyStep, Linked, Opened, Revoked, Sweepable, UserWrite};
pub use connection::{Database, FeedConnection, Observer, Options, TrustedClock, clock_offset_ms};
pub use error::{Duplicate, StoreError, StoreResult};
pub use traits::{
    AuthLogStore, DatabaseClock, FEED_PAGE, KeyStore, RevocationFeed, SessionStore, Sweep, UsedMarkStore,
    UserStore,
};
