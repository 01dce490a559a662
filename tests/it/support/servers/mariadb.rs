//! MariaDB: creates its data folder and starts it.

use std::net::SocketAddr;
use std::path::Path;

use super::{MAX_CLIENTS, process, template};

/// Debian installs the server outside the `PATH` of normal users.
pub(super) const SERVER: &str = "/usr/sbin/mariadbd";

const LOG_FILE: &str = "--innodb-log-file-size=8M";

/// Creates the folder `data`.
pub(super) fn make(folder: &Path) {
    let data = format!("--datadir={}", folder.join("data").display());
    let arguments = [
        "mariadb-install-db",
        "--no-defaults",
        &data,
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
        LOG_FILE,
    ];
    template::said(&mut process::command(&arguments.map(str::to_owned)));
}

/// Builds the server's command, which creates the database and its user if they are missing.
pub(super) fn serve(folder: &Path, addr: SocketAddr) -> Vec<String> {
    let script = folder.join("init.sql");
    let statements = "CREATE DATABASE IF NOT EXISTS gatepass;\n\
                      CREATE USER IF NOT EXISTS gatepass@'%';\n\
                      GRANT ALL ON gatepass.* TO gatepass@'%';\n";
    std::fs::write(&script, statements).unwrap();
    vec![
        SERVER.to_owned(),
        "--no-defaults".to_owned(),
        format!("--datadir={}", folder.join("data").display()),
        format!("--init-file={}", script.display()),
        format!("--socket={}", folder.join("socket").display()),
        format!("--pid-file={}", folder.join("pid").display()),
        format!("--bind-address={}", addr.ip()),
        format!("--port={}", addr.port()),
        format!("--max-connections={MAX_CLIENTS}"),
        "--skip-name-resolve".to_owned(),
        "--innodb-buffer-pool-size=16M".to_owned(),
        LOG_FILE.to_owned(),
        "--key-buffer-size=1M".to_owned(),
        "--aria-pagecache-buffer-size=1M".to_owned(),
    ]
}
