//! `config check`: the way of a start until it would listen.

use std::process::ExitCode;

use super::output::{at_fault, printed};
use crate::app::App;
use crate::config::Config;

pub(super) fn check(config: Config) -> ExitCode {
    match App::new(config).prepare() {
        Ok(_) => printed(["the configuration is sound"]),
        Err(faults) => at_fault(faults),
    }
}
