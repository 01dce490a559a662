//! Failures: of the database, of a provider and of the process, and races between replicas.

mod crash;
mod outage;
mod provider;
mod provider_errors;
mod races;
