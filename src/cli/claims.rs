//! `claims proto` and `claims typescript`: print the type of the declared claims, for applications that read them.

use std::process::ExitCode;

use clap::Subcommand;

use super::output::{at_fault, printed};
use crate::config::{Config, claims_as_proto, claims_as_typescript};

#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum Claims {
    /// Print them as a message of Protocol Buffers.
    Proto,
    /// Print them as an interface of TypeScript.
    Typescript,
}

impl Claims {
    pub(super) fn run(self, config: &Config) -> ExitCode {
        if config.claims.is_empty() {
            return at_fault([
                "claims: no claim is declared; write their types, such as claims: {plan: string}",
            ]);
        }
        printed([match self {
            Self::Proto => claims_as_proto(&config.claims),
            Self::Typescript => claims_as_typescript(&config.claims),
        }])
    }
}
