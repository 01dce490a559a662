//! The program with few file descriptors: idle connections on one port take nothing from the others.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::metrics::get;
use crate::support::program::Serving;
use crate::support::{allowed, profile};

/// The HTTP/2 preface and a SETTINGS frame.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// A timeout that only a stuck port reaches. Idle peers answer no pings and are closed after more than twice that.
const STUCK: Duration = Duration::from_secs(20);

/// Opens this number of idle peers, and returns the accepted ones.
async fn idle_peers(addr: SocketAddr, count: usize) -> Vec<TcpStream> {
    let mut peers = Vec::new();
    for _ in 0..count {
        let mut peer = TcpStream::connect(addr).await.unwrap();
        // A rejected peer reads nothing.
        let _ = peer.write_all(PREFACE).await;
        let heard = tokio::time::timeout(STUCK, peer.read(&mut [0])).await.expect("let in or refused");
        if heard.is_ok_and(|bytes| bytes > 0) {
            peers.push(peer);
        }
    }
    peers
}

#[tokio::test]
async fn idle_peers_of_the_public_port_leave_descriptors_to_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let mut serving = Serving::start_within(folder.path(), "-n 128", &[]).await;
    serving.until("ready").await;
    let peers = idle_peers(serving.http, 200).await;
    assert!((1..100).contains(&peers.len()), "{}", peers.len());
    assert!(get(serving.admin, "/readyz").await.0.starts_with("HTTP/1.1 200"));
    allowed(serving.auth().await.sign_in(profile("ada")).await);
    drop(peers);
    let log = serving.stop().await;
    assert!(log.iter().any(|line| line.contains("too few file descriptors")), "{log:?}");
}

#[tokio::test]
async fn a_soft_limit_of_descriptors_is_raised_as_far_as_it_may_be() {
    let folder = tempfile::tempdir().unwrap();
    let connections = [("GATEPASS_SERVER__MAX_CONNECTIONS", "300")];
    let mut serving = Serving::start_within(folder.path(), "-Sn 128", &connections).await;
    serving.until("ready").await;
    let peers = idle_peers(serving.http, 200).await;
    assert_eq!(peers.len(), 200);
    assert!(get(serving.http, "/.well-known/jwks.json").await.0.starts_with("HTTP/1.1 200"));
    drop(peers);
    let log = serving.stop().await;
    assert!(!log.iter().any(|line| line.contains("descriptors")), "{log:?}");
}
