//! A real callback service on its own port. A test sets its answers and reads the calls that it received.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatepass::grpc::proto::callback::v1::callback_service_server::{CallbackService, CallbackServiceServer};
use gatepass::grpc::proto::callback::v1::{
    Allow, Deny, JwtRequest, JwtResponse, Redirect, RedirectRequest, RedirectResponse, SessionRequest,
    SessionResponse, SignInRequest, SignInResponse, jwt_response, sign_in_response,
};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use prost_types::Struct;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_util::task::AbortOnDropHandle;
use tonic::body::Body;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Response, Status, async_trait};
use tower::{Service, ServiceExt as _};

/// The reaction of a method to a call.
pub enum Reply<A> {
    Answer(A),
    Fail(Code),
    /// Never answers.
    Hang,
    /// Answers after this delay.
    After(Duration, A),
    /// Answers once notified.
    When(Arc<Notify>, A),
}

/// A received call.
#[derive(Clone)]
pub struct Seen<M> {
    pub metadata: MetadataMap,
    pub message: M,
}

/// Chooses the reaction to each call.
type Script<M, A> = dyn Fn(&M) -> Reply<A> + Send + Sync;

/// One method: its reaction, and the calls that it received.
pub struct Method<M, A> {
    reply: Mutex<Arc<Script<M, A>>>,
    seen: Mutex<Vec<Seen<M>>>,
    arrived: Notify,
}

impl<M: Clone, A> Method<M, A> {
    fn new(reply: impl Fn(&M) -> A + Send + Sync + 'static) -> Self {
        let reply = move |message: &M| Reply::Answer(reply(message));
        Self { reply: Mutex::new(Arc::new(reply)), seen: Mutex::default(), arrived: Notify::new() }
    }

    /// Sets the reaction to later calls.
    pub fn does(&self, reply: impl Fn(&M) -> Reply<A> + Send + Sync + 'static) {
        *self.reply.lock().unwrap() = Arc::new(reply);
    }

    /// Sets the answer to later calls.
    pub fn answers(&self, answer: impl Fn(&M) -> A + Send + Sync + 'static) {
        self.does(move |message| Reply::Answer(answer(message)));
    }

    /// Leaves later calls without an answer.
    pub fn hangs(&self) {
        self.does(|_| Reply::Hang);
    }

    /// Returns the calls so far.
    pub fn seen(&self) -> Vec<Seen<M>> {
        self.seen.lock().unwrap().clone()
    }

    /// Counts the calls so far.
    pub fn calls(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// Returns the last call.
    pub fn last(&self) -> Seen<M> {
        self.seen().pop().expect("it was called")
    }

    /// Waits for this number of calls.
    pub async fn until_calls(&self, count: usize) {
        loop {
            let arrived = self.arrived.notified();
            if self.calls() >= count {
                return;
            }
            arrived.await;
        }
    }

    async fn serve(&self, request: Request<M>) -> Result<Response<A>, Status> {
        let (metadata, _, message) = request.into_parts();
        let reply = Arc::clone(&*self.reply.lock().unwrap());
        let reply = reply(&message);
        self.seen.lock().unwrap().push(Seen { metadata, message });
        self.arrived.notify_waiters();
        match reply {
            Reply::Answer(answer) => Ok(Response::new(answer)),
            Reply::Fail(code) => Err(Status::new(code, "for ada@example.com, says the service")),
            Reply::Hang => std::future::pending().await,
            Reply::After(delay, answer) => {
                tokio::time::sleep(delay).await;
                Ok(Response::new(answer))
            }
            Reply::When(told, answer) => {
                told.notified().await;
                Ok(Response::new(answer))
            }
        }
    }
}

/// All four methods. Initially everybody may sign in, and no claims are added.
pub struct Rules {
    pub sign_in: Method<SignInRequest, SignInResponse>,
    pub jwt: Method<JwtRequest, JwtResponse>,
    pub session: Method<SessionRequest, SessionResponse>,
    pub redirect: Method<RedirectRequest, RedirectResponse>,
}

impl Rules {
    /// Counts the calls of all four methods.
    pub fn calls(&self) -> usize {
        self.sign_in.calls() + self.jwt.calls() + self.session.calls() + self.redirect.calls()
    }

