//! TLS on the gRPC port: handshakes over real sockets, valid, invalid and endless.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gatepass::grpc::health::Health;
use gatepass::grpc::serve;
use gatepass::model::{OsEntropy, SystemClock};
use gatepass::net::Limits;
use gatepass::net::tls::Tls;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, HandshakeKind};
use tokio_util::sync::CancellationToken;

use crate::support::tls::{Authority, Identity, SERVER, channel, check, files, shake};

/// A timeout that no test may reach: a test that waits for it visibly hangs.
const NEVER: Duration = Duration::from_hours(1);
const SOON: Duration = Duration::from_millis(20);
/// The beginning of a `ClientHello` of 256 bytes.
const HELLO: &[u8] = &[22, 3, 1, 1, 0, 1, 0, 0, 252];

fn limits() -> Limits {
    Limits { shutdown_grace: NEVER, first_bytes: NEVER, ..Limits::default() }
}

struct Server {
    authority: Authority,
    addr: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<usize>,
    _folder: TempDir,
}

impl Server {
    /// Starts a health service that requests client certificates of its own authority.
    async fn start(limits: Limits) -> Self {
        Self::start_with(limits, true).await
    }

    async fn start_with(limits: Limits, client_ca: bool) -> Self {
        let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
        authority.issue(&[SERVER]).write(folder.path());
        if client_ca {
            std::fs::write(folder.path().join("ca.crt"), &authority.pem).unwrap();
        }
        let tls = Arc::new(Tls::load("server.tls", files(folder.path()), Arc::new(SystemClock)).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (service, shutdown) = (Health::new().await.service(), CancellationToken::new());
        let task =
            tokio::spawn(serve(listener, Some(tls), limits, Arc::new(OsEntropy), service, shutdown.clone()));
        Self { authority, addr, shutdown, task, _folder: folder }
    }

    fn client(&self) -> ClientConfig {
        self.authority.client(None)
    }

    async fn ends(self) -> usize {
        self.shutdown.cancel();
        self.task.await.unwrap()
    }
}

/// Reads until the server closes the connection.
async fn until_hung_up(mut stream: impl tokio::io::AsyncRead + Unpin) -> Vec<u8> {
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said).await;
    said
}

