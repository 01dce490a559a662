//! The program under `valgrind --tool=callgrind`, which counts its instructions.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

use crate::caller;

pub struct Counted {
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
    folder: tempfile::TempDir,
    pub addr: SocketAddr,
}

impl Counted {
    /// Starts a program on its own database and waits until it is ready. The counter is still off.
    pub async fn start(program: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The program polls the feed every quarter of `max_staleness`. A long value makes polls rare, since they are no
        // part of a call.
        let yaml = format!(
            "server: {{grpc_addr: '127.0.0.1:0', http_addr: '127.0.0.1:0', admin_addr: '127.0.0.1:0'}}\n\
             database: {{url: 'sqlite://gatepass.db?mode=rwc'}}\n\
             session: {{max_staleness: 60s}}\n{}",
            caller::section()
        );
        std::fs::write(folder.path().join("gatepass.yaml"), yaml).unwrap();
        let mut child = Command::new("valgrind")
            .args(["--tool=callgrind", "--instr-atstart=no", "--callgrind-out-file=counted"])
            .args(["--fair-sched=yes", "--log-file=valgrind.log"])
            .arg(program)
            .args(["--config", "gatepass.yaml"])
            .current_dir(folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("TOKIO_WORKER_THREADS", "1")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let listening = until(&mut log, "listening").await;
        until(&mut log, "ready").await;
        let addr = listening["grpc"].as_str().unwrap().parse().unwrap();
        Self { child, log, folder, addr }
    }

    /// Turns the counter on.
    pub async fn count(&self) {
        let pid = self.child.id().unwrap().to_string();
        let told = Command::new("callgrind_control").args(["--instr=on", &pid]).output().await.unwrap();
        assert!(told.status.success(), "{told:?}");
    }

    /// Stops the program and returns the number of instructions counted.
    pub async fn stop(mut self) -> u64 {
        let kill = format!("kill -TERM {}", self.child.id().unwrap());
        assert!(Command::new("sh").args(["-c", &kill]).status().await.unwrap().success());
        while let Some(_line) = self.log.next_line().await.unwrap() {}
        assert!(self.child.wait().await.unwrap().success());
        let counted = std::fs::read_to_string(self.folder.path().join("counted")).unwrap();
        let totals = counted.lines().find_map(|line| line.strip_prefix("totals: ")).unwrap();
        totals.trim().parse().unwrap()
    }
}

/// Waits for a log message.
async fn until(log: &mut Lines<BufReader<ChildStderr>>, message: &str) -> serde_json::Value {
    loop {
        let line = log.next_line().await.unwrap().unwrap_or_else(|| panic!("it ended before \"{message}\""));
        let entry: serde_json::Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"));
        if entry["message"] == message {
            return entry;
        }
    }
}
