//! A `jwt` callback that can be held, so that a test can act between a call's read and its write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gatepass::auth::{Callback, CallbackResult, CallbackSet, Callbacks, JwtDecision, JwtInput};
use tokio::sync::Semaphore;

/// A gate, open until a test closes it for the next call.
#[derive(Debug)]
pub struct Gate {
    closed: AtomicBool,
    arrived: Semaphore,
    released: Semaphore,
}

/// Creates a gate, and the callback that passes through it.
pub fn gate() -> (Arc<Gate>, impl Callbacks) {
    let gate =
        Gate { closed: AtomicBool::new(false), arrived: Semaphore::new(0), released: Semaphore::new(0) };
    let gate = Arc::new(gate);
    (Arc::clone(&gate), Gated(gate))
}

impl Gate {
    /// Runs `call`, holds it at the gate during `meanwhile`, and returns its result.
    pub async fn hold<T: Send + 'static>(
        &self,
        call: impl Future<Output = T> + Send + 'static,
        meanwhile: impl Future<Output = ()>,
    ) -> T {
        self.closed.store(true, Ordering::SeqCst);
        let held = tokio::spawn(call);
        self.arrived.acquire().await.unwrap().forget();
        meanwhile.await;
        self.released.add_permits(1);
        held.await.unwrap()
    }
}

struct Gated(Arc<Gate>);

impl Callbacks for Gated {
    fn implemented(&self) -> CallbackSet {
        [Callback::Jwt].into()
    }

    async fn jwt(&self, _: &JwtInput<'_>) -> CallbackResult<JwtDecision> {
        if self.0.closed.swap(false, Ordering::SeqCst) {
            self.0.arrived.add_permits(1);
            self.0.released.acquire().await.unwrap().forget();
        }
        Ok(JwtDecision::Claims(gatepass::model::ClaimMap::new()))
    }
}
