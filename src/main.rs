//! The program `gatepass`: see the library's documentation for how it is laid out.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    gatepass::cli::run().await
}
