//! Processor time of a runtime that has one worker thread, as the kernel counts it.

use tokio::runtime::Runtime;

/// So far, in nanoseconds: how long the worker ran, and how long it waited for a processor.
pub fn of(runtime: &Runtime) -> [u64; 2] {
    let (tell, told) = std::sync::mpsc::channel();
    runtime.spawn(async move {
        let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        let mut fields = schedstat.split_whitespace().map(|field| field.parse().unwrap());
        tell.send([fields.next().unwrap(), fields.next().unwrap()]).unwrap();
    });
    told.recv().unwrap()
}
