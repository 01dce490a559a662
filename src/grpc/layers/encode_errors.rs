//! The encoding of errors: a service whose clients read no gRPC status returns errors as its own response messages. It
//! wraps the log layer, so that the log records the error.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::StatusCode;
use pin_project_lite::pin_project;
use tonic::{Code, Status};
use tower::Service;

use crate::grpc::http_types::{Request, Response};
use crate::grpc::service_spec::{ErrorEncoding, Specs};

/// The layer.
#[derive(Debug, Clone)]
pub struct EncodeErrors<S> {
    inner: S,
    specs: Specs,
}

impl<S> EncodeErrors<S> {
    /// Wraps `inner` in this layer.
    pub fn new(inner: S, specs: Specs) -> Self {
        Self { inner, specs }
    }
}

impl<S> Service<Request> for EncodeErrors<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Encoded<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let method = self.specs.find(request.uri().path());
        let errors = method.map_or(ErrorEncoding::Status, |method| method.service.errors);
        Encoded { future: self.inner.call(request), errors }
    }
}

pin_project! {
    /// The future that resolves to the response.
    pub struct Encoded<F> {
        #[pin]
        future: F,
        errors: ErrorEncoding,
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for Encoded<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.future.poll(cx))?;
        Poll::Ready(Ok(match this.errors {
            ErrorEncoding::Status => response,
            ErrorEncoding::Answer(encode) => match error(&response) {
                Some(status) => encode(&status),
                None => response,
            },
        }))
    }
}

/// Returns the error of a trailers-only response. A request that is not gRPC gets a plain HTTP response.
fn error(response: &Response) -> Option<Status> {
    let status = Status::from_header_map(response.headers())?;
    (response.status() == StatusCode::OK && status.code() != Code::Ok).then_some(status)
}