    /// Restores the initial answers: everybody may sign in, and no claims are added.
    pub fn are_well(&self) {
        self.sign_in.answers(|_| allow());
        self.jwt.answers(|_| claims(&serde_json::json!({})));
        self.session.answers(|_| shows(&serde_json::json!({})));
        self.redirect.answers(|asked| RedirectResponse { url: asked.url.clone() });
    }
}

#[derive(Clone)]
struct Served(Arc<Rules>);

#[async_trait]
impl CallbackService for Served {
    async fn sign_in(&self, request: Request<SignInRequest>) -> Result<Response<SignInResponse>, Status> {
        self.0.sign_in.serve(request).await
    }

    async fn jwt(&self, request: Request<JwtRequest>) -> Result<Response<JwtResponse>, Status> {
        self.0.jwt.serve(request).await
    }

    async fn session(&self, request: Request<SessionRequest>) -> Result<Response<SessionResponse>, Status> {
        self.0.session.serve(request).await
    }

    async fn redirect(
        &self,
        request: Request<RedirectRequest>,
    ) -> Result<Response<RedirectResponse>, Status> {
        self.0.redirect.serve(request).await
    }
}

/// A running callback service.
pub struct CallbackServer {
    pub addr: SocketAddr,
    pub rules: Arc<Rules>,
    connections: Arc<AtomicUsize>,
    serving: AbortOnDropHandle<()>,
    tls: Option<Arc<ServerConfig>>,
}

impl CallbackServer {
    /// Starts a service without TLS.
    pub async fn start() -> Self {
        Self::start_with(None).await
    }

