//! The program `gatepass`: see the library's documentation for how it is laid out.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use tokio::runtime::Runtime;

/// How long, when all is done, what still blocks is waited for: the system's resolver may take minutes for a name.
const AT_THE_END: Duration = Duration::from_secs(1);

fn main() -> io::Result<ExitCode> {
    let runtime = Runtime::new()?;
    let code = runtime.block_on(gatepass::cli::run());
    runtime.shutdown_timeout(AT_THE_END);
    Ok(code)
}
