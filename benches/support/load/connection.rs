//! One connection of the load generator.

use std::net::SocketAddr;

use prost::Message;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::frame::{
    ACK, DATA, END_HEADERS, END_STREAM, Frame, HEADERS, PING, PREFACE, SETTINGS, WINDOW_UPDATE,
};
use super::header_block::{self, Reader};

/// The window that every connection begins with (RFC 9113, 6.9.2).
const FIRST_WINDOW: u32 = 65_535;
/// The window that the server gets for its answers, so that it never waits for it.
const WIDE_WINDOW: u32 = 1 << 30;

/// A connection for calls of one method.
pub struct Connection {
    tcp: TcpStream,
    /// The blocks of header fields of the next request and of those after it.
    blocks: [Vec<u8>; 2],
    answers: Reader,
    next_stream: u32,
    /// The bytes that the server takes now.
    window: u32,
    /// The bytes that the server may still send.
    granted: u32,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
}

/// A call that has no answer yet.
struct Open {
    stream: u32,
    place: usize,
    body: Vec<u8>,
}

impl Connection {
    /// Connects and sends the preface.
    pub async fn open(addr: SocketAddr, path: &str, key: &str) -> Self {
        let tcp = TcpStream::connect(addr).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        let mut this = Self {
            tcp,
            blocks: header_block::request(path, key),
            answers: Reader::default(),
            next_stream: 1,
            window: FIRST_WINDOW,
            granted: FIRST_WINDOW,
            inbox: Vec::with_capacity(1 << 18),
            outbox: PREFACE.to_vec(),
        };
        this.put(SETTINGS, 0, 0, &[]);
        this.grant();
        this
    }

    /// A message as gRPC sends it.
    pub fn framed(message: &impl Message) -> Vec<u8> {
        let mut framed = vec![0];
        framed.extend_from_slice(&u32::try_from(message.encoded_len()).unwrap().to_be_bytes());
        message.encode(&mut framed).unwrap();
        framed
    }

    /// Makes a call.
    pub async fn call<A: Message + Default>(&mut self, request: &impl Message) -> A {
        let mut answer = None;
        let request = Self::framed(request);
        self.calls(1, &[&request], |_, body| answer = Some(A::decode(body).unwrap())).await;
        answer.unwrap()
    }

    /// Makes a call of each request, so many at a time, and the next when half of those are answered. Each answer is OK,
    /// and its body goes with the request's place.
    pub async fn calls(
        &mut self,
        at_a_time: usize,
        requests: &[&[u8]],
        mut answered: impl FnMut(usize, &[u8]),
    ) {
        let mut sent = 0;
        let mut open = Vec::with_capacity(at_a_time);
        while sent < requests.len() || !open.is_empty() {
            // One request for each answer would make small writes, and the server read as often.
            let more = if open.len() <= at_a_time / 2 { at_a_time - open.len() } else { 0 };
            for request in requests.iter().skip(sent).take(more) {
                if request.len() > self.window as usize {
                    break;
                }
                open.push(Open { stream: self.send(request), place: sent, body: Vec::new() });
                sent += 1;
            }
            self.tcp.write_all(&self.outbox).await.unwrap();
            self.outbox.clear();
            let read = self.tcp.read_buf(&mut self.inbox).await.unwrap();
            assert_ne!(read, 0, "the server closed the connection");
            self.receive(&mut open, &mut answered);
        }
    }

    fn send(&mut self, request: &[u8]) -> u32 {
        let stream = self.next_stream;
        self.next_stream += 2;
        let [now, later] = &mut self.blocks;
        Frame { kind: HEADERS, flags: END_HEADERS, stream, payload: now }.write(&mut self.outbox);
        now.clone_from(later);
        self.put(DATA, END_STREAM, stream, request);
        self.window -= u32::try_from(request.len()).unwrap();
        stream
    }

    /// Reads all frames that have come.
    fn receive(&mut self, open: &mut Vec<Open>, answered: &mut impl FnMut(usize, &[u8])) {
        let inbox = std::mem::take(&mut self.inbox);
        let mut rest = &inbox[..];
        while let Some((frame, after)) = Frame::split(rest) {
            rest = after;
            if frame.stream != 0 && frame.kind != WINDOW_UPDATE {
                self.answer(&frame, open, answered);
            } else {
                self.control(&frame);
            }
        }
        let read = inbox.len() - rest.len();
        self.inbox = inbox;
        self.inbox.drain(..read);
    }

    fn answer(&mut self, frame: &Frame<'_>, open: &mut Vec<Open>, answered: &mut impl FnMut(usize, &[u8])) {
        let call = open.iter().position(|call| call.stream == frame.stream).unwrap();
        match frame.kind {
            DATA => {
                open[call].body.extend_from_slice(frame.payload);
                self.granted -= u32::try_from(frame.payload.len()).unwrap();
                if self.granted < WIDE_WINDOW / 2 {
                    self.grant();
                }
            }
            HEADERS => {
                assert!(frame.has(END_HEADERS), "a continued block");
                let ok = self.answers.is_ok(frame.payload);
                if frame.has(END_STREAM) {
                    assert!(ok, "a call failed");
                    let Open { place, body, .. } = open.swap_remove(call);
                    let (head, message) = body.split_first_chunk::<5>().unwrap();
                    let [0, length @ ..] = *head else { unreachable!("a compressed message") };
                    assert_eq!(u32::from_be_bytes(length) as usize, message.len());
                    answered(place, message);
                }
            }
            kind => unreachable!("a frame {kind} on a stream: {:?}", frame.payload),
        }
    }

    fn control(&mut self, frame: &Frame<'_>) {
        match frame.kind {
            SETTINGS if !frame.has(ACK) => self.put(SETTINGS, ACK, 0, &[]),
            PING if !frame.has(ACK) => self.put(PING, ACK, 0, frame.payload),
            WINDOW_UPDATE if frame.stream == 0 => {
                self.window += u32::from_be_bytes(frame.payload.try_into().unwrap());
            }
            // The window of a stream is of no use: its request is sent whole.
            SETTINGS | PING | WINDOW_UPDATE => {}
            kind => unreachable!("a frame {kind} on the connection: {:?}", frame.payload),
        }
    }

    fn grant(&mut self) {
        let more = WIDE_WINDOW - self.granted;
        self.granted = WIDE_WINDOW;
        self.put(WINDOW_UPDATE, 0, 0, &more.to_be_bytes());
    }

    fn put(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        Frame { kind, flags, stream, payload }.write(&mut self.outbox);
    }
}
