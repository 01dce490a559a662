//! Many calls at once.

use tokio::task::JoinSet;

use super::{Builder, builder};

/// A Gatepass for a crowd: on a slow disk its calls wait for each other rather than fail.
pub fn patient() -> Builder {
    let mut patient = builder();
    patient.yaml = patient
        .yaml
        .replace("server: {", "server: {request_timeout: 2m, ")
        .replace("?mode=rwc'}", "?mode=rwc', acquire_timeout: 1m}");
    patient
}

/// Runs `count` of them at once; their answers, in no order.
pub async fn at_once<T, F>(count: usize, call: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    (0..count).map(call).collect::<JoinSet<T>>().join_all().await
}