    /// Starts a service; with a TLS configuration it speaks TLS only.
    pub async fn start_with(tls: Option<Arc<ServerConfig>>) -> Self {
        let rules = Arc::new(Rules {
            sign_in: Method::new(|_| allow()),
            jwt: Method::new(|_| claims(&serde_json::json!({}))),
            session: Method::new(|_| SessionResponse { claims: None }),
            redirect: Method::new(|asked: &RedirectRequest| RedirectResponse { url: asked.url.clone() }),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let connections = Arc::default();
        let serving = serve(listener, &rules, &connections, tls.clone());
        Self { addr, rules, connections, serving, tls }
    }

    /// Stops the service and closes every connection to it.
    pub async fn stop(&mut self) {
        self.serving.abort();
        while !self.serving.is_finished() {
            tokio::task::yield_now().await;
        }
    }

    /// Starts the service again at the same address.
    pub async fn start_again(&mut self) {
        let listener = TcpListener::bind(self.addr).await.unwrap();
        self.serving = serve(listener, &self.rules, &self.connections, self.tls.clone());
    }

    /// Counts the connections so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Builds a `callbacks` section that uses this service for all four callbacks, with more settings.
    pub fn section(&self, more: &str) -> String {
        section_at(self.addr, more)
    }
}

/// Builds a `callbacks` section that uses the service at this address for all four callbacks, with more settings.
pub fn section_at(addr: SocketAddr, more: &str) -> String {
    let more = if more.is_empty() { String::new() } else { format!(", {more}") };
    let callbacks =
        if more.contains(" callbacks:") { "" } else { ", callbacks: [sign_in, jwt, session, redirect]" };
    format!("callbacks: {{remote: {{url: 'http://{addr}'{callbacks}{more}}}}}")
}

fn serve(
    listener: TcpListener,
    rules: &Arc<Rules>,
    connections: &Arc<AtomicUsize>,
    tls: Option<Arc<ServerConfig>>,
) -> AbortOnDropHandle<()> {
    let service = CallbackServiceServer::new(Served(Arc::clone(rules)));
    serve_any(listener, service, Arc::clone(connections), tls)
}

/// Serves a service over HTTP/2.
pub fn serve_any<S>(
    listener: TcpListener,
    service: S,
    connections: Arc<AtomicUsize>,
    tls: Option<Arc<ServerConfig>>,
) -> AbortOnDropHandle<()>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    let serving = async move {
        let mut open = JoinSet::new();
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            connections.fetch_add(1, Ordering::SeqCst);
            tcp.set_nodelay(true).unwrap();
            open.spawn(connection(tcp, service.clone(), tls.clone()));
        }
    };
    AbortOnDropHandle::new(tokio::spawn(serving))
}

async fn connection<S>(tcp: TcpStream, service: S, tls: Option<Arc<ServerConfig>>)
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    // The client's side of the test checks how the connection ends.
    let stream: Box<dyn Stream> = match tls {
        None => Box::new(tcp),
        Some(config) => match TlsAcceptor::from(config).accept(tcp).await {
            Ok(stream) => Box::new(stream),
            Err(_) => return,
        },
    };
    let service = service.map_request(|request: http::Request<Incoming>| request.map(Body::new));
    let service = TowerToHyperService::new(service);
    let http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The answer that allows a sign-in.
pub fn allow() -> SignInResponse {
    SignInResponse { outcome: Some(sign_in_response::Outcome::Allow(Allow {})) }
}

/// The answer that denies a sign-in.
pub fn deny(reason: &str) -> SignInResponse {
    SignInResponse { outcome: Some(sign_in_response::Outcome::Deny(Deny { reason: reason.to_owned() })) }
}

/// The answer that redirects a sign-in.
pub fn redirect(url: &str) -> SignInResponse {
    SignInResponse { outcome: Some(sign_in_response::Outcome::Redirect(Redirect { url: url.to_owned() })) }
}

/// The answer that adds these claims to the token.
pub fn claims(claims: &Value) -> JwtResponse {
    JwtResponse { outcome: Some(jwt_response::Outcome::Claims(to_struct(claims))) }
}

/// The answer that denies the token.
pub fn no_token(reason: &str) -> JwtResponse {
    JwtResponse { outcome: Some(jwt_response::Outcome::Deny(Deny { reason: reason.to_owned() })) }
}

/// The answer that adds these claims to the session.
pub fn shows(claims: &Value) -> SessionResponse {
    SessionResponse { claims: Some(to_struct(claims)) }
}

/// Converts a JSON object to a Struct.
pub fn to_struct(json: &Value) -> Struct {
    let fields = json.as_object().expect("an object");
    Struct { fields: fields.iter().map(|(name, value)| (name.clone(), to_value(value))).collect() }
}

fn to_value(json: &Value) -> prost_types::Value {
    use prost_types::value::Kind;
    let kind = match json {
        Value::Null => Kind::NullValue(0),
        Value::Bool(value) => Kind::BoolValue(*value),
        Value::Number(value) => Kind::NumberValue(value.as_f64().unwrap()),
        Value::String(value) => Kind::StringValue(value.clone()),
        Value::Array(items) => {
            Kind::ListValue(prost_types::ListValue { values: items.iter().map(to_value).collect() })
        }
        Value::Object(_) => Kind::StructValue(to_struct(json)),
    };
    prost_types::Value { kind: Some(kind) }
}

/// Converts a Struct to JSON.
pub fn to_json(message: &Struct) -> Value {
    message
        .fields
        .iter()
        .map(|(name, value)| (name.clone(), from_value(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn from_value(value: &prost_types::Value) -> Value {
    use prost_types::value::Kind;
    match value.kind.as_ref().unwrap() {
        Kind::NullValue(_) => Value::Null,
        Kind::BoolValue(value) => (*value).into(),
        Kind::NumberValue(value) => (*value).into(),
        Kind::StringValue(value) => value.clone().into(),
        Kind::ListValue(list) => list.values.iter().map(from_value).collect(),
        Kind::StructValue(inner) => to_json(inner),
    }
}
