//! Work that continues if its caller disconnects.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tracing::{Instrument as _, Span};

/// Work that runs to its end, even if its caller is dropped. It runs where it is awaited; a task is spawned only if the
/// caller is dropped. Work that panics ends.
#[must_use = "futures do nothing unless polled"]
pub(crate) struct Shield<T: Send + 'static> {
    rest: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    span: Span,
}

impl<T: Send + 'static> Shield<T> {
    /// Shields this work, as part of the current span.
    pub(crate) fn over(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self { rest: Some(Box::pin(work)), span: Span::current() }
    }
}

impl<T: Send + 'static> Future for Shield<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        // Taken out while it is polled, so that work that panics is not continued.
        let Some(mut rest) = self.rest.take() else { return Poll::Pending };
        let polled = rest.as_mut().poll(cx);
        if polled.is_pending() {
            self.rest = Some(rest);
        }
        polled
    }
}

impl<T: Send + 'static> Drop for Shield<T> {
    fn drop(&mut self) {
        // Without a runtime the process is ending.
        if let (Some(rest), Ok(runtime)) = (self.rest.take(), Handle::try_current()) {
            runtime.spawn(async move { drop(rest.await) }.instrument(self.span.clone()));
        }
    }
}

impl<T: Send + 'static> fmt::Debug for Shield<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shield").field("ended", &self.rest.is_none()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;

    use futures_util::FutureExt as _;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn awaited_work_completes_without_a_task() {
        let here = tokio::spawn(async {
            let here = tokio::task::id();
            (here, Shield::over(async { tokio::task::id() }).await)
        });
        let (here, there) = here.await.unwrap();
        assert_eq!(here, there);
    }

    #[tokio::test]
    async fn work_that_is_dropped_half_way_goes_on_from_there() {
        let (go_on, told) = oneshot::channel::<&str>();
        let (tell, done) = oneshot::channel();
        let mut polls = 0;
        let mut work = Shield::over(async move {
            polls += 1;
            tell.send((polls, told.await.unwrap())).unwrap();
        });
        assert!((&mut work).now_or_never().is_none());
        drop(work);
        go_on.send("on").unwrap();
        assert_eq!(done.await.unwrap(), (1, "on"));
    }

    #[tokio::test]
    async fn panicking_work_ends() {
        let (tell, done) = oneshot::channel::<()>();
        let mut work = Shield::over(async move {
            let _held = tell;
            assert!(std::hint::black_box(false), "on purpose");
        });
        assert!(AssertUnwindSafe(&mut work).catch_unwind().await.is_err());
        drop(work);
        assert!(done.await.is_err());
    }

    #[test]
    fn without_a_runtime_the_rest_goes_with_the_process() {
        let mut work = Shield::over(std::future::pending::<()>());
        assert!((&mut work).now_or_never().is_none());
        drop(work);
    }
}
