//! The program as users run it: a process with its own files and variables, whose log is read continuously.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;

use gatepass::grpc::proto::v1::admin_service_client::AdminServiceClient;
use gatepass::grpc::proto::v1::auth_service_client::AuthServiceClient;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tonic::transport::{Channel, Endpoint};

/// A timeout that only a stuck program reaches.
const STUCK: Duration = Duration::from_mins(1);

/// Free loopback ports for all three listeners.
pub const FREE_PORTS: [(&str, &str); 3] = [
    ("GATEPASS_SERVER__GRPC_ADDR", "127.0.0.1:0"),
    ("GATEPASS_SERVER__HTTP_ADDR", "127.0.0.1:0"),
    ("GATEPASS_SERVER__ADMIN_ADDR", "127.0.0.1:0"),
];

/// Builds a command that runs the program in this folder with only these arguments and variables. By default it uses
/// free ports.
pub fn gatepass(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatepass"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(FREE_PORTS)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Turns a command into one that executes the program; the program is its last argument.
fn becoming(mut command: Command, program: &Command, folder: &Path) -> Command {
    command
        .arg(program.as_std().get_program())
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .envs(program.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))))
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs the program until it exits.
pub async fn run(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let running = gatepass(folder, arguments, variables).output();
    Ended::from(tokio::time::timeout(STUCK, running).await.expect("the program ends").unwrap())
}

/// The output of a program.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A running program.
pub struct Serving {
    child: Child,
    lines: UnboundedReceiver<String>,
    /// The log so far.
    pub log: Vec<String>,
    pub grpc: SocketAddr,
    pub http: SocketAddr,
    pub admin: SocketAddr,
}

impl Serving {
    /// Starts the program and waits until it listens.
    pub async fn start(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::listening(gatepass(folder, arguments, variables)).await
    }

    /// Starts the program with a file system of this size in the folder `data`. Only the program sees that file system;
    /// a test reaches it by [`Serving::sees`].
    pub async fn start_in_little_room(folder: &Path, size: &str, variables: &[(&str, &str)]) -> Self {
        let data = folder.join("data");
        std::fs::create_dir(&data).unwrap();
        let program = gatepass(folder, &[], variables);
        let script = "mount -t tmpfs -o size=$1 tmpfs \"$2\" && exec \"$3\"";
        let mut command = Command::new("unshare");
        command.args(["--mount", "--map-root-user", "sh", "-c", script, "sh", size]).arg(&data);
        Self::listening(becoming(command, &program, folder)).await
    }

    /// Starts the program within a limit of the shell's `ulimit`.
    pub async fn start_within(folder: &Path, ulimit: &str, variables: &[(&str, &str)]) -> Self {
        let program = gatepass(folder, &[], variables);
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit $1 && exec \"$2\"", "sh", ulimit]);
        Self::listening(becoming(command, &program, folder)).await
    }

    /// Returns a path as the program sees it.
    pub fn sees(&self, path: &Path) -> PathBuf {
        let process = Path::new("/proc").join(self.child.id().expect("it runs").to_string()).join("root");
        process.join(path.strip_prefix("/").unwrap())
    }

    async fn listening(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        let (told, lines) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok(Some(line)) = stderr.next_line().await {
                let _ = told.send(line);
            }
        });
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut this = Self { child, lines, log: Vec::new(), grpc: nowhere, http: nowhere, admin: nowhere };
        let listening = this.until("listening").await;
        let addr = |name: &str| listening[name].as_str().unwrap().parse().unwrap();
        (this.grpc, this.http, this.admin) = (addr("grpc"), addr("http"), addr("admin"));
        this
    }

    /// Starts the program and waits until it is ready.
    pub async fn ready(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut this = Self::start(folder, arguments, variables).await;
        this.until("ready").await;
        this
    }

    /// Waits for this message in the log.
    pub async fn until(&mut self, message: &str) -> Value {
        loop {
            let next = tokio::time::timeout(STUCK, self.lines.recv()).await;
            let Ok(Some(line)) = next else {
                panic!("no \"{message}\" in the log:\n{}", self.log.join("\n"))
            };
            let entry: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"));
            self.log.push(line);
            if entry["message"] == message {
                return entry;
            }
        }
    }

    /// Checks if a line of the log so far has this message.
    pub fn said(&self, message: &str) -> bool {
        self.log.iter().any(|line| line.contains(message))
    }

    pub async fn channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.grpc)).unwrap().connect().await.unwrap()
    }

    pub async fn auth(&self) -> AuthServiceClient<Channel> {
        AuthServiceClient::new(self.channel().await)
    }

    pub async fn admin(&self) -> AdminServiceClient<Channel> {
        AdminServiceClient::new(self.channel().await)
    }

    /// Sends a signal with the shell's own `kill`.
    pub async fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id().expect("it runs"));
        assert!(Command::new("sh").args(["-c", &kill]).status().await.unwrap().success());
    }

    /// Waits until the program exits, and reads the rest of its log.
    pub async fn ends(&mut self) -> ExitStatus {
        let status = tokio::time::timeout(STUCK, self.child.wait()).await.expect("the program ends").unwrap();
        while let Some(line) = self.lines.recv().await {
            self.log.push(line);
        }
        status
    }

    /// Sends SIGKILL: nothing is flushed, and no client is informed.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Stops the program gracefully.
    pub async fn stop(mut self) -> Vec<String> {
        self.signal("TERM").await;
        assert_eq!(self.ends().await.code(), Some(0), "{}", self.log.join("\n"));
        self.log
    }
}
