//! The network between a Gatepass and its database: a TCP proxy that a test can delay, silence or cut.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

/// The limit of chunks in flight in one direction of one connection.
const UNDER_WAY: usize = 64;

/// A proxy to one server.
pub struct Wire {
    /// The address of the proxy.
    pub addr: SocketAddr,
    state: watch::Sender<State>,
    carrying: AbortHandle,
}

/// The behaviour of the proxy. Connections are numbered from 0, in order of arrival.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    delay: Duration,
    silent: bool,
    down: bool,
    /// The number of connections so far.
    attempts: usize,
    /// Connections below this number are reset.
    cut_below: usize,
    /// Connections below this number carry nothing, and their ends get no error.
    stranded_below: usize,
}

impl State {
    fn cuts(&self, number: usize) -> bool {
        self.down || number < self.cut_below
    }

    fn carries(&self, number: usize) -> bool {
        !self.silent && number >= self.stranded_below
    }
}

impl Wire {
    /// Starts a proxy without delay.
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (state, seen) = watch::channel(State::default());
        let counting = state.clone();
        let carrying = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let number = counting.borrow().attempts;
                counting.send_modify(|state| state.attempts += 1);
                connections.spawn(connection(client, server, number, seen.clone()));
            }
        });
        Self { addr, state, carrying: carrying.abort_handle() }
    }

    /// Delays all later data by this time in each direction.
    pub fn delay(&self, delay: Duration) {
        self.state.send_modify(|state| state.delay = delay);
    }

    /// Resets every connection, and all new ones.
    pub fn cut(&self) {
        self.state.send_modify(|state| state.down = true);
    }

    /// Resets every connection. New ones are carried.
    pub fn reset(&self) {
        self.state.send_modify(|state| state.cut_below = state.attempts);
    }

    /// Drops all data without an error.
    pub fn silence(&self) {
        self.state.send_modify(|state| state.silent = true);
    }

    /// Strands the existing connections: they carry nothing and get no error. New ones are carried.
    pub fn strand(&self) {
        self.state.send_modify(|state| state.stranded_below = state.attempts);
    }

    /// Resets the stranded connections, so that both ends notice.
    pub fn reset_stranded(&self) {
        self.state.send_modify(|state| state.cut_below = state.cut_below.max(state.stranded_below));
    }

    /// Carries everything again. Connections that were cut stay closed.
    pub fn heal(&self) {
        self.state.send_modify(|state| {
            state.down = false;
            state.silent = false;
            state.delay = Duration::ZERO;
        });
    }

    /// Counts the connections so far.
    pub fn attempts(&self) -> usize {
        self.state.borrow().attempts
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.carrying.abort();
    }
}

async fn connection(client: TcpStream, server: SocketAddr, number: usize, mut state: watch::Receiver<State>) {
    // Without lingering, a dropped socket sends a reset if no data was sent before.
    client.set_zero_linger().unwrap();
    client.set_nodelay(true).unwrap();
    let carried = carry_both(client, server, number, state.clone());
    tokio::select! {
        biased;
        _ = state.wait_for(|state| state.cuts(number)) => {}
        _ = carried => {}
    }
}

async fn carry_both(
    mut client: TcpStream,
    server: SocketAddr,
    number: usize,
    mut state: watch::Receiver<State>,
) -> io::Result<()> {
    let _ = state.wait_for(|state| state.carries(number)).await;
    let mut server = TcpStream::connect(server).await?;
    server.set_nodelay(true)?;
    let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
    let there = carry(from_client, to_server, number, state.clone());
    let back = carry(from_server, to_client, number, state);
    tokio::try_join!(there, back).map(|_| ())
}

/// Carries one direction until its end. Each chunk gets the delay that was set when it arrived.
async fn carry(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    number: usize,
    mut state: watch::Receiver<State>,
) -> io::Result<()> {
    let (sender, mut chunks) = mpsc::channel::<(Instant, Vec<u8>)>(UNDER_WAY);
    let delays = state.clone();
    let reads = async move {
        loop {
            let mut chunk = vec![0; 16 * 1024];
            let length = from.read(&mut chunk).await?;
            chunk.truncate(length);
            let due = Instant::now() + delays.borrow().delay;
            if sender.send((due, chunk)).await.is_err() || length == 0 {
                return Ok::<_, io::Error>(());
            }
        }
    };
    let writes = async move {
        while let Some((due, chunk)) = chunks.recv().await {
            tokio::time::sleep_until(due).await;
            let _ = state.wait_for(|state| state.carries(number)).await;
            if chunk.is_empty() {
                to.shutdown().await?;
            }
            to.write_all(&chunk).await?;
        }
        Ok(())
    };
    tokio::try_join!(reads, writes).map(|_| ())
}

#[tokio::test]
async fn a_wire_carries_waits_resets_and_strands() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let wire = Wire::to(server.local_addr().unwrap()).await;
    tokio::spawn(async move {
        let mut echoes = JoinSet::new();
        while let Ok((mut stream, _)) = server.accept().await {
            echoes.spawn(async move {
                let (mut from, mut to) = stream.split();
                tokio::io::copy(&mut from, &mut to).await
            });
        }
    });
    let echoed = async |stream: &mut TcpStream| {
        stream.write_all(b"ping").await?;
        let mut back = [0; 4];
        stream.read_exact(&mut back).await
    };
    let soon = Duration::from_millis(100);
    let (mut one, mut other) =
        (TcpStream::connect(wire.addr).await.unwrap(), TcpStream::connect(wire.addr).await.unwrap());
    echoed(&mut one).await.unwrap();
    echoed(&mut other).await.unwrap();

    wire.delay(soon);
    let begun = Instant::now();
    echoed(&mut one).await.unwrap();
    assert!(begun.elapsed() >= 2 * soon, "late in each direction");

    wire.silence();
    assert!(tokio::time::timeout(3 * soon, echoed(&mut one)).await.is_err());
    wire.heal();
    let mut back = [0; 4];
    one.read_exact(&mut back).await.unwrap();

    wire.strand();
    assert!(tokio::time::timeout(soon, echoed(&mut one)).await.is_err());
    let mut third = TcpStream::connect(wire.addr).await.unwrap();
    echoed(&mut third).await.unwrap();

    wire.reset();
    for mut stream in [one, other, third] {
        assert_eq!(echoed(&mut stream).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }
    wire.cut();
    let mut refused = TcpStream::connect(wire.addr).await.unwrap();
    assert!(echoed(&mut refused).await.is_err());
    wire.heal();
    echoed(&mut TcpStream::connect(wire.addr).await.unwrap()).await.unwrap();
    assert_eq!(wire.attempts(), 5);
}
