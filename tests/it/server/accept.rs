//! The accept loop, tested over real sockets.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use gatepass::grpc::health::{self, Health};
use gatepass::grpc::layers::{Ids, Layered, Request, Response, layered};
use gatepass::grpc::reflection;
use gatepass::grpc::routes::Front;
use gatepass::grpc::serve;
use gatepass::grpc::service_spec::Specs;
use gatepass::model::{OsEntropy, SystemClock};
use gatepass::net::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::{ServerReflectionRequest, server_reflection_response::MessageResponse};
use tonic_types::StatusExt;
use tower::{Service, ServiceExt, service_fn};

/// A timeout that no test may reach: a test that waits for it visibly hangs.
const NEVER: Duration = Duration::from_hours(1);
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

fn limits() -> Limits {
    Limits { shutdown_grace: NEVER, first_bytes: NEVER, ..Limits::default() }
}

struct Server {
    addr: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<usize>,
}

impl Server {
    async fn start<S>(limits: Limits, service: S) -> Self
    where
        S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send + 'static,
    {
        let shutdown = CancellationToken::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let service = around(service);
        let task =
            tokio::spawn(serve(listener, None, limits, Arc::new(OsEntropy), service, shutdown.clone()));
        Self { addr, shutdown, task }
    }

    async fn client(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.addr)).unwrap().connect().await.unwrap()
    }

    async fn ends(self) -> usize {
        self.shutdown.cancel();
        self.task.await.unwrap()
    }
}

fn specs() -> Specs {
    Specs::new([&health::SPEC, &reflection::V1])
}

fn around<S>(service: S) -> Layered<S> {
    let ids = Arc::new(Ids::new(Arc::new(SystemClock), &OsEntropy));
    layered(service, &specs(), ids, NEVER)
}

async fn health_server(limits: Limits) -> Server {
    Server::start(limits, Health::new().await.service()).await
}

async fn check(channel: Channel) -> Result<(), Status> {
    HealthClient::new(channel).check(HealthCheckRequest { service: "liveness".into() }).await.map(drop)
}

