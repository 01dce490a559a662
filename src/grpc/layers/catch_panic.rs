//! Panic handling: a panic in a handler answers INTERNAL and ends nothing else: not the connection, not its other
//! calls. The panic message is not logged here, since it may hold data of the call.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tonic::Status;
use tower::Service;

use crate::grpc::error_details::{Extra, status};
use crate::grpc::http_types::{Request, Response};
use crate::grpc::service_spec::{Method, Specs, names};
use crate::model::Reason;

/// The layer.
#[derive(Debug, Clone)]
pub struct CatchPanic<S> {
    inner: S,
    specs: Specs,
}

impl<S> CatchPanic<S> {
    /// Wraps `inner` in this layer.
    pub fn new(inner: S, specs: Specs) -> Self {
        Self { inner, specs }
    }
}

impl<S> Service<Request> for CatchPanic<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Caught<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let method = self.specs.find(request.uri().path());
        let future = catch_unwind(AssertUnwindSafe(|| self.inner.call(request))).ok();
        Caught { future, method }
    }
}

/// Returns the response to a call whose handler panicked, and logs it.
pub(super) fn panicked(method: Option<Method>) -> Status {
    let (service, method) = names(method);
    tracing::error!(rpc.service = service, rpc.method = method, "handler panicked");
    status(Reason::Internal, "internal error", Extra::none())
}

pin_project! {
    /// The future that resolves to the response; `None` if the handler panicked.
    pub struct Caught<F> {
        #[pin]
        future: Option<F>,
        method: Option<Method>,
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for Caught<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(future) = this.future.as_mut().as_pin_mut()
            && let Ok(answer) = catch_unwind(AssertUnwindSafe(|| future.poll(cx)))
        {
            return answer;
        }
        this.future.set(None);
        Poll::Ready(Ok(panicked(*this.method).into_http()))
    }
}
