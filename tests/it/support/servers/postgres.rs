//! PostgreSQL: creates its data folder and starts it.

use std::net::SocketAddr;
use std::path::Path;

use super::{MAX_CLIENTS, process, template};

/// Returns the path of a PostgreSQL program in the newest installed version. Debian installs each version into its own
/// directory outside the `PATH`.
pub(super) fn program(name: &str) -> String {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let newest =
        versions.filter_map(|entry| entry.ok()?.file_name().into_string().ok()?.parse::<u32>().ok()).max();
    newest.map_or_else(|| name.to_owned(), |version| format!("/usr/lib/postgresql/{version}/bin/{name}"))
}

/// Creates the folder `data`, with the database and its user.
pub(super) fn make(folder: &Path) {
    let data = folder.join("data").display().to_string();
    let arguments = [
        &program("initdb"),
        "--pgdata",
        &data,
        "--username=postgres",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "--wal-segsize=1",
        "--no-sync",
        "--no-instructions",
    ];
    template::said(&mut process::command(&arguments.map(str::to_owned)));
    for statement in ["CREATE ROLE gatepass LOGIN", "CREATE DATABASE gatepass OWNER gatepass"] {
        let script = r#"echo "$1" | "$2" --single -j -D "$3" postgres"#;
        let arguments = ["sh", "-c", script, "sh", statement, &program("postgres"), &data];
        template::said(&mut process::command(&arguments.map(str::to_owned)));
    }
}

/// Builds the server's command.
pub(super) fn serve(folder: &Path, addr: SocketAddr) -> Vec<String> {
    let mut arguments = vec![program("postgres"), "-D".to_owned(), folder.join("data").display().to_string()];
    let settings = [
        format!("listen_addresses={}", addr.ip()),
        format!("port={}", addr.port()),
        format!("max_connections={MAX_CLIENTS}"),
        "unix_socket_directories=".to_owned(),
        "shared_buffers=8MB".to_owned(),
        "autovacuum=off".to_owned(),
        // Otherwise, after a crash, the server would sync file by file for seconds.
        "recovery_init_sync_method=syncfs".to_owned(),
    ];
    arguments.extend(settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting]));
    arguments
}
