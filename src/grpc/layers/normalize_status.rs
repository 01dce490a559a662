//! Normalisation of statuses: every response has a gRPC status of the contract. The library tonic answers some requests
//! itself: a message that is no protobuf, one that is too large, an unknown method. These, and requests that are not
//! gRPC, get a code and a reason from the contract. An OK response costs one header look-up.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use pin_project_lite::pin_project;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::Service;

use super::deadline;
use crate::grpc::error_details::{Extra, REASON, status};
use crate::grpc::http_types::{Request, Response};
use crate::model::Reason;

/// The layer.
#[derive(Debug, Clone)]
pub struct NormalizeStatus<S> {
    inner: S,
}

impl<S> NormalizeStatus<S> {
    /// Wraps `inner` in this layer.
    pub fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S> Service<Request> for NormalizeStatus<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Normalized<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let is_grpc = request
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|content| content.as_bytes().starts_with(b"application/grpc"));
        // The protocol asks for HTTP's own codes here, so that no other client takes the 200 for a success.
        let refusal = if !is_grpc {
            Some((StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type", "must begin with application/grpc"))
        } else if request.method() != Method::POST {
            Some((StatusCode::METHOD_NOT_ALLOWED, ":method", "must be POST"))
        } else {
            None
        };
        match refusal {
            None => Normalized::Called { future: self.inner.call(request) },
            Some((http, field, wanted)) => {
                let extra = Extra::field(field, wanted);
                let status = status(Reason::InvalidRequest, "not a gRPC request", extra);
                let mut response: Response = status.into_http();
                *response.status_mut() = http;
                Normalized::Refused { response: Some(response) }
            }
        }
    }
}

pin_project! {
    /// The future that resolves to the response.
    #[project = NormalizedProjection]
    pub enum Normalized<F> {
        /// The service answers.
        Called { #[pin] future: F },
        /// This layer answers.
        Refused { response: Option<Response> },
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for Normalized<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut response = match self.project() {
            NormalizedProjection::Called { future } => ready!(future.poll(cx))?,
            NormalizedProjection::Refused { response } => {
                return Poll::Ready(Ok(response.take().unwrap_or_default()));
            }
        };
        if response.headers().contains_key(Status::GRPC_STATUS) {
            correct(response.headers_mut());
        } else if response.status() != StatusCode::OK {
            response = from_http(response.status(), response);
        }
        Poll::Ready(Ok(response))
    }
}

/// Gives a status from elsewhere a code and a reason of the contract; `headers` are those of a trailers-only response,
/// or trailers.
pub(super) fn correct(headers: &mut HeaderMap) {
    if headers.contains_key(&REASON) {
        return;
    }
    let Some(theirs) = Status::from_header_map(headers) else { return };
    if theirs.code() != Code::Ok {
        write(&ours(theirs.code(), theirs.message()), headers);
    }
}

/// Makes a gRPC response from a plain HTTP one.
fn from_http(http: StatusCode, response: Response) -> Response {
    let code = match http.as_u16() {
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 | 405 => Code::Unimplemented,
        429 => Code::ResourceExhausted,
        502..=504 => Code::Unavailable,
        400..=499 => Code::InvalidArgument,
        _ => Code::Internal,
    };
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    // Not through `ours`: an INTERNAL from HTTP's 5xx is not the client's fault.
    let status = if code == Code::Internal {
        status(Reason::Internal, "internal error", Extra::none())
    } else {
        ours(code, http.canonical_reason().unwrap_or_default())
    };
    write(&status, &mut parts.headers);
    parts.status = StatusCode::OK;
    http::Response::from_parts(parts, Body::empty())
}

fn write(status: &Status, headers: &mut HeaderMap) {
    headers.remove(Status::GRPC_MESSAGE);
    headers.remove(Status::GRPC_STATUS_DETAILS);
    // It fails only for a message that is no header value, and messages are percent-encoded.
    let _ = status.add_header(headers);
}

/// Maps a status of tonic to one of the contract. Its decoder answers INTERNAL for every fault of a request: bad
/// protobuf, a truncated or missing message, an unannounced compression flag.
fn ours(code: Code, message: &str) -> Status {
    let with = |reason| status(reason, message, Extra::none());
    match code {
        Code::Ok => Status::ok(""),
        Code::Internal | Code::Unknown | Code::InvalidArgument => {
            let (field, description) = violation(message);
            status(Reason::InvalidRequest, message, Extra::field(field, description))
        }
        Code::OutOfRange | Code::ResourceExhausted => with(Reason::MessageTooLarge),
        Code::Unimplemented => {
            let message = if message.is_empty() { "no such method" } else { message };
            status(Reason::NotImplemented, message, Extra::none())
        }
        Code::Cancelled | Code::DeadlineExceeded => deadline::exceeded(),
        Code::NotFound => with(Reason::ServiceNotFound),
        Code::AlreadyExists | Code::Aborted => with(Reason::Conflict),
        Code::PermissionDenied => with(Reason::CallerNotAllowed),
        Code::Unauthenticated => with(Reason::CallerUnknown),
        Code::FailedPrecondition => with(Reason::NotConfigured),
        Code::Unavailable => with(Reason::Draining),
        Code::DataLoss => with(Reason::Internal),
    }
}

/// Returns the path of the field that prost could not decode, and the cause: `Outer.user: Inner.name: why` is
/// `user.name`.
fn violation(message: &str) -> (String, &str) {
    let mut path = String::new();
    let mut rest = message.strip_prefix("failed to decode Protobuf message: ").unwrap_or(message);
    while let Some((step, after)) = rest.split_once(": ") {
        let Some((_, field)) = step.split_once('.').filter(|_| !step.contains(' ')) else { break };
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(field);
        rest = after;
    }
    (path, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoding_error_names_its_field() {
        let read = |message| {
            let (field, why) = violation(message);
            (field, why.to_owned())
        };
        let nested =
            "failed to decode Protobuf message: SignInRequest.client: Client.user_agent: invalid wire type";
        assert_eq!(read(nested), ("client.user_agent".into(), "invalid wire type".into()));
        let bare = "failed to decode Protobuf message: buffer underflow";
        assert_eq!(read(bare), (String::new(), "buffer underflow".into()));
        assert_eq!(read("Missing request message."), (String::new(), "Missing request message.".into()));
    }

    #[test]
    fn http_answers_become_grpc_ones() {
        for (http, code, reason) in [
            (StatusCode::NOT_FOUND, Code::Unimplemented, "NOT_IMPLEMENTED"),
            (StatusCode::PAYLOAD_TOO_LARGE, Code::InvalidArgument, "INVALID_REQUEST"),
            (StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, "DRAINING"),
            (StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, "INTERNAL"),
        ] {
            let response = from_http(http, Response::default());
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(response.headers()[&REASON], reason);
            assert_eq!(Status::from_header_map(response.headers()).unwrap().code(), code);
        }
    }
}
