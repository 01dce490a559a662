//! The program `gatepass`; the library's documentation describes its structure.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use tokio::runtime::Runtime;

/// The time limit for blocking tasks at exit; the system's resolver may take minutes to resolve a name.
const AT_THE_END: Duration = Duration::from_secs(1);

fn main() -> io::Result<ExitCode> {
    let runtime = Runtime::new()?;
    let code = runtime.block_on(gatepass::cli::run());
    runtime.shutdown_timeout(AT_THE_END);
    Ok(code)
}
