//! The general behaviour of a gRPC server, over the whole app: deadlines, sizes, unknown methods, reflection, health,
//! draining and request ids.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use gatepass::app::App;
use gatepass::auth::{
    Callback, CallbackResult, CallbackSet, Callbacks, JwtDecision, JwtInput, SessionInput, SignInDecision,
    SignInInput,
};
use gatepass::config;
use gatepass::grpc::proto::v1::{
    GetSessionRequest, GetUserRequest, IssueTokenRequest, RefreshTokenRequest, RefreshTokenResponse,
    Rotation, get_session_request,
};
use gatepass::model::ClaimMap;
use http::HeaderMap;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

use super::frame;
use crate::support::metrics::get;
use crate::support::{TestApp, allowed, app, builder, eventually, profile, reason, refusal};

/// The current behaviour of the callbacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Fine,
    Silent,
    Panicking,
    Waiting,
}

/// Callbacks whose behaviour a test sets.
#[derive(Clone)]
struct Moody {
    mood: Arc<Mutex<Mood>>,
    entered: Arc<Semaphore>,
    release: Arc<Semaphore>,
    /// Each waiting call holds a clone.
    inside: Arc<()>,
}

impl Moody {
    fn new() -> Self {
        let none = || Arc::new(Semaphore::new(0));
        let mood = Arc::new(Mutex::new(Mood::Fine));
        Self { mood, entered: none(), release: none(), inside: Arc::default() }
    }

    fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    async fn act(&self) {
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Fine => {}
            Mood::Silent => std::future::pending().await,
            Mood::Panicking => panic!("this panic belongs to the test"),
            Mood::Waiting => {
                let _inside = Arc::clone(&self.inside);
                self.entered.add_permits(1);
                self.release.acquire().await.unwrap().forget();
            }
        }
    }
}

impl Callbacks for Moody {
    fn implemented(&self) -> CallbackSet {
        [Callback::SignIn, Callback::Jwt, Callback::Session].into()
    }

    async fn sign_in(&self, _: &SignInInput<'_>) -> CallbackResult<SignInDecision> {
        self.act().await;
        Ok(SignInDecision::Allow)
    }

    async fn jwt(&self, _: &JwtInput<'_>) -> CallbackResult<JwtDecision> {
        self.act().await;
        Ok(JwtDecision::Claims(ClaimMap::new()))
    }

    async fn session(&self, _: &SessionInput<'_>) -> CallbackResult<ClaimMap> {
        self.act().await;
        Ok(ClaimMap::new())
    }
}

async fn moody() -> (TestApp, Moody) {
    let moody = Moody::new();
    (builder().callbacks(moody.clone()).start().await, moody)
}

/// A response as it is sent, without the tonic client, whose own timer would answer for the server.
struct Raw {
    /// The headers and trailers.
    told: HeaderMap,
    body: Bytes,
}

