//! The log of calls: a span at debug level around each, and one line if the response is an error. An OK response is not
//! logged. If debug is off, its span costs one comparison, since `GetSession` is benchmarked against a server that logs
//! nothing. Metadata values and messages are never logged.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::HeaderValue;
use pin_project_lite::pin_project;
use tonic::{Code, Status};
use tower::Service;
use tracing::{Span, field};

use super::request_id::RequestId;
use crate::grpc::error_details::REASON;
use crate::grpc::http_types::{Request, Response};
use crate::grpc::service_spec::{Method, Specs, names};
use crate::net::PeerAddr;

/// The name of the caller. The layer that knows it adds it to the extensions of an error's response, and records it as
/// `caller` in the current span.
#[derive(Debug, Clone)]
pub struct CallerName(pub Arc<str>);

/// The layer.
#[derive(Debug, Clone)]
pub struct Trace<S> {
    inner: S,
    specs: Specs,
}

impl<S> Trace<S> {
    /// Wraps `inner` in this layer.
    pub fn new(inner: S, specs: Specs) -> Self {
        Self { inner, specs }
    }
}

impl<S> Service<Request> for Trace<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Traced<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let call = Call {
            method: self.specs.find(request.uri().path()),
            id: request.extensions().get().cloned(),
            peer: request.extensions().get().map(|PeerAddr(peer)| *peer),
        };
        let span = tracing::debug_span!(
            "call",
            rpc.service = call.service(),
            rpc.method = call.method(),
            request_id = call.id(),
            peer = call.peer.map(field::display),
            caller = field::Empty,
        );
        let future = span.in_scope(|| self.inner.call(request));
        Traced { future, call, span }
    }
}

struct Call {
    method: Option<Method>,
    id: Option<RequestId>,
    peer: Option<SocketAddr>,
}

impl Call {
    fn service(&self) -> &'static str {
        names(self.method).0
    }

    fn method(&self) -> &'static str {
        names(self.method).1
    }

    fn id(&self) -> &str {
        self.id.as_ref().map_or("", RequestId::as_str)
    }
}

pin_project! {
    /// The future that resolves to the response.
    pub struct Traced<F> {
        #[pin]
        future: F,
        call: Call,
        span: Span,
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for Traced<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let _entered = this.span.enter();
        let response = ready!(this.future.poll(cx))?;
        if let Some(code) = response.headers().get(Status::GRPC_STATUS) {
            log(this.call, Code::from_bytes(code.as_bytes()), &response);
        }
        Poll::Ready(Ok(response))
    }
}

macro_rules! log_at {
    ($log:ident, $call:ident, $code:ident, $response:ident) => {
        tracing::$log!(
            rpc.service = $call.service(),
            rpc.method = $call.method(),
            request_id = $call.id(),
            peer = $call.peer.map(field::display),
            caller = $response.extensions().get().map(|CallerName(name)| &**name),
            code = ?$code,
            reason = $response.headers().get(&REASON).and_then(|reason: &HeaderValue| reason.to_str().ok()),
            "call failed"
        )
    };
}

fn log(call: &Call, code: Code, response: &Response) {
    match code {
        Code::Ok => {}
        Code::Internal | Code::Unknown | Code::DataLoss => log_at!(error, call, code, response),
        Code::Unavailable | Code::DeadlineExceeded => log_at!(warn, call, code, response),
        Code::Unauthenticated | Code::PermissionDenied | Code::ResourceExhausted => {
            log_at!(info, call, code, response);
        }
        Code::Cancelled
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unimplemented => log_at!(debug, call, code, response),
    }
}
