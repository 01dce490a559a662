//! The bridge between hyper and a tower service, for the requests of one connection.

use std::cell::RefCell;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use ::http::{Request, Response};
use hyper::body::Incoming;
use pin_project_lite::pin_project;
use tower::{Service, ServiceExt, util::Oneshot};

use super::peer::{Closing, PeerAddr, PeerNames};

/// A tower service in the form that hyper calls, on one connection.
pub(super) struct Bridge<S> {
    service: RefCell<S>,
    peer: PeerAddr,
    names: Option<PeerNames>,
    closing: Closing,
}

impl<S> Bridge<S> {
    pub(super) fn new(service: S, peer: SocketAddr, closing: Closing) -> Self {
        Self { service: RefCell::new(service), peer: PeerAddr(peer), names: None, closing }
    }

    /// Adds the names in the client's certificate, if it presented one.
    pub(super) fn named(self, names: Option<PeerNames>) -> Self {
        Self { names, ..self }
    }
}

impl<S, B> hyper::service::Service<Request<Incoming>> for Bridge<S>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone,
{
    type Response = Response<B>;
    type Error = Infallible;
    type Future = Answer<S, S::Future>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer);
        request.extensions_mut().insert(self.closing.clone());
        if let Some(names) = &self.names {
            request.extensions_mut().insert(names.clone());
        }
        let mut service = self.service.borrow_mut();
        // Polled without a waker: the services are always ready, and one that is not gets a clone to wait with. A clone
        // for every call would cost as many contended counters as the service holds Arcs.
        match service.poll_ready(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => Answer::Ready { future: service.call(request) },
            Poll::Ready(Err(never)) => match never {},
            Poll::Pending => Answer::Waiting { future: service.clone().oneshot(request) },
        }
    }
}

pin_project! {
    /// The future that resolves to the response.
    #[project = AnswerProjection]
    pub(super) enum Answer<S: Service<Request<Incoming>>, F> {
        Ready { #[pin] future: F },
        Waiting { #[pin] future: Oneshot<S, Request<Incoming>> },
    }
}

impl<S, F, B> Future for Answer<S, F>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    F: Future<Output = Result<Response<B>, Infallible>>,
{
    type Output = Result<Response<B>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            AnswerProjection::Ready { future } => future.poll(cx),
            AnswerProjection::Waiting { future } => future.poll(cx),
        }
    }
}
