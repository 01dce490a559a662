//! A server with its own runtime and one worker thread, whose processor time is measured.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatepass::app::App;
use gatepass::config;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::bare::{self, Answers};
use crate::session_load::Load;
use crate::{caller, processor_time};

pub fn one_worker() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

pub struct Server {
    runtime: Runtime,
    pub addr: SocketAddr,
}

/// A round of calls to one server. Times are processor times per call, in nanoseconds.
#[derive(Clone, Copy)]
pub struct Round {
    pub server: f64,
    pub client: f64,
    /// The share of the runnable time in which the server ran.
    pub busy: f64,
}

impl Server {
    pub fn bare(answers: impl Answers) -> Self {
        let runtime = one_worker();
        let addr = runtime.block_on(async { bare::serve(answers) });
        Self { runtime, addr }
    }

    /// Starts the server and returns the address of its public HTTP listener too.
    pub fn gatepass(strategy: &str) -> (Self, SocketAddr, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gatepass.yaml");
        let yaml = format!(
            "server: {{grpc_addr: '127.0.0.1:0', http_addr: '127.0.0.1:0', admin_addr: '127.0.0.1:0'}}\n\
             database: {{url: 'sqlite://{}/gatepass.db?mode=rwc'}}\n\
             session: {{strategy: {strategy}}}\n{}",
            folder.path().display(),
            caller::section(),
        );
        std::fs::write(&file, yaml).unwrap();
        let config = config::load(Some(&file), []).unwrap();
        let runtime = one_worker();
        let bound = runtime.block_on(App::new(config).bind()).unwrap();
        let (addr, http, health) = (bound.grpc_addr().unwrap(), bound.http_addr().unwrap(), bound.health());
        runtime.spawn(bound.run(CancellationToken::new()));
        while !health.is_ready() {
            std::thread::sleep(Duration::from_millis(5));
        }
        (Self { runtime, addr }, http, folder)
    }

    /// Makes the calls, on connections opened before the measurement starts.
    pub fn round(&self, client: &Runtime, load: &Arc<Load>) -> Round {
        let connections = client.block_on(load.connect(self.addr));
        let [client_before, _] = processor_time::of(client);
        let [before, waited_before] = processor_time::of(&self.runtime);
        let begin = Instant::now();
        client.block_on(load.run(connections));
        let took = begin.elapsed();
        let [after, waited_after] = processor_time::of(&self.runtime);
        let [client_after, _] = processor_time::of(client);
        let could = took.saturating_sub(Duration::from_nanos(waited_after - waited_before));
        #[expect(clippy::cast_precision_loss, reason = "less than an hour")]
        let nanos = |time: u64| time as f64;
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        let calls = load.calls as f64;
        Round {
            server: nanos(after - before) / calls,
            client: nanos(client_after - client_before) / calls,
            busy: nanos(after - before) / 1e9 / could.as_secs_f64(),
        }
    }
}
