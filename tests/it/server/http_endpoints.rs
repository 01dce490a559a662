//! The two HTTP ports, tested with handwritten HTTP/1.1.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatepass::grpc::health::Health;
use gatepass::http::public::PublicKeys;
use gatepass::http::{admin, public, serve};
use gatepass::jose::PublishedJwks;
use gatepass::model::OsEntropy;
use gatepass::net::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

async fn start(router: axum::Router, limits: Limits) -> (SocketAddr, CancellationToken, JoinHandle<usize>) {
    let shutdown = CancellationToken::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let task = tokio::spawn(serve(listener, limits, Arc::new(OsEntropy), router, shutdown.clone()));
    (addr, shutdown, task)
}

async fn exchange(addr: SocketAddr, request: &str) -> String {
    let mut tcp = TcpStream::connect(addr).await.unwrap();
    tcp.write_all(request.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    // A server that closes with unread bytes resets the connection after its response.
    let _ = tcp.read_to_end(&mut response).await;
    String::from_utf8(response).unwrap().to_ascii_lowercase()
}

async fn get(addr: SocketAddr, path: &str, headers: &str) -> String {
    exchange(addr, &format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n{headers}\r\n")).await
}

fn status(response: &str) -> &str {
    response.split(' ').nth(1).unwrap_or_default()
}

struct Keys(Mutex<PublishedJwks>);

impl PublicKeys for Keys {
    fn jwks(&self) -> Option<PublishedJwks> {
        Some(self.0.lock().unwrap().clone())
    }

    fn algorithms(&self) -> Option<Vec<&'static str>> {
        Some(vec!["ES256", "EdDSA"])
    }
}

fn keys(tag: &str) -> PublishedJwks {
    PublishedJwks { body: format!("{{\"keys\":[],\"of\":\"{tag}\"}}").into(), etag: format!("\"{tag}\"") }
}

#[tokio::test]
async fn the_key_set_is_cacheable_and_not_sent_twice() {
    let ring = Arc::new(Keys(Mutex::new(keys("one"))));
    let (addr, ..) = start(public::router(ring.clone(), "http://x"), Limits::default()).await;
    let fresh = get(addr, "/.well-known/jwks.json", "").await;
    assert_eq!(status(&fresh), "200");
    for part in [
        "etag: \"one\"",
        "cache-control: public, max-age=300",
        "content-type: application/jwk-set+json",
        "\"of\":\"one\"",
    ] {
        assert!(fresh.contains(part), "{part} in {fresh}");
    }
    let known = "If-None-Match: \"zero\", W/\"one\"\r\n";
    let again = get(addr, "/.well-known/jwks.json", known).await;
    assert_eq!(status(&again), "304");
    assert!(again.contains("etag: \"one\"") && !again.contains("\"of\""), "{again}");
    *ring.0.lock().unwrap() = keys("two");
    assert_eq!(status(&get(addr, "/.well-known/jwks.json", known).await), "200");
}

#[tokio::test]
async fn discovery_leads_to_the_key_set_and_nothing_else_is_there() {
    let ring = Arc::new(Keys(Mutex::new(keys("one"))));
    let (addr, ..) = start(public::router(ring, "https://auth.example.com"), Limits::default()).await;
    let found = get(addr, "/.well-known/openid-configuration", "").await;
    assert_eq!(status(&found), "200");
    assert!(found.contains("content-type: application/json"), "{found}");
    assert!(found.contains("\"jwks_uri\":\"https://auth.example.com/.well-known/jwks.json\""), "{found}");
    assert!(found.contains("[\"es256\",\"eddsa\"]"), "{found}");
    assert_eq!(status(&get(addr, "/", "").await), "404");
    assert_eq!(status(&get(addr, "/livez", "").await), "404");
}

#[tokio::test]
async fn probes_follow_the_health_of_the_process() {
    let health = Health::new().await;
    let (addr, ..) =
        start(admin::router(health.readiness(), health.service(), None), Limits::default()).await;
    let mut client =
        HealthClient::new(Endpoint::from_shared(format!("http://{addr}")).unwrap().connect_lazy());
    let mut serving = async |wanted: [bool; 5]| {
        let names = [
            "liveness",
            "",
            "gatepass.v1.AuthService",
            "gatepass.v1.AdminService",
            "gatepass.v1.RevocationService",
        ];
        for (service, wanted) in names.into_iter().zip(wanted) {
            let answer = client.check(HealthCheckRequest { service: service.into() }).await.unwrap();
            assert_eq!(answer.get_ref().status() == ServingStatus::Serving, wanted, "{service}");
        }
        let ready = get(addr, "/readyz", "").await;
        assert_eq!(status(&ready), if wanted[1] { "200" } else { "503" });
        assert_eq!(status(&get(addr, "/livez", "").await), "200");
    };
    serving([true, false, false, false, false]).await;
    health.ready().await;
    serving([true; 5]).await;
    health.auth_service(false).await;
    serving([true, true, false, true, true]).await;
    health.auth_service(true).await;
    serving([true; 5]).await;
    health.draining().await;
    health.auth_service(true).await;
    serving([true, false, false, false, false]).await;
    assert_eq!(status(&get(addr, "/metrics", "").await), "404");
}

#[tokio::test]
async fn large_headers_are_refused() {
    let health = Health::new().await;
    let (addr, ..) =
        start(admin::router(health.readiness(), health.service(), None), Limits::default()).await;
    let large = format!("X-Large: {}\r\n", "a".repeat(20_000));
    assert_eq!(status(&get(addr, "/livez", &large).await), "431");
}

#[tokio::test]
async fn a_request_whose_headers_do_not_end_is_dropped() {
    let health = Health::new().await;
    let limits = Limits { first_bytes: Duration::from_millis(20), ..Limits::default() };
    let (addr, ..) = start(admin::router(health.readiness(), health.service(), None), limits).await;
    let response = exchange(addr, "GET /livez HTTP/1.1\r\nHost: here\r\nX-Slow: ").await;
    assert!(matches!(status(&response), "" | "408"), "{response}");
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_the_drain() {
    let health = Health::new().await;
    let limits = Limits { shutdown_grace: Duration::from_hours(1), ..Limits::default() };
    let (addr, shutdown, task) =
        start(admin::router(health.readiness(), health.service(), None), limits).await;
    let mut idle = TcpStream::connect(addr).await.unwrap();
    idle.write_all(b"GET /livez HTTP/1.1\r\nHost: here\r\n\r\n").await.unwrap();
    assert_ne!(idle.read(&mut [0; 512]).await.unwrap(), 0);
    shutdown.cancel();
    assert_eq!(task.await.unwrap(), 0);
}
