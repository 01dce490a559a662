//! The initial data of a new server: created once for each version of the program, and kept in cargo's target folder.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tokio::sync::OnceCell;

use super::{Kind, mariadb, postgres, process};

/// Creates the folder `data` for a new server in `folder`.
pub(super) async fn copy(kind: Kind, folder: &Path) {
    static POSTGRES: OnceCell<PathBuf> = OnceCell::const_new();
    static MARIADB: OnceCell<PathBuf> = OnceCell::const_new();
    let once = match kind {
        Kind::Postgres => &POSTGRES,
        Kind::Mariadb => &MARIADB,
    };
    let template = once.get_or_init(async || made(kind)).await;
    copy_folder(template, &folder.join("data"));
}

fn made(kind: Kind) -> PathBuf {
    let program = match kind {
        Kind::Postgres => postgres::program("postgres"),
        Kind::Mariadb => mariadb::SERVER.to_owned(),
    };
    let version = said(Command::new(program).arg("--version"));
    let name = version.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let template = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name.trim_matches('-'));
    if !template.exists() {
        let folder = tempfile::tempdir().unwrap();
        process::hand_over(folder.path());
        match kind {
            Kind::Postgres => postgres::make(folder.path()),
            Kind::Mariadb => mariadb::make(folder.path()),
        }
        // The final rename makes the template complete or absent, even if several tests create it concurrently.
        let beside = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let complete = beside.path().join("data");
        copy_folder(&folder.path().join("data"), &complete);
        assert!(std::fs::rename(&complete, &template).is_ok() || template.exists());
    }
    template
}

fn copy_folder(from: &Path, to: &Path) {
    said(Command::new("cp").arg("-a").arg(from).arg(to));
}

/// Runs a command that must succeed, and returns its output.
pub(super) fn said(command: &mut Command) -> String {
    let Output { status, stdout, stderr } =
        command.output().unwrap_or_else(|cause| panic!("{command:?}: {cause}; install the servers"));
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{command:?}\n{stdout}\n{stderr}");
    stdout.into_owned()
}
