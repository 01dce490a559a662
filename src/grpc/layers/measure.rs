//! Counting and timing of calls, outside all other layers, so that the count matches the wire. A stream ends with its
//! trailers; a call whose client or connection ends earlier counts as cancelled. Calls without a stream cost a few
//! atomic additions and no allocation.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;
use pin_project_lite::pin_project;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::Service;

use super::call_metrics::{CallMetrics, Counted};
use crate::grpc::http_types::{Request, Response};

/// The layer.
#[derive(Debug, Clone)]
pub struct Measure<S> {
    inner: S,
    metrics: Arc<CallMetrics>,
}

impl<S> Measure<S> {
    /// Wraps `inner` in this layer.
    pub fn new(inner: S, metrics: Arc<CallMetrics>) -> Self {
        Self { inner, metrics }
    }
}

impl<S> Service<Request> for Measure<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Measured<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let call = Some(self.metrics.begin(request.uri().path()));
        Measured { future: self.inner.call(request), call }
    }
}

pin_project! {
    /// The future that resolves to the response.
    pub struct Measured<F> {
        #[pin]
        future: F,
        call: Option<Counted>,
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for Measured<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.future.poll(cx))?;
        let Some(call) = this.call.take() else { return Poll::Ready(Ok(response)) };
        Poll::Ready(Ok(match code(response.headers()) {
            None if call.streams() => response.map(|body| Body::new(Answers { body, call: Some(call) })),
            // The trailers of a response that is no stream report OK: its one message was sent.
            told => {
                call.end(told.unwrap_or(Code::Ok));
                response
            }
        }))
    }
}

/// Returns the code in the headers of a trailers-only response, or in trailers.
fn code(headers: &HeaderMap) -> Option<Code> {
    headers.get(Status::GRPC_STATUS).map(|code| Code::from_bytes(code.as_bytes()))
}

struct Answers {
    body: Body,
    call: Option<Counted>,
}

impl http_body::Body for Answers {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let ended = match &frame {
            Some(Ok(frame)) => frame.trailers_ref().map(|trailers| code(trailers).unwrap_or(Code::Unknown)),
            Some(Err(status)) => Some(status.code()),
            None => Some(Code::Unknown),
        };
        if let Some(code) = ended
            && let Some(call) = self.call.take()
        {
            call.end(code);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}
