//! The database schema of Gatepass, one file per migration.
//!
//! A released migration never changes. This crate imports nothing from the service, so that a change there cannot change
//! the meaning of an old migration.
//!
//! Ids are 16 bytes, and times are milliseconds in BIGINT. Lookup keys are 32-byte digests, because text collations treat
//! different identities as equal. MariaDB commits each statement separately, so every migration can be interrupted and run
//! again from its beginning.
#![expect(clippy::disallowed_types, reason = "migrations run on the database connection")]

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
mod m0010_predecessors;
mod m0011_email_source;
mod m0012_session_lifetime;
mod m0013_repeated_callbacks;

/// All migrations, in order.
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
            Box::new(m0010_predecessors::Migration),
            Box::new(m0011_email_source::Migration),
            Box::new(m0012_session_lifetime::Migration),
            Box::new(m0013_repeated_callbacks::Migration),
        ]
    }
}