/// Returns the server's reaction to this client: acceptance, or its alert.
async fn verdict(server: &Server, client: &ClientConfig) -> Result<(), String> {
    let mut stream = shake(server.addr, client, SERVER).await.map_err(|error| error.to_string())?;
    // In TLS 1.3 the client completes its handshake before the server has seen its certificate.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    stream.read_u8().await.map(drop).map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_client_that_trusts_the_authority_is_served_over_tls_1_2_and_1_3() {
    let server = Server::start(limits()).await;
    for version in [&TLS12, &TLS13] {
        let identity = server.authority.issue(&["web"]);
        for identity in [None, Some(&identity)] {
            let client = server.authority.client_of(identity, &[version]);
            check(&channel(server.addr, &client).await).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_client_that_expects_another_name_or_authority_hangs_up() {
    let server = Server::start(limits()).await;
    let error = shake(server.addr, &server.client(), "other.test").await.unwrap_err();
    assert!(error.to_string().contains("not valid for name"), "{error}");
    let error = shake(server.addr, &Authority::new().client(None), SERVER).await.unwrap_err();
    assert!(error.to_string().contains("invalid peer certificate"), "{error}");
}

#[tokio::test]
async fn a_certificate_that_is_presented_must_hold_and_be_of_the_authority() {
    let server = Server::start(limits()).await;
    let stranger = Authority::new().issue(&["web"]);
    let expired = server.authority.issue_until(2020, &["web"]);
    for version in [&TLS12, &TLS13] {
        let verdict = async |identity: &Identity| {
            verdict(&server, &server.authority.client_of(Some(identity), &[version])).await
        };
        assert_eq!(verdict(&server.authority.issue(&["web"])).await, Ok(()));
        let told = verdict(&expired).await.unwrap_err();
        assert!(told.contains("CertificateExpired"), "{told}");
        let told = verdict(&stranger).await.unwrap_err();
        assert!(told.contains("UnknownCA") || told.contains("DecryptError"), "{told}");
    }
}

#[tokio::test]
async fn a_certificate_is_not_brought_back_by_a_resumed_session() {
    for (client_ca, wanted) in [(false, HandshakeKind::Resumed), (true, HandshakeKind::Full)] {
        let server = Server::start_with(limits(), client_ca).await;
        for version in [&TLS12, &TLS13] {
            let client = server.authority.client_of(None, &[version]);
            let mut kind = None;
            for _ in 0..2 {
                let mut stream = shake(server.addr, &client, SERVER).await.unwrap();
                kind = stream.get_ref().1.handshake_kind();
                // The session tickets arrive with the first response.
                stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
                stream.read_u8().await.unwrap();
            }
            assert_eq!(kind, Some(wanted), "{version:?}");
        }
    }
}

#[tokio::test]
async fn a_client_that_does_not_choose_http_2_is_closed() {
    let server = Server::start(limits()).await;
    let mut client = server.client();
    client.alpn_protocols = vec![b"http/1.1".to_vec()];
    let error = shake(server.addr, &client, SERVER).await.unwrap_err();
    assert!(error.to_string().contains("NoApplicationProtocol"), "{error}");
    client.alpn_protocols.clear();
    let stream = shake(server.addr, &client, SERVER).await.unwrap();
    assert_eq!(until_hung_up(stream).await, b"");
    client.alpn_protocols = vec![b"http/1.1".to_vec(), b"h2".to_vec()];
    assert_eq!(verdict(&server, &client).await, Ok(()));
}

#[tokio::test]
async fn plaintext_is_closed() {
    let server = Server::start(limits()).await;
    for said in [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"] {
        let mut tcp = TcpStream::connect(server.addr).await.unwrap();
        tcp.write_all(said).await.unwrap();
        let answer = until_hung_up(tcp).await;
        // The server sends at most an alert.
        assert!(answer.is_empty() || answer[0] == 21, "{answer:?}");
    }
}

#[tokio::test]
async fn a_handshake_that_does_not_end_in_time_is_closed() {
    let server = Server::start(Limits { first_bytes: SOON, ..limits() }).await;
    let silent = TcpStream::connect(server.addr).await.unwrap();
    until_hung_up(silent).await;

    let mut stuck = TcpStream::connect(server.addr).await.unwrap();
    stuck.write_all(HELLO).await.unwrap();
    until_hung_up(stuck).await;

    // With a byte every millisecond the server never waits long.
    let (read, mut write) = TcpStream::connect(server.addr).await.unwrap().into_split();
    let dripping = tokio::spawn(async move {
        for byte in HELLO.iter().chain(&[0; 240]) {
            write.write_all(&[*byte]).await?;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        io::Result::Ok(())
    });
    until_hung_up(read).await;
    assert!(!dripping.is_finished(), "it was closed before it came to its end");
}

#[tokio::test]
async fn a_client_that_shook_hands_and_does_not_speak_is_closed() {
    // The time limit is long enough for the handshake.
    let server = Server::start(Limits { first_bytes: Duration::from_secs(2), ..limits() }).await;
    until_hung_up(shake(server.addr, &server.client(), SERVER).await.unwrap()).await;
}

#[tokio::test]
async fn handshakes_under_way_do_not_hold_the_drain() {
    let server = Server::start(limits()).await;
    let _silent = TcpStream::connect(server.addr).await.unwrap();
    let mut half = TcpStream::connect(server.addr).await.unwrap();
    half.write_all(HELLO).await.unwrap();
    let _shaken = shake(server.addr, &server.client(), SERVER).await.unwrap();
    // This connection is accepted after them, so the loop has already taken them.
    check(&channel(server.addr, &server.client()).await).await.unwrap();
    assert_eq!(server.ends().await, 0);
}

#[tokio::test]
async fn who_has_not_said_what_they_want_takes_no_room() {
    let server = Server::start(Limits { max_handshakes: 1, ..limits() }).await;
    let mut others = Vec::new();
    for said in [&[][..], &HELLO[..1], HELLO] {
        let mut other = TcpStream::connect(server.addr).await.unwrap();
        other.write_all(said).await.unwrap();
        others.push(other);
    }
    // This connection is accepted after them. An earlier one may still hold its place for a moment.
    while shake(server.addr, &server.client(), SERVER).await.is_err() {
        tokio::task::yield_now().await;
    }
    for other in others {
        assert_eq!(
            other.try_read(&mut [0]).unwrap_err().kind(),
            io::ErrorKind::WouldBlock,
            "it is not closed"
        );
    }
}

/// Begins a handshake and then sends nothing more.
async fn stall(server: &Server) -> TcpStream {
    let name = ServerName::try_from(SERVER).unwrap();
    let mut client = ClientConnection::new(Arc::new(server.client()), name).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    let mut tcp = TcpStream::connect(server.addr).await.unwrap();
    tcp.write_all(&hello).await.unwrap();
    // Once the server answers, the connection has its place.
    tcp.read_u8().await.unwrap();
    tcp
}

#[tokio::test]
async fn handshakes_beyond_the_limit_are_refused_until_others_end_or_stall() {
    let server = Server::start(Limits { max_handshakes: 1, ..limits() }).await;
    let client = server.client();
    let connection = channel(server.addr, &client).await;
    let stalled = stall(&server).await;
    shake(server.addr, &client, SERVER).await.expect_err("there is no room for it");
    check(&connection).await.expect("who has shaken hands is untouched");
    drop(stalled);
    while shake(server.addr, &client, SERVER).await.is_err() {
        tokio::task::yield_now().await;
    }

    let stalled = stall(&server).await;
    while shake(server.addr, &client, SERVER).await.is_err() {
        tokio::task::yield_now().await;
    }
    until_hung_up(stalled).await;
}
