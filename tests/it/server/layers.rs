//! The layers around every call. Each response is read as it is sent.

use std::convert::Infallible;
use std::future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatepass::auth::CallContext;
use gatepass::grpc::health::{self, Health};
use gatepass::grpc::layers::{Ids, Layered, Request, RequestId, Response, layered};
use gatepass::grpc::proto::SERVICES;
use gatepass::grpc::service_spec::Specs;
use gatepass::model::{OsEntropy, SystemClock};
use http_body_util::{BodyExt, Full};
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use tower::{Service, ServiceExt, service_fn};

use crate::support::log::Log;

const CHECK: &str = "/grpc.health.v1.Health/Check";
const TIMEOUT: Duration = Duration::from_secs(5);

fn around<S>(service: S) -> Layered<S> {
    let ids = Arc::new(Ids::new(Arc::new(SystemClock), &OsEntropy));
    layered(service, &Specs::new(SERVICES.into_iter().chain([&health::SPEC])), ids, TIMEOUT)
}

async fn answer<S>(service: S, request: Request) -> Response
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    around(service).oneshot(request).await.unwrap()
}

/// Calls the health service, which accepts no message above 64 bytes.
async fn asked_health(request: Request) -> Response {
    answer(Health::new().await.service().max_decoding_message_size(64), request).await
}