async fn call(channel: Channel, path: &str) -> http::Response<Body> {
    let request = http::Request::post(path).header("content-type", "application/grpc");
    channel.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

/// Reads everything until the server closes the connection: nothing or a reset, if the server never spoke HTTP/2.
async fn until_hung_up(addr: SocketAddr) -> Vec<u8> {
    let mut said = Vec::new();
    let _ = TcpStream::connect(addr).await.unwrap().read_to_end(&mut said).await;
    said
}

#[tokio::test]
async fn a_connection_that_never_speaks_does_not_hold_the_drain() {
    let server = health_server(limits()).await;
    let _silent = TcpStream::connect(server.addr).await.unwrap();
    // This connection is accepted after the silent one, so the loop has already taken the silent one.
    check(server.client().await).await.unwrap();
    assert_eq!(server.ends().await, 0);
}

#[tokio::test]
async fn a_connection_that_does_not_speak_in_time_is_closed() {
    let limits = Limits { first_bytes: Duration::from_millis(20), ..limits() };
    let server = health_server(limits).await;
    let spoken = server.client().await;
    until_hung_up(server.addr).await;
    check(spoken).await.unwrap();
}

#[tokio::test]
async fn an_old_connection_is_told_to_go() {
    let limits = Limits { connection_age: Duration::from_millis(20), ..limits() };
    let server = health_server(limits).await;
    let mut tcp = TcpStream::connect(server.addr).await.unwrap();
    tcp.write_all(PREFACE).await.unwrap();
    loop {
        let mut head = [0; 9];
        tcp.read_exact(&mut head).await.expect("a GOAWAY comes before the end");
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        tcp.read_exact(&mut vec![0; length as usize]).await.unwrap();
        if head[3] == 7 {
            break;
        }
    }
}

#[tokio::test]
async fn a_call_in_flight_at_the_shutdown_completes() {
    let (entered, release) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let server = Server::start(limits(), waiting(&entered, &release)).await;
    let calling = tokio::spawn({
        let channel = server.client().await;
        async move { call(channel, "/a.B/C").await }
    });
    let _in_flight = entered.acquire().await.unwrap();
    server.shutdown.cancel();
    while TcpStream::connect(server.addr).await.is_ok() {
        tokio::task::yield_now().await;
    }
    release.add_permits(1);
    assert_eq!(calling.await.unwrap().headers()["answered"], "yes");
    assert_eq!(server.ends().await, 0);
}

#[tokio::test]
async fn a_call_that_outlasts_the_grace_is_cut_and_counted() {
    let (entered, release) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let limits = Limits { shutdown_grace: Duration::from_millis(20), ..limits() };
    let server = Server::start(limits, waiting(&entered, &release)).await;
    let channel = server.client().await;
    let request = http::Request::post("/a.B/C").header("content-type", "application/grpc");
    let calling = tokio::spawn(channel.oneshot(request.body(Body::empty()).unwrap()));
    let _in_flight = entered.acquire().await.unwrap();
    assert_eq!(server.ends().await, 1);
    assert!(calling.await.unwrap().is_err());
}

/// Builds a service that signals each call, and holds it until it is released.
fn waiting(
    entered: &Arc<Semaphore>,
    release: &Arc<Semaphore>,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static {
    let (entered, release) = (entered.clone(), release.clone());
    service_fn(move |_: Request| {
        let (entered, release) = (entered.clone(), release.clone());
        async move {
            entered.add_permits(1);
            release.acquire().await.unwrap().forget();
            Ok(http::Response::builder().header("answered", "yes").body(Body::empty()).unwrap())
        }
    })
}

#[tokio::test]
async fn a_connection_beyond_the_cap_is_refused_until_another_ends() {
    let server = health_server(Limits { max_connections: 1, ..limits() }).await;
    let first = server.client().await;
    check(first.clone()).await.unwrap();
    assert_eq!(until_hung_up(server.addr).await, b"");
    check(first.clone()).await.expect("the first is untouched");
    drop(first);
    let addr = format!("http://{}", server.addr);
    loop {
        let lazy = Endpoint::from_shared(addr.clone()).unwrap().connect_lazy();
        if check(lazy).await.is_ok() {
            break;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_watch_ends_with_draining_at_the_shutdown() {
    let server = health_server(limits()).await;
    let mut client = HealthClient::new(server.client().await);
    let mut watch = client.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    watch.message().await.unwrap().expect("a watch begins with the status");
    server.shutdown.cancel();
    let end = watch.message().await.unwrap_err();
    assert_eq!(end.code(), Code::Unavailable);
    assert_eq!(end.metadata().get("gatepass-reason").unwrap(), "DRAINING");
    assert_eq!(server.ends().await, 0);
}

/// A stream that ends with its connection gets a status and is not cut.
#[tokio::test]
async fn a_watch_ends_with_draining_at_the_age_of_its_connection() {
    let limits = Limits { connection_age: Duration::from_millis(100), age_grace: NEVER, ..limits() };
    let server = health_server(limits).await;
    let channel = server.client().await;
    let mut client = HealthClient::new(channel.clone());
    let mut watch = client.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    watch.message().await.unwrap().expect("a watch begins with the status");
    let end = watch.message().await.unwrap_err();
    assert_eq!(end.code(), Code::Unavailable);
    assert_eq!(end.metadata().get("gatepass-reason").unwrap(), "DRAINING");
    let details = end.get_error_details();
    assert!(details.retry_info().is_some());
    // The server continues: the client opens a new connection.
    check(channel).await.unwrap();
}

#[tokio::test]
async fn a_reflection_stream_ends_with_draining_at_the_age_of_its_connection() {
    let services = reflection::services(&[&health::SPEC]).unwrap();
    let limits = Limits { connection_age: Duration::from_millis(100), age_grace: NEVER, ..limits() };
    let server = Server::start(limits, Front::new(specs(), services.into())).await;
    let mut client = ServerReflectionClient::new(server.client().await);
    let mut answers = client.server_reflection_info(stream::pending()).await.unwrap().into_inner();
    let end = answers.message().await.unwrap_err();
    assert_eq!(end.code(), Code::Unavailable);
    assert_eq!(end.metadata().get("gatepass-reason").unwrap(), "DRAINING");
}

#[tokio::test]
async fn reflection_lists_the_services_and_does_not_hold_the_drain() {
    let services = reflection::services(&[&health::SPEC]).unwrap();
    let server = Server::start(limits(), Front::new(specs(), services.into())).await;
    let list = ServerReflectionRequest {
        message_request: Some(MessageRequest::ListServices(String::new())),
        ..ServerReflectionRequest::default()
    };
    let requests = stream::iter([list]).chain(stream::pending());
    let mut client = ServerReflectionClient::new(server.client().await);
    let mut answers = client.server_reflection_info(requests).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(list)) = answer else { panic!("{answer:?}") };
    let names: Vec<_> = list.service.iter().map(|service| service.name.as_str()).collect();
    assert!(names.contains(&"grpc.health.v1.Health"), "{names:?}");
    server.shutdown.cancel();
    assert_eq!(answers.message().await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(server.ends().await, 0);
}

#[tokio::test]
async fn a_panic_answers_internal_and_the_connection_lives_on() {
    let service = service_fn(async |request: Request| {
        tokio::task::yield_now().await;
        assert!(!request.uri().path().ends_with("/Panic"), "this panic belongs to the test");
        Ok(http::Response::default())
    });
    // With a limit of one connection, a client that had to reconnect would be rejected.
    let server = Server::start(Limits { max_connections: 1, ..limits() }, service).await;
    let channel = server.client().await;
    let panicked = call(channel.clone(), "/a.B/Panic").await;
    assert_eq!(panicked.headers()["grpc-status"], "13");
    assert_eq!(panicked.headers()["gatepass-reason"], "INTERNAL");
    assert!(!panicked.headers()["grpc-message"].to_str().unwrap().contains("test"));
    assert!(!call(channel, "/a.B/Fine").await.headers().contains_key("grpc-status"));
}
