//! One connection: its HTTP settings, and its life from the first byte to GOAWAY. The accept loop manages the
//! connections, and the bridge their requests.

use std::pin::pin;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulConnection;
use tokio_util::sync::CancellationToken;

use super::limits::Limits;
use super::peer::Closing;

/// The window of a stream: one message and its frame header fit in it without waiting for a window update.
const STREAM_WINDOW: u32 = 128 * 1024;
/// The window of a connection, the most that a peer may make it buffer. The windows of all streams together would be
/// two hundred times one stream's window.
const CONNECTION_WINDOW: u32 = 512 * 1024;
/// The bytes that are buffered for a peer that does not read; hyper's default is 400 KiB a stream.
const SEND_BUFFER: usize = 64 * 1024;
/// The maximum number of streams that a peer may open and reset before the connection is closed (CVE-2023-44487).
const PENDING_RESETS: usize = 50;
/// The maximum number of faulty frames that a peer may send before the connection is closed (RUSTSEC-2024-0003).
const LOCAL_RESETS: usize = 100;
/// The smallest buffer that hyper accepts for HTTP/1.1; it panics below.
const LEAST_BUFFER: usize = 8192;

/// Configures HTTP with these limits.
pub(super) fn http(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.first_bytes)
        .max_buf_size((limits.max_header_bytes as usize).max(LEAST_BUFFER))
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.max_concurrent_streams)
        .max_header_list_size(limits.max_header_bytes)
        .keep_alive_interval(limits.keepalive_interval)
        .keep_alive_timeout(limits.keepalive_timeout)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .max_pending_accept_reset_streams(PENDING_RESETS)
        .max_local_error_reset_streams(LOCAL_RESETS);
    builder
}

/// Configures HTTP/2 with these limits, as gRPC uses it.
pub(super) fn http2(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = http(limits).http2_only();
    // gRPC clients do not read it.
    builder.http2().auto_date_header(false);
    builder
}

/// Drives a connection, if it is established, to its end. From its age or the shutdown on, it accepts no new requests,
/// and its streams receive the closing signal. After its age, requests in progress get a grace period; after the
/// shutdown, the accept loop limits the time.
pub(super) async fn drive<C: GracefulConnection>(
    connecting: impl Future<Output = Option<C>>,
    age: Duration,
    grace: Duration,
    shutdown: CancellationToken,
    closing: Closing,
) {
    let Some(connection) = connecting.await else { return };
    let mut connection = pin!(connection);
    // Only the peer is affected by a failed connection, and each call on it has had its own response.
    tokio::select! {
        biased;
        _ = connection.as_mut() => return,
        () = shutdown.cancelled() => {}
        () = tokio::time::sleep(age) => {}
    }
    connection.as_mut().graceful_shutdown();
    closing.cancel();
    if shutdown.is_cancelled() {
        let _ = connection.await;
    } else {
        let _ = tokio::time::timeout(grace, connection).await;
    }
}

#[cfg(test)]
mod tests;
