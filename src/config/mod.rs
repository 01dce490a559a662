//! The configuration: a YAML file, overridden by variables, read once into typed values, or every fault in it at once.
//! There is one file per section. A setting is an `entry`, from which it is read and documented. A new setting needs
//! its entry, a field and a line in its section. Nothing here reads the process environment: it is an argument.
#![expect(
    clippy::needless_pass_by_value,
    clippy::wildcard_enum_match_arm,
    reason = "a setting is used up by reading it; whatever is not of the wanted kind is at fault alike"
)]

mod auth_log;
mod base_urls;
mod callbacks;
mod callers;
mod check;
mod claims;
mod database;
mod entries;
mod entry;
mod issuer;
mod load;
mod outbound;
mod output;
mod providers;
mod reader;
mod redirect_schemes;
mod secrets;
mod server;
mod session;
mod settings;
mod sign_in;
mod telemetry;
mod tokens;

#[cfg(test)]
mod tests;

pub use auth_log::AuthLog;
pub use callbacks::{Callbacks, OnFailure, Remote};
pub use callers::Caller;
pub use database::Database;
pub use load::load;
pub use outbound::Outbound;
pub use output::{claims_as_proto, claims_as_typescript, example, reference, schema};
pub use providers::Provider;
pub use reader::{Fault, Faults};
pub use server::Server;
pub use session::Session;
pub use settings::Config;
pub use sign_in::SignIn;
pub use telemetry::{LogFormat, LogLevel, Telemetry};
pub use tokens::Tokens;
