//! The network between a Gatepass and its database: a TCP proxy that a test slows down, silences or cuts.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

/// Chunks that may be under way in one direction of one connection.
const UNDER_WAY: usize = 64;

/// A wire to one server.
pub struct Wire {
    /// Where it begins.
    pub addr: SocketAddr,
    state: watch::Sender<State>,
    carrying: AbortHandle,
}

/// What the wire does. Connections are numbered from 0, as they come.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    delay: Duration,
    silent: bool,
    down: bool,
    /// Connections so far.
    attempts: usize,
    /// Those below are reset.
    cut_below: usize,
    /// Those below carry nothing any more, and are never told.
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
    /// A wire that carries everything at once.
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

    /// What is sent from now on takes this long in each direction.
    pub fn delay(&self, delay: Duration) {
        self.state.send_modify(|state| state.delay = delay);
    }

    /// Resets every connection, and those that come.
    pub fn cut(&self) {
        self.state.send_modify(|state| state.down = true);
    }

    /// Resets every connection; those that come are carried.
    pub fn reset(&self) {
        self.state.send_modify(|state| state.cut_below = state.attempts);
    }

    /// Carries nothing, and tells nobody.
    pub fn silence(&self) {
        self.state.send_modify(|state| state.silent = true);
    }

    /// Carries nothing for the connections there are, for ever, and tells nobody; those that come are carried.
    pub fn strand(&self) {
        self.state.send_modify(|state| state.stranded_below = state.attempts);
    }

    /// Resets those that were stranded: their ends hear of it at last.
    pub fn reset_stranded(&self) {
        self.state.send_modify(|state| state.cut_below = state.cut_below.max(state.stranded_below));
    }

    /// Carries everything again; what was cut stays cut.
    pub fn heal(&self) {
        self.state.send_modify(|state| {
            state.down = false;
            state.silent = false;
            state.delay = Duration::ZERO;
        });
    }

    /// How often somebody connected.
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
    // Dropped without a farewell: a reset, as long as nothing is said before.
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

/// Carries one direction to its end; each chunk as late as the wire was slow when it came.
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
