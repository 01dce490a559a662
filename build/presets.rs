//! The presets of providers, as one constant.

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

/// Where their files are.
pub(crate) const FOLDER: &str = "src/config/providers/presets";

/// Rust source: a constant that lists each preset by the name of its file, with its text.
pub(crate) fn rust() -> Result<String, Box<dyn Error>> {
    let folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join(FOLDER);
    let files =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, Box<dyn Error>>>();
    let mut files = files?;
    files.sort();
    let mut list = String::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "yaml")) {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        writeln!(list, "    ({name:?}, include_str!({:?})),", file.to_string_lossy())?;
    }
    Ok(format!(
        "/// Every preset: its name, and its text in YAML.\npub(super) const PRESETS: &[(&str, &str)] = &[\n{list}];\n"
    ))
}
