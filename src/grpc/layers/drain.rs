//! The end of streams. A Watch has none of its own: at the shutdown it ends with UNAVAILABLE DRAINING, so that it
//! does not hold the drain to its limit; at the client's deadline with `DEADLINE_EXCEEDED`; after a panic with
//! INTERNAL. Only streams pay for it: other calls pass through.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::uri::PathAndQuery;
use http_body::{Body as _, Frame};
use pin_project_lite::pin_project;
use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::Status;
use tonic::body::Body;
use tower::Service;

use super::{Request, Response, catch_panic, deadline, plain_status, reflects, streams};
use crate::grpc::error_details::{Extra, status};
use crate::model::Reason;

/// A client that was told so should try another replica at once.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// The layer.
#[derive(Debug, Clone)]
pub struct Drain<S> {
    inner: S,
    // Cloning a token takes a lock.
    draining: Arc<CancellationToken>,
}

impl<S> Drain<S> {
    /// Around `inner`, until `draining`.
    pub fn new(inner: S, draining: CancellationToken) -> Self {
        Self { inner, draining: Arc::new(draining) }
    }

    fn ended(&self) -> WaitForCancellationFutureOwned {
        (*self.draining).clone().cancelled_owned()
    }
}

impl<S> Service<Request> for Drain<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Drained<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        if !streams(request.uri().path()) {
            return Drained { future: self.inner.call(request), stream: None };
        }
        let stream = Stream {
            draining: self.ended(),
            timeout: deadline::client_timeout(request.headers()).ok().flatten(),
            path: request.uri().path_and_query().cloned(),
        };
        if reflects(request.uri().path()) {
            // Its task reads requests until the client ends them, and would keep the stream half open.
            let draining = self.ended();
            request = request.map(|body| Body::new(Requests { body, draining }));
        }
        Drained { future: self.inner.call(request), stream: Some(Box::new(stream)) }
    }
}

struct Stream {
    draining: WaitForCancellationFutureOwned,
    timeout: Option<Duration>,
    path: Option<PathAndQuery>,
}

pin_project! {
    /// The answer to come.
    pub struct Drained<F> {
        #[pin]
        future: F,
        stream: Option<Box<Stream>>,
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for Drained<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.future.poll(cx))?;
        Poll::Ready(Ok(match this.stream.take() {
            Some(stream) if !response.body().is_end_stream() => response.map(|body| {
                let Stream { draining, timeout, path } = *stream;
                let due = timeout.map(tokio::time::sleep);
                Body::new(Answers { body, draining, due, path, ended: false })
            }),
            _ => response,
        }))
    }
}

pin_project! {
    struct Requests {
        body: Body,
        #[pin]
        draining: WaitForCancellationFutureOwned,
    }
}

impl http_body::Body for Requests {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.project();
        if this.draining.poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        Pin::new(this.body).poll_frame(cx)
    }
}

pin_project! {
    struct Answers {
        body: Body,
        #[pin]
        draining: WaitForCancellationFutureOwned,
        #[pin]
        due: Option<Sleep>,
        path: Option<PathAndQuery>,
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
        let end = if this.draining.poll(cx).is_ready() {
            draining()
        } else if this.due.as_pin_mut().is_some_and(|due| due.poll(cx).is_ready()) {
            deadline::exceeded()
        } else {
            match catch_unwind(AssertUnwindSafe(|| Pin::new(this.body).poll_frame(cx))) {
                Ok(frame) => return frame.map(|frame| frame.map(|frame| frame.map(corrected))),
                Err(_) => catch_panic::panicked(this.path.as_ref()),
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
    status(Reason::Draining, "this replica is shutting down, ask another", extra)
}

fn corrected(mut frame: Frame<Bytes>) -> Frame<Bytes> {
    if let Some(trailers) = frame.trailers_mut() {
        plain_status::correct(trailers);
    }
    frame
}
