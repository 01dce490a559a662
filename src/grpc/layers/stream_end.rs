//! The end of streams. A Watch does not end by itself. When its connection is to close, at its age or at shutdown, the
//! stream ends with UNAVAILABLE DRAINING. It is therefore not cut, and does not delay the connection. It ends at the
//! client's deadline with `DEADLINE_EXCEEDED`, and after a panic with INTERNAL. Other calls pass through at no cost.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as _, Frame};
use pin_project_lite::pin_project;
use tokio::time::Sleep;
use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::Status;
use tonic::body::Body;
use tower::Service;

use super::{catch_panic, deadline, normalize_status};
use crate::grpc::error_details::{Extra, status};
use crate::grpc::http_types::{Request, Response};
use crate::grpc::service_spec::{Method, MethodKind, Specs};
use crate::model::Reason;
use crate::net::Closing;

/// The delay after which a client should try another replica.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// The layer.
#[derive(Debug, Clone)]
pub struct StreamEnd<S> {
    inner: S,
    specs: Specs,
}

impl<S> StreamEnd<S> {
    /// Wraps `inner` in this layer.
    pub fn new(inner: S, specs: Specs) -> Self {
        Self { inner, specs }
    }
}

impl<S> Service<Request> for StreamEnd<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Ended<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let method = self.specs.find(request.uri().path()).filter(|method| method.streams());
        let Some(method) = method else {
            return Ended { future: self.inner.call(request), stream: None };
        };
        let closing = request.extensions().get().map(Closing::wait);
        let timeout = deadline::client_timeout(request.headers()).ok().flatten();
        if method.spec.kind == MethodKind::BidiStream {
            // A method that reads requests until the client ends them would keep the stream half open.
            let closing = request.extensions().get().map(Closing::wait);
            request = request.map(|body| Body::new(Requests { body, closing }));
        }
        let stream = Stream { closing, timeout, method };
        Ended { future: self.inner.call(request), stream: Some(Box::new(stream)) }
    }
}

struct Stream {
    closing: Option<WaitForCancellationFutureOwned>,
    timeout: Option<Duration>,
    method: Method,
}

pin_project! {
    /// The future that resolves to the response.
    pub struct Ended<F> {
        #[pin]
        future: F,
        stream: Option<Box<Stream>>,
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for Ended<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.future.poll(cx))?;
        Poll::Ready(Ok(match this.stream.take() {
            Some(stream) if !response.body().is_end_stream() => response.map(|body| {
                let Stream { closing, timeout, method } = *stream;
                let due = timeout.map(tokio::time::sleep);
                Body::new(Answers { body, closing, due, method, ended: false })
            }),
            _ => response,
        }))
    }
}

pin_project! {
    struct Requests {
        body: Body,
        #[pin]
        closing: Option<WaitForCancellationFutureOwned>,
    }
}

impl http_body::Body for Requests {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.project();
        if this.closing.as_pin_mut().is_some_and(|closing| closing.poll(cx).is_ready()) {
            return Poll::Ready(None);
        }
        Pin::new(this.body).poll_frame(cx)
    }
}

pin_project! {
    struct Answers {
        body: Body,
        #[pin]
        closing: Option<WaitForCancellationFutureOwned>,
        #[pin]
        due: Option<Sleep>,
        method: Method,
        ended: bool,
    }
}

impl http_body::Body for Answers {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        let end = if this.closing.as_pin_mut().is_some_and(|closing| closing.poll(cx).is_ready()) {
            draining()
        } else if this.due.as_pin_mut().is_some_and(|due| due.poll(cx).is_ready()) {
            deadline::exceeded()
        } else {
            match catch_unwind(AssertUnwindSafe(|| Pin::new(this.body).poll_frame(cx))) {
                Ok(frame) => return frame.map(|frame| frame.map(|frame| frame.map(corrected))),
                Err(_) => catch_panic::panicked(Some(*this.method)),
            }
        };
        *this.ended = true;
        let mut trailers = HeaderMap::new();
        Poll::Ready(Some(end.add_header(&mut trailers).map(|()| Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.body.is_end_stream()
    }
}

fn draining() -> Status {
    let extra = Extra::retry_after(RETRY_DELAY);
    status(Reason::Draining, "the connection is closing; retry on another one", extra)
}

fn corrected(mut frame: Frame<Bytes>) -> Frame<Bytes> {
    if let Some(trailers) = frame.trailers_mut() {
        normalize_status::correct(trailers);
    }
    frame
}