fn request(path: &str, headers: &[(&'static str, &str)], body: &[u8]) -> Request {
    let mut request = http::Request::post(path).header("content-type", "application/grpc");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::new(Full::from(body.to_vec()))).unwrap()
}

fn frame(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap();
    [&[0], &length.to_be_bytes()[..], message].concat()
}

fn status(response: &Response) -> Status {
    let status = Status::from_header_map(response.headers()).expect("a trailers-only answer");
    let told = status.metadata().get("gatepass-reason").unwrap().to_str().unwrap();
    let details = status.get_error_details();
    let info = details.error_info().unwrap();
    assert_eq!((info.domain.as_str(), info.reason.as_str()), ("gatepass.v1", told));
    status
}

fn reason(status: &Status) -> &str {
    status.metadata().get("gatepass-reason").unwrap().to_str().unwrap()
}

#[tokio::test]
async fn what_tonic_answers_by_itself_gets_our_codes_and_reasons() {
    let unknown = frame(b"\x0a\x06nobody");
    let long = frame(&[0; 65]);
    let wrong_type = frame(&[0x08, 1]);
    let invalid = (Code::InvalidArgument, "INVALID_REQUEST");
    let unimplemented = (Code::Unimplemented, "NOT_IMPLEMENTED");
    let gzip: &[_] = &[("grpc-encoding", "gzip")];
    for (what, path, headers, body, wanted) in [
        ("an unknown method", "/grpc.health.v1.Health/Nope", &[][..], &[][..], unimplemented),
        ("a compressed message", CHECK, gzip, &[1, 0, 0, 0, 0], unimplemented),
        ("an unannounced compression", CHECK, &[], &[1, 0, 0, 0, 0], invalid),
        ("a garbage frame", CHECK, &[], &[9, 9, 9, 9, 9, 9], invalid),
        ("a truncated message", CHECK, &[], &[0, 0, 0, 0, 9, 1], invalid),
        ("no message", CHECK, &[], &[], invalid),
        ("bad protobuf", CHECK, &[], &wrong_type, invalid),
        ("an oversize message", CHECK, &[], &long, (Code::ResourceExhausted, "MESSAGE_TOO_LARGE")),
        ("an unknown service", CHECK, &[], &unknown, (Code::NotFound, "SERVICE_NOT_FOUND")),
        ("a malformed timeout", CHECK, &[("grpc-timeout", "5 minutes")], &unknown, invalid),
        (
            "a timeout of nothing",
            CHECK,
            &[("grpc-timeout", "0n")],
            &unknown,
            (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"),
        ),
    ] {
        let response = asked_health(request(path, headers, body)).await;
        let status = status(&response);
        assert_eq!((status.code(), reason(&status)), wanted, "{what}: {status:?}");
        assert!(!status.message().is_empty(), "{what}");
        let details = status.get_error_details();
        assert_eq!(details.bad_request().is_some(), status.code() == Code::InvalidArgument, "{what}");
        assert!(details.retry_info().is_none(), "{what}");
        assert_eq!(response.headers()["content-type"], "application/grpc", "{what}");
    }
}

#[tokio::test]
async fn an_invalid_request_names_its_field() {
    let field = async |request| {
        let details = status(&asked_health(request).await).get_error_details();
        details.bad_request().unwrap().field_violations[0].field.clone()
    };
    assert_eq!(field(request(CHECK, &[], &frame(&[0x08, 1]))).await, "service");
    assert_eq!(field(request(CHECK, &[("grpc-timeout", "1")], &[])).await, "grpc-timeout");
}

#[tokio::test]
async fn a_refused_compression_tells_what_is_accepted() {
    let response = asked_health(request(CHECK, &[("grpc-encoding", "gzip")], &[])).await;
    assert_eq!(response.headers()["grpc-accept-encoding"], "identity");
}

#[tokio::test]
async fn a_request_that_is_not_grpc_gets_both_kinds_of_status() {
    let json = http::Request::post(CHECK).header("content-type", "application/json");
    let get = http::Request::get(CHECK).header("content-type", "application/grpc");
    for (request, http) in [(json, 415), (get, 405), (http::Request::get("/"), 415)] {
        let response = asked_health(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), http);
        assert_eq!(reason(&status(&response)), "INVALID_REQUEST");
    }
}

#[tokio::test]
async fn an_ok_answer_passes_untouched() {
    let response = asked_health(request(CHECK, &[], &frame(b"\x0a\x08liveness"))).await;
    assert!(!response.headers().contains_key("grpc-status"));
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(body.trailers().unwrap()["grpc-status"], "0");
    assert_eq!(body.to_bytes(), frame(&[0x08, 1]));
}

struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_handler_is_dropped_and_the_answer_is_deadline_exceeded() {
    for headers in [&[("grpc-timeout", "1m")][..], &[("grpc-timeout", "9H")], &[]] {
        let dropped = Arc::new(AtomicBool::new(false));
        let handler = service_fn(|_: Request| {
            let guard = Dropped(dropped.clone());
            async move {
                future::pending::<()>().await;
                drop(guard);
                Ok(Response::default())
            }
        });
        let mut service = around(handler);
        let mut call = std::pin::pin!(service.call(request("/a.B/C", headers, &[])));
        let status = status(&call.as_mut().await.unwrap());
        assert_eq!((status.code(), reason(&status)), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"));
        assert!(dropped.load(Ordering::SeqCst), "dropped while its call is still there");
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_knows_its_deadline() {
    for (path, headers, wanted) in [
        ("/gatepass.v1.AuthService/GetSession", &[("grpc-timeout", "100m")][..], Duration::from_millis(100)),
        ("/gatepass.v1.AuthService/GetSession", &[], TIMEOUT),
        ("/gatepass.v1.AuthService/SignIn", &[("grpc-timeout", "1H")], 2 * TIMEOUT),
    ] {
        let handler = service_fn(async |_: Request| {
            let due = CallContext::current().unwrap().due.unwrap();
            assert_eq!(due - tokio::time::Instant::now(), wanted);
            Ok(Response::default())
        });
        assert!(!answer(handler, request(path, headers, &[])).await.headers().contains_key("grpc-status"));
    }
}

#[tokio::test]
async fn only_the_handler_of_a_call_knows_its_id_and_trace() {
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let handler = service_fn(async |_: Request| {
        let context = CallContext::current().unwrap();
        assert_eq!((&*context.request_id, context.traceparent.as_deref()), ("the-id", Some(trace)));
        tokio::spawn(async { assert_eq!(CallContext::current(), None) }).await.unwrap();
        Ok(Response::default())
    });
    let headers = [("x-request-id", "the-id"), ("traceparent", trace)];
    let response = answer(handler, request("/a.B/C", &headers, &[])).await;
    assert!(!response.headers().contains_key("grpc-status"));
    assert_eq!(CallContext::current(), None);
}

#[tokio::test(start_paused = true)]
async fn a_stream_outlives_our_limit_and_ends_with_the_clients() {
    let watch = request("/grpc.health.v1.Health/Watch", &[("grpc-timeout", "1H")], &frame(&[]));
    let health = Health::new().await;
    let mut body = answer(health.service(), watch).await.into_body();
    let started = tokio::time::Instant::now();
    assert!(body.frame().await.unwrap().unwrap().is_data());
    let end = body.frame().await.unwrap().unwrap().into_trailers().unwrap();
    assert_eq!(started.elapsed().as_secs(), 3600);
    assert_eq!(end["gatepass-reason"], "DEADLINE_EXCEEDED");
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn a_panic_before_the_first_await_is_caught_too() {
    let handler = service_fn(|_: Request| -> future::Ready<Result<Response, Infallible>> {
        panic!("this panic belongs to the test")
    });
    let status = status(&answer(handler, request("/a.B/C", &[], &[])).await);
    assert_eq!((status.code(), reason(&status)), (Code::Internal, "INTERNAL"));
}

#[tokio::test]
async fn a_request_id_is_echoed_where_it_is_fit_and_made_where_not() {
    let seen = Mutex::new(String::new());
    let handler = service_fn(async |request: Request| {
        *seen.lock().unwrap() = request.extensions().get::<RequestId>().unwrap().as_str().to_owned();
        Ok(Response::default())
    });
    let long = "a".repeat(129);
    for (given, kept) in
        [(Some("abc-123"), true), (Some("two words"), false), (Some(&*long), false), (None, false)]
    {
        let headers: Vec<_> = given.map(|given| ("x-request-id", given)).into_iter().collect();
        let response = answer(handler, request("/a.B/C", &headers, &[])).await;
        let id = response.headers()["x-request-id"].to_str().unwrap();
        assert_eq!(*seen.lock().unwrap(), id);
        assert_eq!(Some(id) == given, kept, "{given:?}");
        if !kept {
            assert_eq!(id.parse::<uuid::Uuid>().unwrap().get_version_num(), 7);
        }
    }
}

#[tokio::test]
async fn errors_carry_the_request_id_too() {
    let response = asked_health(request(CHECK, &[("x-request-id", "abc")], &[])).await;
    assert_eq!(response.headers()["x-request-id"], "abc");
}

#[tokio::test]
async fn an_error_is_one_line_of_log_without_metadata_and_success_is_none() {
    let (log, _logging) = Log::begin();
    let headers = [("authorization", "Bearer opensesame"), ("x-request-id", "the-id")];
    asked_health(request(CHECK, &headers, &frame(b"\x0a\x08liveness"))).await;
    assert_eq!(log.take(), "");
    asked_health(request(CHECK, &headers, &frame(b"\x0a\x06nobody"))).await;
    let line = log.take();
    assert_eq!(line.lines().count(), 1, "{line}");
    for part in ["grpc.health.v1.Health", "Check", "the-id", "NotFound", "SERVICE_NOT_FOUND"] {
        assert!(line.contains(part), "{part} in {line}");
    }
    assert!(!line.contains("opensesame") && !line.contains("nobody"), "{line}");
}
