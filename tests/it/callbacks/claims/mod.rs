//! The section `claims`: typed claims in all ways in which callbacks can be given.

mod additions;
mod command;
mod stored;
mod update;

use serde_json::Value;

/// Returns the section with these types, and more configuration.
fn declared(more: &str) -> String {
    format!("claims: {{plan: string, seats: int?, theme: {{enum?: [light, dark]}}}}\n{more}")
}

fn claims_of(session: Option<gatepass::grpc::proto::v1::Session>) -> Value {
    crate::support::callback_service::to_json(&session.unwrap().claims.unwrap())
}
