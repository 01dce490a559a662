//! The id of a call: the client's `x-request-id` if it is fit to log, otherwise a generated `UUIDv7`. Handlers find it
//! in the request's extensions, clients in the response headers.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use http::{HeaderName, HeaderValue};
use pin_project_lite::pin_project;
use tower::Service;
use uuid::Uuid;

use crate::grpc::http_types::{Request, Response};
use crate::model::{Clock, Entropy, random};

static HEADER: HeaderName = HeaderName::from_static("x-request-id");

const LONGEST: usize = 128;

/// The id of a call: 1 to 128 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

/// The source of fresh ids: the time, and a counter with a random start. An id must be unique but need not be secret,
/// so calls do not pay for randomness.
pub struct Ids {
    clock: Arc<dyn Clock>,
    start: u128,
    made: AtomicU64,
}

impl Ids {
    /// Makes a source that uses this clock.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, entropy: &dyn Entropy) -> Self {
        Self { clock, start: u128::from_be_bytes(random(entropy)), made: AtomicU64::new(0) }
    }

    fn mint(&self) -> HeaderValue {
        let millis = u64::try_from(self.clock.now().millis()).unwrap_or(0);
        let made = self.made.fetch_add(1, Ordering::Relaxed);
        let next = self.start.wrapping_add(made.into()).to_be_bytes();
        let mut low = [0; 10];
        low.copy_from_slice(&next[6..]);
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &low).into_uuid();
        let mut text = Uuid::encode_buffer();
        HeaderValue::from_str(id.as_hyphenated().encode_lower(&mut text))
            .unwrap_or(HeaderValue::from_static("-"))
    }
}

/// The layer.
#[derive(Clone)]
pub struct RequestIds<S> {
    inner: S,
    ids: Arc<Ids>,
}

impl<S> RequestIds<S> {
    /// Wraps `inner` in this layer.
    pub fn new(inner: S, ids: Arc<Ids>) -> Self {
        Self { inner, ids }
    }
}

impl<S> Service<Request> for RequestIds<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Echoed<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let given = request.headers().get(&HEADER).filter(|id| is_fit(id.as_bytes())).cloned();
        let id = given.unwrap_or_else(|| self.ids.mint());
        request.extensions_mut().insert(RequestId(id.clone()));
        Echoed { future: self.inner.call(request), id: Some(id) }
    }
}

fn is_fit(id: &[u8]) -> bool {
    (1..=LONGEST).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
}

pin_project! {
    /// The future that resolves to the response.
    pub struct Echoed<F> {
        #[pin]
        future: F,
        id: Option<HeaderValue>,
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for Echoed<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.future.poll(cx))?;
        if let Some(mut id) = this.id.take() {
            // HPACK must never index it: no id recurs, and each would evict recurring values from the table on both
            // sides.
            id.set_sensitive(true);
            response.headers_mut().insert(HEADER.clone(), id);
        }
        Poll::Ready(Ok(response))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_visible_ascii_is_accepted() {
        assert!(is_fit(b"a"));
        assert!(is_fit(&[b'~'; LONGEST]));
        assert!(!is_fit(b""));
        assert!(!is_fit(&[b'a'; LONGEST + 1]));
        assert!(!is_fit(b"two words"));
        assert!(!is_fit("id-é".as_bytes()));
    }
}
