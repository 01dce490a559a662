//! The limits of one request: the size of its headers, and the number of faults in the response.

use std::net::SocketAddr;

use bytes::Bytes;
use gatepass::grpc::proto::v1::BeginSignInRequest;
use http_body_util::Empty;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::signing_in::begin;
use crate::support::{TestApp, app, builder, fields};

/// A configured `server.max_header_bytes`. HTTP/1.1 never has a limit below 8192.
const LIMIT: usize = 10_000;

async fn start() -> TestApp {
    builder().server(&format!("max_header_bytes: {LIMIT}")).start().await
}

/// Returns the status of an HTTP/2 request with a header of this size.
async fn http2_status(addr: SocketAddr, bytes: usize) -> u16 {
    let io = TokioIo::new(TcpStream::connect(addr).await.unwrap());
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::post(format!("http://{addr}/gatepass.v1.AuthService/GetSession"))
        .header("content-type", "application/grpc")
        .header("padding", "x".repeat(bytes))
        .body(Empty::<Bytes>::new());
    sender.send_request(request.unwrap()).await.unwrap().status().as_u16()
}

/// Returns the first line of the response to an HTTP/1.1 request with a header of this size, which `end` ends.
async fn http1_status(addr: SocketAddr, bytes: usize, end: &str) -> String {
    let mut tcp = TcpStream::connect(addr).await.unwrap();
    let request = format!("GET /livez HTTP/1.1\r\nhost: here\r\npadding: {}{end}", "x".repeat(bytes));
    tcp.write_all(request.as_bytes()).await.unwrap();
    let mut line = vec![0; "HTTP/1.1 200".len()];
    tcp.read_exact(&mut line).await.expect("a response");
    String::from_utf8(line).unwrap()
}

#[tokio::test]
async fn the_configured_size_of_headers_is_announced() {
    let app = start().await;
    let mut tcp = TcpStream::connect(app.grpc_addr).await.unwrap();
    tcp.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut head = [0; 9];
    tcp.read_exact(&mut head).await.unwrap();
    assert_eq!(head[3], 4, "SETTINGS");
    let mut settings = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
    tcp.read_exact(&mut settings).await.unwrap();
    let limit = u32::try_from(LIMIT).unwrap().to_be_bytes();
    let max_header_list_size = [&[0, 6], &limit[..]].concat();
    assert!(settings.chunks(6).any(|setting| setting == max_header_list_size), "{settings:?}");
}

#[tokio::test]
async fn a_call_with_larger_headers_than_configured_is_refused() {
    let app = start().await;
    assert_eq!(http2_status(app.grpc_addr, LIMIT - 1000).await, 200);
    assert_eq!(http2_status(app.grpc_addr, LIMIT).await, 431);
}

/// HTTP/1.1 limits the buffer of a request whose headers are incomplete.
#[tokio::test]
async fn a_probe_whose_headers_outgrow_the_configured_size_is_refused() {
    let app = start().await;
    assert_eq!(http1_status(app.admin_addr, LIMIT - 1000, "\r\n\r\n").await, "HTTP/1.1 200");
    assert_eq!(http1_status(app.admin_addr, LIMIT, "").await, "HTTP/1.1 431");
}

#[tokio::test]
async fn a_request_with_many_faults_gets_the_first_sixteen() {
    let app = app().await;
    let scopes = vec!["not one scope".to_owned(); 64];
    let request = BeginSignInRequest { scopes, ..begin("corp") };
    let first: Vec<_> = (0..16).map(|place| format!("scopes[{place}]")).collect();
    assert_eq!(fields(app.begin(request).await), first);
}
