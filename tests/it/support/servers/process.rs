//! The processes of a server: started as an unprivileged user, signalled together, ended with the tests.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

/// The user `nobody`. Servers refuse to run as root, so they run as this user.
const NOBODY: u32 = 65_534;

static ROOT: LazyLock<bool> = LazyLock::new(|| {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
});

/// Gives the user of the servers write access to this folder.
pub(super) fn hand_over(folder: &Path) {
    if *ROOT {
        std::os::unix::fs::chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

/// Builds a command that runs as that user. The process ends with the thread that started it.
pub(super) fn command(arguments: &[String]) -> Command {
    let nobody = NOBODY.to_string();
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "QUIT"]).stdin(Stdio::null());
    if *ROOT {
        command.args(["--reuid", &nobody, "--regid", &nobody, "--clear-groups"]);
    }
    command.arg("--").args(arguments);
    command
}

/// Starts a server that writes its log to this folder.
pub(super) fn start(arguments: &[String], folder: &Path) -> Child {
    let log = File::options().append(true).create(true).open(folder.join("log")).unwrap();
    command(arguments)
        .current_dir(folder)
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .expect("setpriv is installed (util-linux)")
}

/// Reads the log of a server.
pub(super) fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("log")).unwrap_or_default()
}

/// Sends a signal with the shell's own `kill`. Ignores a process that is gone.
pub(super) fn signal(name: &str, pids: &[u32]) {
    let pids: Vec<_> = pids.iter().map(u32::to_string).collect();
    let kill = format!("kill -{name} {} 2> /dev/null", pids.join(" "));
    if !pids.is_empty() {
        Command::new("sh").args(["-c", &kill]).status().unwrap();
    }
}

/// Returns the child processes of a process.
pub(super) fn children(parent: u32) -> Vec<u32> {
    let processes =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let pids = processes.filter_map(|name| name.parse().ok());
    pids.filter(|pid| parent_of(*pid) == Some(parent)).collect()
}

/// Checks if a process holds no more resources, even if it was not reaped yet.
pub(super) fn is_gone(pid: u32) -> bool {
    stat(pid).is_none_or(|[state, _]| matches!(state.as_str(), "Z" | "X"))
}

fn parent_of(pid: u32) -> Option<u32> {
    let [_, parent] = stat(pid)?;
    parent.parse().ok()
}

/// Reads the state and the parent, which follow the name in brackets (proc(5)).
fn stat(pid: u32) -> Option<[String; 2]> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some([fields.next()?.to_owned(), fields.next()?.to_owned()])
}
