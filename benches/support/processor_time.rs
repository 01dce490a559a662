//! Processor time of a runtime that has one worker thread, as the kernel counts it.

use tokio::runtime::Runtime;

/// So far, in nanoseconds.
pub fn of(runtime: &Runtime) -> u64 {
    let (tell, told) = std::sync::mpsc::channel();
    runtime.spawn(async move {
        let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        tell.send(schedstat.split(' ').next().unwrap().parse().unwrap()).unwrap();
    });
    told.recv().unwrap()
}
