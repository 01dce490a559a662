//! Authentication and authorisation of callers. The bearer keys of `authorization` and the client's certificate
//! identify a caller; the specification of the service names the permission that the method needs. An unknown method is
//! rejected.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::future::{self, Either, Ready};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use pin_project_lite::pin_project;
use tonic::Status;

use super::request_id::RequestId;
use super::trace::CallerName;
use crate::auth::{Auth, Caller, Callers, Error};
use crate::grpc::http_types::{Answer, Request, Response};
use crate::grpc::mount::Mounted;
use crate::model::{Origin, Permission};
use crate::net::PeerNames;

/// The callers, and the log of denials.
pub struct KnownCallers {
    callers: Callers,
    auth: Arc<Auth>,
}

/// The future of a response, by the service or by [`KnownCallers`].
pub type Admitted = Either<Named<Answer>, Ready<Result<Response, Infallible>>>;

/// The error of a rejected call, and its caller, if known.
type Denied = (Error, Option<Arc<Caller>>);

impl KnownCallers {
    /// Makes the layer for these callers; `auth` logs denials, one a second.
    #[must_use]
    pub fn new(callers: Callers, auth: Arc<Auth>) -> Self {
        Self { callers, auth }
    }

    /// Passes a call to the service if its caller has the permission. Without a service the path is no method.
    pub(in crate::grpc) fn admit(
        &self,
        mut request: Request,
        wanted: Option<(Permission, &Mounted)>,
    ) -> Admitted {
        match self.admitted(&request, wanted) {
            Ok((caller, service)) => {
                tracing::Span::current().record("caller", caller.id.as_str());
                request.extensions_mut().insert(Arc::clone(&caller));
                Either::Left(Named { future: service.handler.call(request), caller })
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

    fn admitted<'a>(
        &self,
        request: &Request,
        wanted: Option<(Permission, &'a Mounted)>,
    ) -> Result<(Arc<Caller>, &'a Mounted), Denied> {
        let certificate = request.extensions().get::<PeerNames>().map(|PeerNames(names)| &**names);
        let found = self.callers.find(bearer_keys(request.headers()), certificate);
        let caller = found.map_err(|error| (error, None))?;
        let named = |error| (error, Some(Arc::clone(caller)));
        let (permission, service) = wanted.ok_or_else(|| named(Error::NotImplemented("this method")))?;
        caller.must_have(permission).map_err(named)?;
        Ok((Arc::clone(caller), service))
    }
}

pin_project! {
    /// The future that resolves to the response; an error tells the log the caller.
    pub struct Named<F> {
        #[pin]
        future: F,
        caller: Arc<Caller>,
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for Named<F> {
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

/// Returns the keys of every `authorization` header; another scheme counts as an unknown key.
fn bearer_keys(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers.get_all(AUTHORIZATION).iter().map(|value| {
        let bytes = value.as_bytes();
        match bytes.split_at_checked(7) {
            Some((scheme, key)) if scheme.eq_ignore_ascii_case(b"bearer ") => key,
            Some(_) | None => b"",
        }
    })
}

/// Logs a denial, concurrently with its response.
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
