//! `callbacks test`: runs the cases of a file against the configured callbacks. Each outcome is a line on standard
//! output; each mismatch is reported on standard error.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;

use super::output::{at_fault, print};
use crate::app;
use crate::callbacks::cases::{Bench, Case};
use crate::config::Config;
use crate::model::{Clock as _, SystemClock};

#[derive(Debug, Subcommand)]
pub(super) enum Callbacks {
    /// Run the cases of JSON files against the configured policy and CEL callbacks, and compare the outcomes.
    Test {
        /// File with one case (callback, input, expect), or a list of cases; see docs/callbacks.md.
        #[arg(long, required = true, value_name = "FILE", num_args = 1..)]
        input: Vec<PathBuf>,
    },
}

/// The number of cases that expected something, and of those with another outcome.
#[derive(Default)]
struct Tally {
    tests: usize,
    unmet: usize,
}

impl Callbacks {
    pub(super) async fn run(self, config: &Config) -> ExitCode {
        let Self::Test { input } = self;
        let tested = async {
            let bench = app::bench(config, SystemClock.now());
            // Every file is read before the first case runs.
            let read = |path: &PathBuf| {
                Ok((path.display().to_string(), cases(path).map_err(|fault| at_fault([fault]))?))
            };
            let files = input.iter().map(read).collect::<Result<Vec<_>, ExitCode>>()?;
            let mut tally = Tally::default();
            for (name, cases) in &files {
                test(&bench, name, cases, &mut tally).await?;
            }
            Ok(tally)
        };
        match tested.await {
            Ok(Tally { tests: 0, .. }) => ExitCode::SUCCESS,
            Ok(Tally { tests, unmet }) => {
                eprintln!("{} of {tests} cases passed", tests - unmet);
                if unmet == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
            }
            Err(code) => code,
        }
    }
}

fn cases(path: &Path) -> Result<Vec<Case>, String> {
    let at = path.display();
    let json = std::fs::read(path).map_err(|error| format!("{at}: cannot be read: {}", error.kind()))?;
    Case::read(&json).map_err(|fault| format!("{at}: {fault}"))
}

async fn test(bench: &Bench, file: &str, cases: &[Case], tally: &mut Tally) -> Result<(), ExitCode> {
    for (at, case) in cases.iter().enumerate() {
        let number = at + 1;
        let outcome = bench.ask(case).await;
        let outcome = outcome.map_err(|fault| at_fault([format!("{file}: case {number}: {fault}")]))?;
        let named = case.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        print(format!("{named}{outcome}"))?;
        tally.tests += usize::from(case.is_test());
        if let Some(expected) = case.unmet(&outcome) {
            tally.unmet += 1;
            eprintln!("{file}: case {number}: {named}expected {expected}, not {outcome}");
        }
    }
    Ok(())
}
