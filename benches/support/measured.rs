//! A server with a runtime of its own that has one worker thread, whose processor time is what is measured.

use std::net::SocketAddr;
use std::ops::AddAssign;
use std::time::{Duration, Instant};

use gatepass::app::App;
use gatepass::config;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::bare::{self, Answers};
use crate::{caller, processor_time};

pub fn one_worker() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

pub struct Server {
    runtime: Runtime,
    pub addr: SocketAddr,
}

/// The cost of calls, in nanoseconds.
#[derive(Clone, Copy, Default)]
pub struct Spent {
    /// The processor time of the server's thread.
    pub server: u64,
    /// The processor time of the client's thread.
    pub client: u64,
    /// The time that the server's thread ran, slept or waited for calls, but not for a processor.
    pub could: u64,
}

impl AddAssign for Spent {
    fn add_assign(&mut self, more: Self) {
        self.server += more.server;
        self.client += more.client;
        self.could += more.could;
    }
}

impl Server {
    pub fn bare(answers: impl Answers) -> Self {
        let runtime = one_worker();
        let addr = runtime.block_on(async { bare::serve(answers) });
        Self { runtime, addr }
    }

    /// Answers where its public HTTP listener is, too.
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

    /// Makes calls.
    pub fn spends(&self, client: &Runtime, calls: impl Future) -> Spent {
        let [client_before, _] = processor_time::of(client);
        let [before, waited_before] = processor_time::of(&self.runtime);
        let begin = Instant::now();
        client.block_on(calls);
        let took = u64::try_from(begin.elapsed().as_nanos()).unwrap();
        let [after, waited_after] = processor_time::of(&self.runtime);
        let [client_after, _] = processor_time::of(client);
        Spent {
            server: after - before,
            client: client_after - client_before,
            could: took.saturating_sub(waited_after - waited_before),
        }
    }
}
