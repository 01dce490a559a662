//! Deadlines: the client's `grpc-timeout`, limited by the method's own. After the deadline the handler is dropped and
//! the response is `DEADLINE_EXCEEDED`; tonic's own timer would answer CANCELLED. It covers a call until its response
//! headers; `stream_end.rs` ends a started stream at the client's deadline. The handler runs in the
//! [`CallContext`](crate::auth::CallContext) of the call, for its own outgoing calls.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, HeaderName};
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep};
use tonic::Status;
use tower::Service;

use super::context::context;
use crate::auth::OfCall;
use crate::grpc::error_details::{Extra, status};
use crate::grpc::http_types::{Request, Response};
use crate::grpc::service_spec::Specs;
use crate::model::Reason;

static HEADER: HeaderName = HeaderName::from_static("grpc-timeout");

/// The layer.
#[derive(Debug, Clone)]
pub struct Deadlines<S> {
    inner: S,
    specs: Specs,
    request_timeout: Duration,
}

impl<S> Deadlines<S> {
    /// Wraps `inner` in this layer.
    pub fn new(inner: S, specs: Specs, request_timeout: Duration) -> Self {
        Self { inner, specs, request_timeout }
    }
}

impl<S> Service<Request> for Deadlines<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Timed<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let method = self.specs.find(request.uri().path());
        let most = self.request_timeout * method.map_or(1, |method| method.spec.timeouts);
        let timeout = match client_timeout(request.headers()) {
            Ok(Some(Duration::ZERO)) => return Timed::Refused { status: Some(exceeded()) },
            Ok(asked) => asked.map_or(most, |asked| asked.min(most)),
            Err(malformed) => return Timed::Refused { status: Some(malformed) },
        };
        let due = Instant::now() + timeout;
        let context = context(&request, due, most);
        let future = Some(context.around(self.inner.call(request)));
        Timed::Running { future, due: tokio::time::sleep_until(due) }
    }
}

pub(super) fn exceeded() -> Status {
    status(Reason::DeadlineExceeded, "the deadline passed before the response was ready", Extra::none())
}

/// Returns the client's timeout for the call, if it sets one.
pub(super) fn client_timeout(headers: &HeaderMap) -> Result<Option<Duration>, Status> {
    let Some(value) = headers.get(&HEADER) else { return Ok(None) };
    if let Some(timeout) = parse(value.as_bytes()) {
        return Ok(Some(timeout));
    }
    let wanted = "must be 1 to 8 digits and one of H, M, S, m, u, n";
    let extra = Extra::field("grpc-timeout", wanted);
    Err(status(Reason::InvalidRequest, "the metadata grpc-timeout is malformed", extra))
}

fn parse(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if !(1..=8).contains(&digits.len()) {
        return None;
    }
    let mut number = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        number = number * 10 + u64::from(digit - b'0');
    }
    Some(match unit {
        b'H' => Duration::from_secs(number * 3600),
        b'M' => Duration::from_secs(number * 60),
        b'S' => Duration::from_secs(number),
        b'm' => Duration::from_millis(number),
        b'u' => Duration::from_micros(number),
        b'n' => Duration::from_nanos(number),
        _ => return None,
    })
}

pin_project! {
    /// The future that resolves to the response, in time or not.
    #[project = TimedProjection]
    pub enum Timed<F> {
        /// The handler runs.
        Running { #[pin] future: Option<OfCall<F>>, #[pin] due: Sleep },
        /// The call was rejected before the handler ran.
        Refused { status: Option<Status> },
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for Timed<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let late = match self.project() {
            TimedProjection::Running { mut future, due } => {
                // The handler first: a handler that never waits then never registers its timer.
                if let Some(future) = future.as_mut().as_pin_mut()
                    && let Poll::Ready(answer) = future.poll(cx)
                {
                    return Poll::Ready(answer);
                }
                std::task::ready!(due.poll(cx));
                future.set(None);
                exceeded()
            }
            TimedProjection::Refused { status } => status.take().unwrap_or_else(exceeded),
        };
        Poll::Ready(Ok(late.into_http()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_as_the_protocol_writes_them() {
        for (text, wanted) in [
            ("1H", Some(Duration::from_hours(1))),
            ("2M", Some(Duration::from_mins(2))),
            ("3S", Some(Duration::from_secs(3))),
            ("4m", Some(Duration::from_millis(4))),
            ("5u", Some(Duration::from_micros(5))),
            ("99999999n", Some(Duration::from_nanos(99_999_999))),
            ("99999999H", Some(Duration::from_hours(99_999_999))),
            ("0S", Some(Duration::ZERO)),
            ("", None),
            ("S", None),
            ("1", None),
            ("1s", None),
            ("+1S", None),
            ("-1S", None),
            ("1 S", None),
            ("123456789S", None),
        ] {
            assert_eq!(parse(text.as_bytes()), wanted, "{text}");
        }
    }
}
