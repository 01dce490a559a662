//! Connections as their peers see them: ages and grace periods, and the limits of HTTP/2, frame by frame.

use std::convert::Infallible;
use std::future::{pending, ready};

use ::http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::super::write_timeout::WriteTimeout;
use super::*;

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n";
const GRACE: Duration = Duration::from_secs(20);
const NEVER: Duration = Duration::from_hours(1);

/// Drives a connection with this response to its requests.
async fn driven<F>(io: DuplexStream, age: Duration, answer: fn(Request<Incoming>) -> F)
where
    F: Future<Output = Result<Response<Full<&'static [u8]>>, Infallible>> + Send + 'static,
{
    let http = http(&Limits::default());
    let io = TokioIo::new(WriteTimeout::new(io));
    let connection = http.serve_connection(io, service_fn(answer)).into_owned();
    let shutdown = CancellationToken::new();
    let closing = Closing::until(&shutdown);
    drive(ready(Some(connection)), age, GRACE, shutdown, closing).await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_asks_and_never_reads_is_hung_up_on() {
    let (mut peer, io) = tokio::io::duplex(1024);
    let asking = tokio::spawn(async move { while peer.write_all(GET).await.is_ok() {} });
    let driven = driven(io, NEVER, |_| ready(Ok(Response::new(Full::new(&[1; 512][..])))));
    timeout(NEVER / 2, driven).await.unwrap();
    asking.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_request_in_flight_does_not_hold_an_old_connection_beyond_the_grace() {
    let (mut peer, io) = tokio::io::duplex(1024);
    peer.write_all(GET).await.unwrap();
    let (age, begin) = (Duration::from_mins(15), Instant::now());
    timeout(NEVER, driven(io, age, |_| pending())).await.unwrap();
    assert_eq!(begin.elapsed(), age + GRACE);
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
/// `POST http://here/a`, in HPACK.
const REQUEST: &[u8] = b"\x83\x86\x04\x02/a\x01\x04here";
/// The largest payload of a frame that every peer accepts.
const FRAME: usize = 16 * 1024;

/// A frame of HTTP/2.
struct Frame {
    kind: u8,
    flags: u8,
    payload: Vec<u8>,
}

impl Frame {
    fn number(&self, at: usize) -> u32 {
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn request(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, REQUEST)
}

/// Returns the id of a client's stream by its number from 0.
fn stream(number: u32) -> u32 {
    2 * number + 1
}

/// The reaction of the server to frames.
#[derive(Debug, PartialEq, Eq)]
enum Reaction {
    /// It reports no error.
    Continues,
    /// It resets the stream with this error.
    Resets(h2::Reason),
    /// It closes the connection with this error.
    GoesAway(h2::Reason),
}

/// A client that writes and reads frames by itself.
struct Peer {
    io: DuplexStream,
    settings: Frame,
    _connection: AbortOnDropHandle<()>,
}

impl Peer {
    /// Connects to a server whose requests get no response and whose bodies are never read.
    async fn connect() -> Self {
        let (mut io, served) = tokio::io::duplex(1 << 20);
        let connection = tokio::spawn(driven(served, NEVER, |request| async move {
            pending::<()>().await;
            drop(request);
            Ok(Response::new(Full::new(&[][..])))
        }));
        let hello = [PREFACE, &frame(SETTINGS, 0, 0, &[]), &frame(SETTINGS, ACK, 0, &[])].concat();
        io.write_all(&hello).await.unwrap();
        let settings = read(&mut io).await.unwrap();
        assert_eq!((settings.kind, settings.flags), (SETTINGS, 0));
        Self { io, settings, _connection: AbortOnDropHandle::new(connection) }
    }

    /// Returns the value of an announced setting.
    fn setting(&self, id: u16) -> Option<u32> {
        let mut entries = self.settings.payload.chunks(6);
        let value = entries.find(|entry| entry[..2] == id.to_be_bytes())?;
        Some(u32::from_be_bytes(value[2..].try_into().unwrap()))
    }

    /// Reads up to the next frame of this kind; returns `None` if the connection ends before.
    async fn next(&mut self, kind: u8) -> Option<Frame> {
        loop {
            let frame = read(&mut self.io).await?;
            if frame.kind == kind {
                return Some(frame);
            }
        }
    }

    /// Writes frames at once, and returns the reaction. It is complete when two pings are answered: the answer to a ping
    /// overtakes the error of an earlier frame.
    async fn reaction(&mut self, frames: Vec<u8>) -> Reaction {
        self.io.write_all(&frames).await.unwrap();
        let mut reaction = Reaction::Continues;
        for _ in 0..2 {
            self.io.write_all(&frame(PING, 0, 0, b"01234567")).await.unwrap();
            loop {
                let frame = read(&mut self.io).await.expect("a connection ends with GOAWAY");
                match (frame.kind, frame.flags) {
                    (PING, ACK) => break,
                    (RST_STREAM, _) => reaction = Reaction::Resets(frame.number(0).into()),
                    (GOAWAY, _) => return Reaction::GoesAway(frame.number(4).into()),
                    _ => {}
                }
            }
        }
        reaction
    }
}

/// Reads a frame; returns `None` at the end.
async fn read(io: &mut DuplexStream) -> Option<Frame> {
    let mut head = [0; 9];
    io.read_exact(&mut head).await.ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; length as usize];
    io.read_exact(&mut payload).await.ok()?;
    Some(Frame { kind: head[3], flags: head[4], payload })
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_no_ping_is_disconnected() {
    let mut peer = Peer::connect().await;
    let (limits, begin) = (Limits::default(), Instant::now());
    let disconnected = async { while read(&mut peer.io).await.is_some() {} };
    timeout(NEVER / 2, disconnected).await.expect("the server closes the connection");
    assert_eq!(begin.elapsed().as_secs(), (limits.keepalive_interval + limits.keepalive_timeout).as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_pings_stays_connected() {
    let mut peer = Peer::connect().await;
    for _ in 0..20 {
        let ping = peer.next(PING).await.expect("the connection stays open");
        peer.io.write_all(&frame(PING, ACK, 0, &ping.payload)).await.unwrap();
    }
    assert_eq!(peer.reaction(Vec::new()).await, Reaction::Continues);
}

/// Opens and resets this many streams.
fn rapid_resets(count: usize) -> Vec<u8> {
    let streams = (0..u32::try_from(count).unwrap()).map(stream);
    let cancel = u32::from(h2::Reason::CANCEL).to_be_bytes();
    streams.flat_map(|id| [request(id), frame(RST_STREAM, 0, id, &cancel)].concat()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_opens_and_resets_streams_rapidly_is_sent_away() {
    let reaction = async |count| Peer::connect().await.reaction(rapid_resets(count)).await;
    assert_eq!(reaction(PENDING_RESETS).await, Reaction::Continues);
    assert_eq!(reaction(PENDING_RESETS + 1).await, Reaction::GoesAway(h2::Reason::ENHANCE_YOUR_CALM));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_sends_many_faulty_requests_is_sent_away() {
    let mut peer = Peer::connect().await;
    // A request with `connection` is malformed (RFC 9113 section 8.2.2).
    let faulty = [REQUEST, b"\x00\x0aconnection\x01x"].concat();
    let faulty = |number| frame(HEADERS, END_HEADERS, stream(number), &faulty);
    let limit = u32::try_from(LOCAL_RESETS).unwrap();
    for number in 0..limit {
        let reaction = peer.reaction(faulty(number)).await;
        assert_eq!(reaction, Reaction::Resets(h2::Reason::PROTOCOL_ERROR), "{number}");
    }
    assert_eq!(peer.reaction(faulty(limit)).await, Reaction::GoesAway(h2::Reason::ENHANCE_YOUR_CALM));
}

/// Fills this many bytes of the window of a stream.
fn fill(stream: u32, window: u32) -> Vec<u8> {
    let body = vec![0; window as usize];
    body.chunks(FRAME).flat_map(|chunk| frame(DATA, 0, stream, chunk)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_exceeds_the_window_of_a_stream_is_stopped() {
    let mut peer = Peer::connect().await;
    assert_eq!(peer.setting(4), Some(STREAM_WINDOW));
    let full = [request(1), fill(1, STREAM_WINDOW)].concat();
    assert_eq!(peer.reaction(full).await, Reaction::Continues);
    let reaction = peer.reaction(frame(DATA, 0, 1, b"x")).await;
    assert_eq!(reaction, Reaction::Resets(h2::Reason::FLOW_CONTROL_ERROR));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_exceeds_the_window_of_a_connection_is_sent_away() {
    let mut peer = Peer::connect().await;
    let added = peer.next(WINDOW_UPDATE).await.unwrap().number(0);
    assert_eq!(65_535 + added, CONNECTION_WINDOW);
    let streams = CONNECTION_WINDOW / STREAM_WINDOW;
    for id in (0..streams).map(stream) {
        let full = [request(id), fill(id, STREAM_WINDOW)].concat();
        assert_eq!(peer.reaction(full).await, Reaction::Continues);
    }
    let id = stream(streams);
    let reaction = peer.reaction([request(id), frame(DATA, 0, id, b"x")].concat()).await;
    assert_eq!(reaction, Reaction::GoesAway(h2::Reason::FLOW_CONTROL_ERROR));
}

#[tokio::test(start_paused = true)]
async fn a_peer_is_told_the_limits_of_streams_and_headers() {
    let (peer, limits) = (Peer::connect().await, Limits::default());
    assert_eq!(peer.setting(3), Some(limits.max_concurrent_streams));
    assert_eq!(peer.setting(6), Some(limits.max_header_bytes));
}