impl Raw {
    async fn call(addr: SocketAddr, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Self {
        let io = TokioIo::new(TcpStream::connect(addr).await.unwrap());
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        let mut request = http::Request::post(format!("http://{addr}{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        let response = sender.send_request(request).await.unwrap();
        let (parts, body) = response.into_parts();
        assert_eq!(parts.status, 200);
        let body = body.collect().await.unwrap();
        let mut told = parts.headers;
        told.extend(body.trailers().cloned().unwrap_or_default());
        Self { told, body: body.to_bytes() }
    }

    /// Makes a call of `AuthService`.
    async fn auth(app: &TestApp, method: &str, message: &impl Message, timeout: &str) -> Self {
        let path = format!("/gatepass.v1.AuthService/{method}");
        let timeout = [("grpc-timeout", timeout)];
        Self::call(app.grpc_addr, &path, &timeout, frame(&message.encode_to_vec())).await
    }

    /// Returns the code and the reason.
    fn status(&self) -> (Code, String) {
        let status = Status::from_header_map(&self.told).unwrap();
        if status.code() == Code::Ok { (Code::Ok, String::new()) } else { refusal(Err::<(), _>(status)) }
    }
}

fn late() -> (Code, String) {
    (Code::DeadlineExceeded, "DEADLINE_EXCEEDED".to_owned())
}

fn internal() -> (Code, String) {
    (Code::Internal, "INTERNAL".to_owned())
}

fn refresh(token: &str) -> RefreshTokenRequest {
    RefreshTokenRequest { refresh_token: token.to_owned(), ..Default::default() }
}

fn access(token: &str) -> GetSessionRequest {
    let credential = Some(get_session_request::Credential::AccessToken(token.to_owned()));
    GetSessionRequest { credential, ..Default::default() }
}

#[tokio::test]
async fn a_deadline_that_passes_is_told_and_spends_nothing() {
    let (app, moody) = moody().await;
    moody.set(Mood::Silent);
    assert_eq!(Raw::auth(&app, "SignIn", &profile("ada"), "50m").await.status(), late());
    let row = ["SIGN_IN_DENIED FAILED CALLBACK_UNAVAILABLE"];
    eventually("the sign-in is told of", || async { app.log().await == row }).await;
    assert_eq!(app.query("SELECT name FROM users").await, [] as [Vec<String>; 0]);

    moody.set(Mood::Fine);
    let signed = app.sign_in("ada").await;
    assert!(signed.is_new_user);
    let issue = IssueTokenRequest { grant: signed.grant.unwrap(), ..Default::default() };
    moody.set(Mood::Silent);
    assert_eq!(Raw::auth(&app, "IssueToken", &issue, "50m").await.status(), late());

    moody.set(Mood::Fine);
    let tokens = app.issue(&issue.grant).await.unwrap();
    moody.set(Mood::Silent);
    let request = refresh(&tokens.refresh_token);
    assert_eq!(Raw::auth(&app, "RefreshToken", &request, "50m").await.status(), late());
    assert_eq!(Raw::auth(&app, "GetSession", &access(&tokens.access_token), "50m").await.status(), late());

    moody.set(Mood::Fine);
    let refreshed = app.refresh_token(request).await.unwrap();
    assert_eq!(refreshed.rotation(), Rotation::Rotated);
}

#[tokio::test]
async fn a_server_that_was_told_a_shorter_time_does_not_wait_for_the_clients() {
    let moody = Moody::new();
    let builder = builder().server("request_timeout: 100ms").callbacks(moody.clone());
    let app = builder.start().await;
    let grant = app.sign_in("ada").await.grant.unwrap();
    moody.set(Mood::Silent);
    assert_eq!(refusal(app.issue(&grant).await), late());
    assert_eq!(refusal(app.try_sign_in(profile("eve")).await), late());
    let issue = IssueTokenRequest { grant: grant.clone(), ..Default::default() };
    assert_eq!(Raw::auth(&app, "IssueToken", &issue, "1H").await.status(), late());
    moody.set(Mood::Fine);
    app.issue(&grant).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_in_the_middle_of_a_write_leaves_what_a_retry_finds() {
    let app = app().await;
    let mut tokens = app.tokens("ada").await.refresh_token;
    for micros in (0..6000).step_by(150) {
        // No retry window limits the rotations.
        app.clock.advance(Duration::from_secs(10));
        let request = refresh(&tokens);
        let hurried = Raw::auth(&app, "RefreshToken", &request, &format!("{micros}u")).await;
        let told = hurried.status();
        assert!(told == late() || told.0 == Code::Ok, "{told:?}");
        let retried = app.refresh_token(request).await.unwrap();
        if told.0 == Code::Ok {
            let first = RefreshTokenResponse::decode(&hurried.body[5..]).unwrap();
            assert_eq!(
                (retried.rotation(), &retried.refresh_token),
                (Rotation::Replayed, &first.refresh_token)
            );
        }
        tokens = retried.refresh_token;
    }
}

#[tokio::test]
async fn a_malformed_timeout_is_a_bad_request() {
    let app = app().await;
    let answer = Raw::auth(&app, "SignIn", &profile("ada"), "soon").await;
    assert_eq!(answer.status(), (Code::InvalidArgument, "INVALID_REQUEST".to_owned()));
}

#[tokio::test]
async fn a_panic_in_a_callback_is_internal_and_ends_nothing_else() {
    let (app, moody) = moody().await;
    let grant = app.sign_in("ada").await.grant.unwrap();
    let tokens = app.tokens("eve").await;
    let watch = HealthClient::new(app.channel.clone()).watch(HealthCheckRequest::default()).await;
    let mut watch = watch.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);

    moody.set(Mood::Panicking);
    let mut auth = app.auth.clone();
    assert_eq!(refusal(auth.sign_in(profile("bob")).await), internal());
    assert_eq!(refusal(app.issue(&grant).await), internal());
    assert_eq!(refusal(auth.refresh_token(refresh(&tokens.refresh_token)).await), internal());
    let status = auth.get_session(access(&tokens.access_token)).await.unwrap_err();
    assert!(!status.message().contains("belongs to the test"), "{status:?}");
    assert_eq!(refusal(Err::<(), _>(status)), internal());

    moody.set(Mood::Fine);
    app.issue(&grant).await.unwrap();
    auth.get_session(access(&tokens.access_token)).await.unwrap();
    let refreshed = auth.refresh_token(refresh(&tokens.refresh_token)).await.unwrap().into_inner();
    assert_eq!(refreshed.rotation(), Rotation::Rotated);
    app.stop().await;
    assert_eq!(reason(watch.message().await), "DRAINING", "the stream lived through the panics");
}

#[tokio::test]
async fn a_message_too_large_is_refused_by_its_size() {
    let app = builder().server("max_message_bytes: 1024").start().await;
    let mut large = profile("ada");
    large.redirect_to = "x".repeat(1024);
    let status = app.try_sign_in(large).await.unwrap_err();
    assert!(status.get_error_details().retry_info().is_none(), "no retry mends it");
    let wanted = (Code::ResourceExhausted, "MESSAGE_TOO_LARGE".to_owned());
    assert_eq!(refusal(Err::<(), _>(status)), wanted);
    // For every caller, the server rejects an announced large message without waiting for it or reserving memory.
    let boast = [&[0][..], &1025u32.to_be_bytes()].concat();
    for path in
        ["/gatepass.v1.AuthService/SignIn", "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"]
    {
        let answer = Raw::call(app.grpc_addr, path, &[], boast.clone()).await;
        assert_eq!(answer.status(), wanted, "{path}");
    }
    let answer = Raw::call(app.admin_addr, "/grpc.health.v1.Health/Check", &[], boast).await;
    assert_eq!(answer.status(), wanted, "probes");
    app.sign_in("ada").await;
}

#[tokio::test]
async fn a_message_that_is_no_protobuf_is_a_bad_request() {
    let app = app().await;
    for (method, body) in [
        ("AuthService/SignIn", frame(&[0xff; 8])),
        ("AuthService/IssueToken", frame(&[0x0a, 0x7f])),
        ("AuthService/IssueToken", frame(&[0x0a, 0x01, 0xff])),
        ("AuthService/RefreshToken", vec![0, 0, 0, 0, 9, 1]),
        ("AuthService/GetSession", vec![9; 6]),
        ("AdminService/GetUser", Vec::new()),
    ] {
        let answer = Raw::call(app.grpc_addr, &format!("/gatepass.v1.{method}"), &[], body).await;
        assert_eq!(answer.status(), (Code::InvalidArgument, "INVALID_REQUEST".to_owned()), "{method}");
    }
}

#[tokio::test]
async fn what_is_not_served_is_unimplemented() {
    let app = app().await;
    for path in [
        "/gatepass.v1.AuthService/Nonsense",
        "/gatepass.v1.AdminService/Nonsense",
        "/gatepass.v1.NonsenseService/SignIn",
        "/gatepass.v1.AuthService",
        "/gatepass.callback.v1.CallbackService/SignIn",
        "/envoy.service.auth.v3.Authorization/Check",
        "/grpc.health.v1.Health/List",
        "/nonsense",
        "/",
    ] {
        let answer = Raw::call(app.grpc_addr, path, &[], frame(&[])).await;
        assert_eq!(answer.status(), (Code::Unimplemented, "NOT_IMPLEMENTED".to_owned()), "{path}");
    }
}

macro_rules! reflected {
    ($version:ident, $channel:expr) => {{
        use pb::server_reflection_request::MessageRequest;
        use pb::server_reflection_response::MessageResponse;
        use tonic_reflection::pb::$version as pb;
        let message_request = Some(MessageRequest::ListServices(String::new()));
        let list = pb::ServerReflectionRequest { message_request, ..Default::default() };
        let mut client = pb::server_reflection_client::ServerReflectionClient::new($channel);
        match client.server_reflection_info(stream::iter([list]).chain(stream::pending())).await {
            Err(status) => Err(status),
            Ok(answers) => match answers.into_inner().message().await.unwrap().unwrap().message_response {
                Some(MessageResponse::ListServicesResponse(list)) => {
                    let mut names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
                    names.sort();
                    Ok(names)
                }
                other => panic!("{other:?}"),
            },
        }
    }};
}

#[tokio::test]
async fn both_reflections_list_exactly_what_is_served() {
    let app = app().await;
    let wanted = [
        "gatepass.v1.AdminService",
        "gatepass.v1.AuthService",
        "gatepass.v1.RevocationService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    ];
    assert_eq!(reflected!(v1, app.channel.clone()).unwrap(), wanted);
    assert_eq!(reflected!(v1alpha, app.channel.clone()).unwrap(), wanted);
}

#[tokio::test]
async fn reflection_describes_what_it_lists() {
    use tonic_reflection::pb::v1 as pb;
    let app = app().await;
    let ask = |symbol: &str| pb::ServerReflectionRequest {
        message_request: Some(pb::server_reflection_request::MessageRequest::FileContainingSymbol(
            symbol.to_owned(),
        )),
        ..Default::default()
    };
    let names = [
        "gatepass.v1.AuthService",
        "gatepass.v1.AdminService.GetUser",
        "gatepass.v1.ErrorReason",
        "google.protobuf.Struct",
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    ];
    let mut client = pb::server_reflection_client::ServerReflectionClient::new(app.channel.clone());
    let asked = stream::iter(names.map(ask)).chain(stream::pending());
    let mut answers = client.server_reflection_info(asked).await.unwrap().into_inner();
    for name in names {
        let answer = answers.message().await.unwrap().unwrap().message_response;
        let described = matches!(
            answer,
            Some(pb::server_reflection_response::MessageResponse::FileDescriptorResponse(_))
        );
        assert!(described, "{name}: {answer:?}");
    }
}

#[tokio::test]
async fn reflection_reads_no_message_that_is_larger_than_a_name() {
    use tonic_reflection::pb::v1 as pb;
    let app = app().await;
    for version in ["v1", "v1alpha"] {
        for (bytes, answers) in [(1000, true), (1025, false)] {
            let message_request =
                Some(pb::server_reflection_request::MessageRequest::ListServices(String::new()));
            let request = pb::ServerReflectionRequest { host: "x".repeat(bytes), message_request };
            let path = format!("/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo");
            let answer = Raw::call(app.grpc_addr, &path, &[], frame(&request.encode_to_vec())).await;
            assert_eq!(!answer.body.is_empty(), answers, "{version} {bytes}");
        }
    }
}

#[tokio::test]
async fn a_reflection_that_is_off_is_unimplemented() {
    let app = builder().server("reflection: false").start().await;
    let wanted = (Code::Unimplemented, "NOT_IMPLEMENTED".to_owned());
    assert_eq!(refusal(reflected!(v1, app.channel.clone())), wanted);
    assert_eq!(refusal(reflected!(v1alpha, app.channel.clone())), wanted);
}

async fn channel(addr: SocketAddr) -> Channel {
    Endpoint::from_shared(format!("http://{addr}")).unwrap().connect().await.unwrap()
}

async fn health(addr: SocketAddr, service: &str) -> Result<ServingStatus, Status> {
    let request = HealthCheckRequest { service: service.to_owned() };
    Ok(HealthClient::new(channel(addr).await).check(request).await?.into_inner().status())
}

/// Returns the status code of a request to the admin port.
async fn probe(addr: SocketAddr, path: &str) -> u16 {
    get(addr, path).await.0.split(' ').nth(1).unwrap().parse().unwrap()
}

const SERVICES: [&str; 4] =
    ["", "gatepass.v1.AuthService", "gatepass.v1.AdminService", "gatepass.v1.RevocationService"];

#[tokio::test]
async fn health_tells_the_whole_way_from_start_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gatepass.yaml");
    let yaml = format!(
        "server: {{grpc_addr: '127.0.0.1:0', http_addr: '127.0.0.1:0', admin_addr: '127.0.0.1:0'}}\n\
         database: {{url: 'sqlite://{}/data/gatepass.db?mode=rwc'}}\n\
         secrets: ['the first secret of a test, long enough']\n",
        folder.path().display()
    );
    std::fs::write(&file, yaml).unwrap();
    let bound = App::new(config::load(Some(&file), []).unwrap()).bind().await.unwrap();
    let [grpc, admin] = [bound.grpc_addr(), bound.admin_addr()].map(Option::unwrap);
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(bound.run(shutdown.clone()));

    for addr in [grpc, admin] {
        for service in SERVICES {
            assert_eq!(health(addr, service).await.unwrap(), ServingStatus::NotServing, "{service}");
        }
        assert_eq!(health(addr, "liveness").await.unwrap(), ServingStatus::Serving);
        assert_eq!(health(addr, "nonsense").await.unwrap_err().code(), Code::NotFound);
    }
    assert_eq!((probe(admin, "/livez").await, probe(admin, "/readyz").await), (200, 503));
    let mut client = HealthClient::new(channel(grpc).await);
    let mut watch = client.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    let mut told = vec![watch.message().await.unwrap().unwrap().status()];

    std::fs::create_dir(folder.path().join("data")).unwrap();
    told.push(watch.message().await.unwrap().unwrap().status());
    for addr in [grpc, admin] {
        for service in SERVICES.into_iter().chain(["liveness"]) {
            assert_eq!(health(addr, service).await.unwrap(), ServingStatus::Serving, "{service}");
        }
    }
    assert_eq!((probe(admin, "/livez").await, probe(admin, "/readyz").await), (200, 200));

    shutdown.cancel();
    let end = loop {
        match watch.message().await {
            Ok(status) => told.push(status.expect("a watch ends with a status").status()),
            Err(end) => break end,
        }
    };
    assert_eq!(told[..2], [ServingStatus::NotServing, ServingStatus::Serving]);
    assert!(told[2..].iter().all(|status| *status == ServingStatus::NotServing), "{told:?}");
    assert_eq!(refusal(Err::<(), _>(end)), (Code::Unavailable, "DRAINING".to_owned()));
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_call_in_flight_completes_while_the_server_drains() {
    let (app, moody) = moody().await;
    let grant = app.sign_in("ada").await.grant.unwrap();
    let (mut auth, grpc) = (app.auth.clone(), app.grpc_addr);
    moody.set(Mood::Waiting);
    let calling = tokio::spawn(async move {
        let request = IssueTokenRequest { grant, ..Default::default() };
        let tokens = auth.issue_token(request).await?.into_inner();
        Ok::<_, Status>(tokens.refresh_token)
    });
    moody.entered.acquire().await.unwrap().forget();
    // The next callback, `session`, does not wait any more.
    moody.set(Mood::Fine);
    let stopping = tokio::spawn(app.stop());
    while TcpStream::connect(grpc).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!calling.is_finished() && !stopping.is_finished());
    moody.release.add_permits(1);
    calling.await.unwrap().expect("the call in flight completes");
    stopping.await.unwrap();
}

#[tokio::test]
async fn probes_are_answered_to_the_end_of_the_drain() {
    let (app, moody) = moody().await;
    let (mut auth, grpc, admin) = (app.auth.clone(), app.grpc_addr, app.admin_addr);
    moody.set(Mood::Waiting);
    let calling = tokio::spawn(async move { auth.sign_in(profile("ada")).await.map(drop) });
    moody.entered.acquire().await.unwrap().forget();
    let stopping = tokio::spawn(app.stop());
    while TcpStream::connect(grpc).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let probed =
        tokio::spawn(async move { (probe(admin, "/livez").await, probe(admin, "/readyz").await) }).await;
    moody.release.add_permits(1);
    calling.await.unwrap().unwrap();
    stopping.await.unwrap();
    assert_eq!(probed.expect("the admin port answers"), (200, 503));
}

fn with_id<T>(message: T, id: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("x-request-id", id.parse().unwrap());
    request
}

#[tokio::test]
async fn a_request_id_is_echoed_and_logged() {
    let app = app().await;
    let mut auth = app.auth.clone();
    let logged = async || {
        let sql = "SELECT request_id FROM auth_logs ORDER BY rowid";
        app.query(sql).await.into_iter().flatten().collect::<Vec<_>>()
    };
    let longest = "r".repeat(128);
    for id in ["my-request-1", longest.as_str()] {
        let answer = auth.sign_in(with_id(profile("ada"), id)).await.unwrap();
        assert_eq!(answer.metadata().get("x-request-id").unwrap(), id);
        allowed(Ok(answer));
    }
    assert_eq!(logged().await, ["my-request-1", longest.as_str()]);
    let status =
        app.admin.clone().get_user(with_id(GetUserRequest::default(), "of-an-error")).await.unwrap_err();
    assert_eq!(status.metadata().get("x-request-id").unwrap(), "of-an-error");

    for unfit in ["", "two words", &"r".repeat(129)] {
        let answer = auth.sign_in(with_id(profile("ada"), unfit)).await.unwrap();
        let ours = answer.metadata().get("x-request-id").unwrap().to_str().unwrap().to_owned();
        assert_eq!((ours.len(), ours.as_bytes()[14]), (36, b'7'), "a UUIDv7: {ours}");
        assert!(logged().await.contains(&ours));
    }
    let [one, other] = [auth.sign_in(profile("ada")).await, auth.sign_in(profile("ada")).await]
        .map(|answer| answer.unwrap().metadata().get("x-request-id").unwrap().clone());
    assert_ne!(one, other);
}

#[tokio::test]
async fn a_client_that_goes_away_takes_its_call_with_it() {
    let (app, moody) = moody().await;
    let nobody_inside = Arc::strong_count(&moody.inside);
    moody.set(Mood::Waiting);
    let mut auth = app.auth.clone();
    let calling = tokio::spawn(async move { auth.sign_in(profile("ada")).await.map(drop) });
    moody.entered.acquire().await.unwrap().forget();
    calling.abort();
    assert!(calling.await.unwrap_err().is_cancelled());
    while Arc::strong_count(&moody.inside) > nobody_inside {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    moody.release.add_permits(1);
    moody.set(Mood::Fine);
    app.sign_in("eve").await;
    let names: Vec<_> = app.query("SELECT name FROM users").await.into_iter().flatten().collect();
    assert_eq!(names, ["eve"]);
}
