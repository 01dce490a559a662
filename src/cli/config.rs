//! `config check`: runs the start-up steps until the process would listen.

use std::process::ExitCode;

use super::output::{at_fault, printed};
use crate::app::App;
use crate::config::Config;

pub(super) fn check(config: Config) -> ExitCode {
    match App::new(config).prepare() {
        Ok(_) => printed(["the configuration is valid"]),
        Err(faults) => at_fault(faults),
    }
}
