//! The stores: their contract on every database, the schema, the sweep, and what a call costs.

mod beside_a_sweep;
mod growth;
mod isolation;
mod made_before;
mod migrations;
mod statements;
pub mod store;
mod sweep;
mod trusted_clock;
