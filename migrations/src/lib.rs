//! The schema of Gatepass, one file a step. A past step never changes: it must mean tomorrow what it meant when
//! it ran, so this crate imports nothing of the service. Ids are 16 bytes, times milliseconds in BIGINT, and what
//! is looked up is a 32-byte digest: text collations fold what identities keep apart. A step may be cut off on MariaDB,
//! which commits each statement by itself: it is written to be done again from its beginning.
#![expect(clippy::disallowed_types, reason = "migrations speak to the database")]

use sea_orm_migration::prelude::*;

mod column;
mod m0001_users;
mod m0002_accounts;
mod m0003_sessions;
mod m0004_auth_logs;
mod m0005_signing_keys;
mod m0006_revocations;
mod m0007_sweeping;
mod m0008_claims_role;
mod m0009_used_marks;

/// Every step, in order.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_users::Migration),
            Box::new(m0002_accounts::Migration),
            Box::new(m0003_sessions::Migration),
            Box::new(m0004_auth_logs::Migration),
            Box::new(m0005_signing_keys::Migration),
            Box::new(m0006_revocations::Migration),
            Box::new(m0007_sweeping::Migration),
            Box::new(m0008_claims_role::Migration),
            Box::new(m0009_used_marks::Migration),
        ]
    }
}
