//! Compiles the protocol: Rust code, the descriptor set that reflection serves, the specifications of services, the
//! reasons, and the list of messages whose `Debug` is redacted. Lists the presets of providers.

mod names;
mod presets;
mod reasons;
mod redaction;
mod services;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

const ROOT: &str = "proto";

fn main() -> Result<(), Box<dyn Error>> {
    for input in ["build", ROOT, presets::FOLDER] {
        println!("cargo:rerun-if-changed={input}");
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);

    let mut compiler = protox::Compiler::new([ROOT])?;
    compiler.include_imports(true).include_source_info(true).open_files(proto_files(Path::new(ROOT))?)?;
    // Encoded by protox: prost's own types would lose our method option.
    fs::write(out.join("gatepass.binpb"), compiler.encode_file_descriptor_set())?;
    let pool = compiler.descriptor_pool();
    fs::write(out.join("services.rs"), services::rust(&pool)?)?;
    fs::write(out.join("reasons.rs"), reasons::rust(&pool)?)?;
    fs::write(out.join("redacted.rs"), redaction::rust(&pool))?;
    fs::write(out.join("presets.rs"), presets::rust()?)?;

    tonic_prost_build::configure()
        .emit_rerun_if_changed(false)
        .skip_debug(redaction::with_secrets(&pool))
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

/// Every `.proto` file below a folder, in an order that does not depend on the machine.
fn proto_files(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(proto_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
