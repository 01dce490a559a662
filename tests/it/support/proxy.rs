//! An HTTP proxy that opens tunnels. Every name leads to this machine.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

/// A running proxy. It stops when it is dropped.
pub struct TestProxy {
    port: u16,
    tunnels: Arc<Mutex<Vec<String>>>,
    _task: AbortOnDropHandle<()>,
}

impl TestProxy {
    /// Starts a proxy for everyone.
    pub async fn start() -> Self {
        Self::start_with(None).await
    }

    /// Starts a proxy for clients that send this value of `Proxy-Authorization`.
    pub async fn start_for(authorization: &str) -> Self {
        Self::start_with(Some(authorization.to_owned())).await
    }

    async fn start_with(authorization: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let tunnels = Arc::new(Mutex::new(Vec::new()));
        let opened = Arc::clone(&tunnels);
        let task = AbortOnDropHandle::new(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                connections.spawn(tunnel(tcp, authorization.clone(), Arc::clone(&opened)));
                while connections.try_join_next().is_some() {}
            }
        }));
        Self { port, tunnels, _task: task }
    }

    /// Returns its authority, for a URL.
    pub fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Returns the destinations of all tunnels so far, in order.
    pub fn tunnels(&self) -> Vec<String> {
        self.tunnels.lock().unwrap().clone()
    }
}

/// Serves one connection. It ends with an error if the client goes away.
async fn tunnel(tcp: TcpStream, authorization: Option<String>, opened: Arc<Mutex<Vec<String>>>) {
    let mut client = BufReader::new(tcp);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if client.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        if line.trim().is_empty() {
            break;
        }
        head.push(line.trim().to_owned());
    }
    let sent = head.iter().find_map(|line| line.strip_prefix("Proxy-Authorization: "));
    if authorization.is_some() && sent != authorization.as_deref() {
        let _ = client
            .write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            .await;
        return;
    }
    let destination =
        head[0].strip_prefix("CONNECT ").and_then(|rest| rest.strip_suffix(" HTTP/1.1")).unwrap();
    opened.lock().unwrap().push(destination.to_owned());
    let port: u16 = destination.rsplit(':').next().unwrap().parse().unwrap();
    let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
    let _ = copy_bidirectional(&mut client, &mut server).await;
}
