//! Who calls, and whether it may: the bearer keys of `authorization` and the client's certificate name a caller, and the
//! table made from the proto's `(gatepass.v1.permission)` says what the method asks. What is not in the table is refused.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::future::{self, Either, Ready};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use pin_project_lite::pin_project;
use tonic::Status;
use tower::Service;

use super::{CallerName, Request, RequestId, Response};
use crate::auth::{Auth, Caller, Callers, Error};
use crate::grpc::proto::permission_of;
use crate::model::Origin;
use crate::net::PeerNames;

/// The layer.
#[derive(Clone)]
pub struct KnownCallers<S> {
    inner: S,
    callers: Arc<Callers>,
    auth: Arc<Auth>,
}

impl<S> KnownCallers<S> {
    /// Around `inner`; denials are logged by `auth`, one a second.
    pub fn new(inner: S, callers: Arc<Callers>, auth: Arc<Auth>) -> Self {
        Self { inner, callers, auth }
    }

    fn admit(&self, request: &Request) -> std::result::Result<Arc<Caller>, (Error, Option<Arc<Caller>>)> {
        let certificate = request.extensions().get::<PeerNames>().map(|PeerNames(names)| &**names);
        let found = self.callers.find(bearer_keys(request.headers()), certificate);
        let caller = found.map_err(|error| (error, None))?;
        let permission = permission_of(request.uri().path())
            .ok_or_else(|| (Error::NotImplemented("this method"), Some(Arc::clone(caller))))?;
        caller.must_have(permission).map_err(|error| (error, Some(Arc::clone(caller))))?;
        Ok(Arc::clone(caller))
    }
}

impl<S> Service<Request> for KnownCallers<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<Named<S::Future>, Ready<std::result::Result<Response, Infallible>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<std::result::Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        match self.admit(&request) {
            Ok(caller) => {
                tracing::Span::current().record("caller", caller.id.as_str());
                request.extensions_mut().insert(Arc::clone(&caller));
                Either::Left(Named { future: self.inner.call(request), caller })
            }
            Err((error, caller)) => {
                log_denial(&self.auth, &request, &error, caller.as_deref());
                let mut response = Status::from(error).into_http();
                if let Some(caller) = caller {
                    response.extensions_mut().insert(CallerName(caller.id.as_str().into()));
                }
                Either::Right(future::ready(Ok(response)))
            }
        }
    }
}

pin_project! {
    /// The answer to come; an error tells the log whose call it was.
    pub struct Named<F> {
        #[pin]
        future: F,
        caller: Arc<Caller>,
    }
}

impl<F: Future<Output = std::result::Result<Response, Infallible>>> Future for Named<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.future.poll(cx))?;
        if response.headers().contains_key(Status::GRPC_STATUS) {
            response.extensions_mut().insert(CallerName(this.caller.id.as_str().into()));
        }
        Poll::Ready(Ok(response))
    }
}

/// The keys of every `authorization` header; another scheme is a key that nobody has.
fn bearer_keys(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers.get_all(AUTHORIZATION).iter().map(|value| {
        let bytes = value.as_bytes();
        match bytes.split_at_checked(7) {
            Some((scheme, key)) if scheme.eq_ignore_ascii_case(b"bearer ") => key,
            Some(_) | None => b"",
        }
    })
}

/// Logs a denial, beside its answer.
#[expect(clippy::wildcard_enum_match_arm, reason = "other errors are not about who calls")]
fn log_denial(auth: &Auth, request: &Request, error: &Error, caller: Option<&Caller>) {
    let reason = match error {
        Error::CallerUnknown | Error::CallerNotAllowed(_) => error.reason(),
        _ => return,
    };
    if !auth.audit.samples_denial(caller.is_some()) {
        return;
    }
    let origin = Origin {
        caller: caller.map_or_else(|| "unknown".to_owned(), |caller| caller.id.clone()),
        request_id: request.extensions().get::<RequestId>().map_or("", RequestId::as_str).to_owned(),
        ..Origin::default()
    };
    let audit = Arc::clone(&auth.audit);
    tokio::spawn(async move { audit.caller_denied(&origin, reason).await });
}
