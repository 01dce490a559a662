//! Connections, and the faults on them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use socket2::Socket;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;

use super::super::tls::Identity;
use super::endpoints::{self, Reply};
use super::{Endpoint, Fault, Seen, Shared};

type Body = BoxBody<Bytes, io::Error>;

/// Builds an acceptor for TLS handshakes with this certificate.
pub fn acceptor(identity: &Identity) -> TlsAcceptor {
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![identity.der()], identity.key_der())
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Serves until it is dropped, together with all connections.
pub async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let (tcp, _) = listener.accept().await.unwrap();
        let (tls, shared) = (tls.clone(), Arc::clone(&shared));
        connections.spawn(async move {
            let socket = Arc::new(socket_of(&tcp));
            match tls {
                None => connection(tcp, socket, shared).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(tcp).await {
                        connection(stream, socket, shared).await;
                    }
                }
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

/// Borrows the socket of a connection, to set how it closes.
fn socket_of(tcp: &TcpStream) -> Socket {
    use std::os::fd::AsFd as _;
    Socket::from(tcp.as_fd().try_clone_to_owned().unwrap())
}

async fn connection<S>(stream: S, socket: Arc<Socket>, shared: Arc<Shared>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| respond(request, Arc::clone(&socket), Arc::clone(&shared)));
    // The connection ends with an error if the client goes away, or if the fault is a broken connection.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn respond(
    request: Request<Incoming>,
    socket: Arc<Socket>,
    shared: Arc<Shared>,
) -> io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let path = head.uri.path().to_owned();
    let Some(endpoint) = endpoints::at(&path) else {
        return Ok(page(StatusCode::NOT_FOUND));
    };
    let form = url::form_urlencoded::parse(&body).into_owned().collect();
    let seen = Seen { method: head.method, path, headers: head.headers, form };
    let fault = {
        let mut state = shared.state();
        state.seen.push((endpoint, seen.clone()));
        state.faults.get(&endpoint).cloned()
    };
    shared.arrived.notify_waiters();
    match fault {
        None => Ok(answer(&shared, endpoint, &seen)),
        Some(Fault::Held(permits)) => {
            permits.acquire().await.unwrap().forget();
            Ok(answer(&shared, endpoint, &seen))
        }
        Some(fault) => fail(fault, &socket).await,
    }
}

fn answer(shared: &Shared, endpoint: Endpoint, seen: &Seen) -> Response<Body> {
    let Reply { status, body, content_type, cache_control } = endpoints::answer(shared, endpoint, seen);
    let text = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
    let mut response = json_response(status, text);
    response.headers_mut().insert("content-type", content_type.parse().unwrap());
    if let Some(cache_control) = cache_control {
        response.headers_mut().insert("cache-control", cache_control.parse().unwrap());
    }
    response
}

async fn fail(fault: Fault, socket: &Socket) -> io::Result<Response<Body>> {
    Ok(match fault {
        Fault::Hang | Fault::Held(_) => std::future::pending().await,
        Fault::Reset => {
            socket.set_linger(Some(Duration::ZERO))?;
            return Err(io::Error::other("the connection is reset"));
        }
        Fault::HangInBody => json_body(StreamBody::new(stream::pending()).boxed()),
        Fault::CutOff => {
            let frames = [Ok(frame("{\"a\":")), Err(io::Error::other("no more"))];
            with_length(json_body(StreamBody::new(stream::iter(frames)).boxed()), 1000)
        }
        Fault::Gigabyte => {
            let block = Bytes::from(vec![b'x'; 64 * 1024]);
            let first = stream::iter([Ok(frame("{\"a\":\""))]);
            let rest = stream::iter((0..16 * 1024).map(move |_| Ok(Frame::data(block.clone()))));
            json_body(StreamBody::new(stream::StreamExt::chain(first, rest)).boxed())
        }
        Fault::GigabyteTold => with_length(json_body(StreamBody::new(stream::pending()).boxed()), 1 << 30),
        Fault::Html => page(StatusCode::OK),
        Fault::Body(body) => json_response(StatusCode::OK, body.to_owned()),
        Fault::OAuthError(error) => {
            let body = json!({"error": error, "error_description": "ada@example.com may not"});
            json_response(StatusCode::BAD_REQUEST, body.to_string())
        }
        Fault::Redirect(to) => {
            let mut response = page(StatusCode::TEMPORARY_REDIRECT);
            response.headers_mut().insert("location", to.parse().unwrap());
            response
        }
        Fault::Status(status) => page(StatusCode::from_u16(status).unwrap()),
    })
}

fn frame(text: &'static str) -> Frame<Bytes> {
    Frame::data(Bytes::from_static(text.as_bytes()))
}

fn page(status: StatusCode) -> Response<Body> {
    let body = Full::new(Bytes::from_static(b"<!doctype html><title>Oh no</title>"));
    let mut response = Response::new(body.map_err(|never| match never {}).boxed());
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", "text/html; charset=utf-8".parse().unwrap());
    response
}

fn json_response(status: StatusCode, body: String) -> Response<Body> {
    let mut response = json_body(Full::new(Bytes::from(body)).map_err(|never| match never {}).boxed());
    *response.status_mut() = status;
    response
}

fn json_body(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert("content-type", "application/json; charset=utf-8".parse().unwrap());
    response
}

fn with_length(mut response: Response<Body>, length: u64) -> Response<Body> {
    response.headers_mut().insert("content-length", length.into());
    response
}
