//! A service of a foreign package, mounted from one file: it has the same layers and callers as the services of
//! Gatepass.

use std::time::{Duration, Instant};

use futures_util::stream;
use tonic::{Code, Response, Status};
use tonic_prost::ProstCodec;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::{ServerReflectionRequest, server_reflection_response::MessageResponse};

use crate::support::callers::{caller, callers, key};
use crate::support::foreign::{Heard, Said, mounts};
use crate::support::{TestApp, builder, refusal, with_key};

const TIMEOUT: Duration = Duration::from_millis(300);

/// Starts an app with a caller that may read sessions, and one with administrative read access.
async fn app() -> TestApp {
    let entries = [caller("web", "allow: [session.read]"), caller("admin", "allow: [admin.read]")];
    let builder = builder().server("request_timeout: 300ms").config(&callers(&entries));
    builder.services(mounts()).start().await
}

async fn say(app: &TestApp, path: &str, key: &str, text: &str) -> Result<Heard, Status> {
    let mut client = tonic::client::Grpc::new(app.channel.clone());
    client.ready().await.unwrap();
    let codec = ProstCodec::<Said, Heard>::default();
    let request = with_key(Said { text: text.to_owned() }, key);
    client.unary(request, path.parse().unwrap(), codec).await.map(Response::into_inner)
}

fn heard(text: &str) -> Heard {
    Heard { text: text.to_owned(), refused: String::new() }
}

fn told(refused: &str) -> Heard {
    Heard { text: String::new(), refused: refused.to_owned() }
}

#[tokio::test]
async fn its_methods_ask_for_callers_and_permissions_by_its_specification() {
    let app = app().await;
    let (web, admin) = (key("web"), key("admin"));
    assert_eq!(say(&app, "/foreign.v1.Echo/Say", &web, "hello").await.unwrap(), heard("hello"));
    let refused = async |path: &str, key: &str| refusal(say(&app, path, key, "hello").await);
    let unknown = (Code::Unauthenticated, "CALLER_UNKNOWN".to_owned());
    assert_eq!(refused("/foreign.v1.Echo/Say", "nobody").await, unknown);
    let not_allowed = (Code::PermissionDenied, "CALLER_NOT_ALLOWED".to_owned());
    assert_eq!(refused("/foreign.v1.Echo/Say", &admin).await, not_allowed);
    // An unknown method of a foreign package reveals nothing to an unauthenticated caller.
    for path in ["/foreign.v1.Echo/Nope", "/foreign.v1.Nope/Say"] {
        assert_eq!(refused(path, "nobody").await, unknown, "{path}");
        assert_eq!(refused(path, &web).await, (Code::Unimplemented, "NOT_IMPLEMENTED".to_owned()), "{path}");
    }
    assert_eq!(say(&app, "/foreign.v1.Echo/Greet", "nobody", "hello").await.unwrap(), heard("hello"));
    crate::support::eventually("denials are logged", || async {
        let log = app.log().await;
        let denied = |reason: &str| log.contains(&format!("CALLER_DENIED DENIED {reason}"));
        denied("CALLER_UNKNOWN") && denied("CALLER_NOT_ALLOWED")
    })
    .await;
}

#[tokio::test]
async fn its_deadlines_and_messages_are_limited_and_its_panics_caught() {
    let app = app().await;
    let begun = Instant::now();
    let late = refusal(say(&app, "/foreign.v1.Echo/Ponder", &key("admin"), "").await);
    assert_eq!(late, (Code::DeadlineExceeded, "DEADLINE_EXCEEDED".to_owned()));
    assert!(begun.elapsed() >= 2 * TIMEOUT, "it may take twice the time: {:?}", begun.elapsed());
    let large = refusal(say(&app, "/foreign.v1.Echo/Say", &key("web"), &"a".repeat(65)).await);
    assert_eq!(large, (Code::ResourceExhausted, "MESSAGE_TOO_LARGE".to_owned()));
    let panicked = refusal(say(&app, "/foreign.v1.Echo/Say", &key("web"), "panic").await);
    assert_eq!(panicked, (Code::Internal, "INTERNAL".to_owned()));
}

#[tokio::test]
async fn its_calls_are_counted_by_their_names() {
    let app = app().await;
    say(&app, "/foreign.v1.Echo/Say", &key("web"), "hello").await.unwrap();
    say(&app, "/foreign.v1.Echo/Say", "nobody", "hello").await.unwrap_err();
    say(&app, "/foreign.v1.Echo/Nope", &key("web"), "hello").await.unwrap_err();
    let page = app.metrics().await;
    let handled = [
        "unary foreign.v1.Echo Say OK 1",
        "unary foreign.v1.Echo Say Unauthenticated 1",
        "unary unknown unknown Unimplemented 1",
    ];
    assert_eq!(page.counted("grpc_server_handled_total"), handled);
}

#[tokio::test]
async fn its_errors_are_encoded_as_it_says() {
    let app = app().await;
    let path = |method| format!("/foreign.v1.Teller/{method}");
    let answer = async |method, key: &str, text| say(&app, &path(method), key, text).await.unwrap();
    assert_eq!(answer("Say", &key("web"), "hello").await, heard("hello"));
    assert_eq!(answer("Say", "nobody", "hello").await, told("CALLER_UNKNOWN"));
    assert_eq!(answer("Say", &key("admin"), "hello").await, told("CALLER_NOT_ALLOWED"));
    assert_eq!(answer("Ponder", &key("admin"), "").await, told("DEADLINE_EXCEEDED"));
    assert_eq!(answer("Say", &key("web"), "panic").await, told("INTERNAL"));
}

#[tokio::test]
async fn reflection_lists_it() {
    let app = app().await;
    let list = MessageRequest::ListServices(String::new());
    let list = ServerReflectionRequest { message_request: Some(list), ..Default::default() };
    let mut client = ServerReflectionClient::new(app.channel.clone());
    let mut answers = client.server_reflection_info(stream::iter([list])).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(list)) = answer else { panic!("{answer:?}") };
    let names: Vec<_> = list.service.iter().map(|service| service.name.as_str()).collect();
    assert!(names.contains(&"foreign.v1.Echo") && names.contains(&"gatepass.v1.AuthService"), "{names:?}");
}
