//! Many concurrent calls.

use tokio::task::JoinSet;

use super::databases::Backend;
use super::{Builder, builder, builder_on};

/// A Gatepass for a crowd: if the disk is slow, calls wait for each other and do not fail.
pub fn patient() -> Builder {
    made_patient(builder())
}

/// The same Gatepass on this database.
pub async fn patient_on(backend: Backend) -> Builder {
    made_patient(builder_on(backend).await)
}

fn made_patient(mut builder: Builder) -> Builder {
    builder.yaml = builder
        .yaml
        .replace("server: {", "server: {request_timeout: 2m, ")
        .replace("'}\nsecrets", "', acquire_timeout: 1m}\nsecrets");
    builder
}

/// Runs `count` calls concurrently, and returns their answers in no order.
pub async fn at_once<T, F>(count: usize, call: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    (0..count).map(call).collect::<JoinSet<T>>().join_all().await
}
