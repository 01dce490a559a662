//! The services of the gRPC port: health and reflection answer immediately, the others once they are open. A path leads
//! to its service by the specifications, without a router.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use futures_util::future::{self, Either, Ready};
use tonic::Status;
use tower::Service;

use super::error_details::{Extra, status};
use super::http_types::{Answer, Request, Response};
use super::layers::{Admitted, KnownCallers};
use super::mount::{Mount, Mounted};
use super::service_spec::{Access, ServiceSpec, Specs};
use super::{admin_service, auth_service, revocation_service};
use crate::model::{Permission, Reason};

/// Returns the services of `gatepass.v1`, the most frequently called first.
#[must_use]
pub fn own_services() -> [Mount; 3] {
    [auth_service::mount(), admin_service::mount(), revocation_service::mount()]
}

/// Every service of the gRPC port.
#[derive(Clone)]
pub struct Front(Arc<Inner>);

struct Inner {
    specs: Specs,
    always: Vec<Mounted>,
    open: OnceLock<Open>,
}

struct Open {
    services: Vec<Mounted>,
    callers: KnownCallers,
}

impl Front {
    /// Answers with the services of `always`, and with the others of these specifications after [`Front::open`].
    #[must_use]
    pub fn new(specs: Specs, always: Vec<Mounted>) -> Self {
        Self(Arc::new(Inner { specs, always, open: OnceLock::new() }))
    }

    /// Returns the specifications of all services.
    #[must_use]
    pub fn specs(&self) -> &Specs {
        &self.0.specs
    }

    /// Opens these services.
    pub fn open(&self, services: Vec<Mounted>, callers: KnownCallers) {
        let _ = self.0.open.set(Open { services, callers });
    }
}

/// The destination of a call.
enum Route<'a> {
    /// A service that accepts every caller.
    Anybody(&'a Mounted),
    /// A service for callers with this permission. Without a service a known caller learns that the method does not
    /// exist.
    Callers(&'a KnownCallers, Option<(Permission, &'a Mounted)>),
    /// No service; the call is rejected.
    Refused(Status),
}

impl Inner {
    fn route(&self, path: &str) -> Route<'_> {
        let (method, open) = (self.specs.find(path), self.open.get());
        let service = method.and_then(|method| self.service(method.service));
        let permission = match method.map(|method| method.spec.access) {
            Some(Access::Caller(permission)) => Some(permission),
            Some(Access::Anybody) => {
                return match service {
                    Some(service) => Route::Anybody(service),
                    None if open.is_some() => Route::Refused(no_method()),
                    None => Route::Refused(starting()),
                };
            }
            None if self.specs.guards(path) => None,
            None => return Route::Refused(no_method()),
        };
        match open {
            Some(open) => Route::Callers(&open.callers, permission.zip(service)),
            None => Route::Refused(starting()),
        }
    }

    fn service(&self, spec: &ServiceSpec) -> Option<&Mounted> {
        let open = self.open.get().map_or(&[][..], |open| &open.services);
        open.iter().chain(&self.always).find(|mounted| std::ptr::eq(mounted.spec, spec))
    }
}

impl Service<Request> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Either<Admitted, Either<Answer, Ready<Result<Response, Infallible>>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match self.0.route(request.uri().path()) {
            Route::Callers(callers, wanted) => Either::Left(callers.admit(request, wanted)),
            Route::Anybody(service) => Either::Right(Either::Left(service.handler.call(request))),
            Route::Refused(status) => Either::Right(Either::Right(future::ready(Ok(status.into_http())))),
        }
    }
}

fn no_method() -> Status {
    status(Reason::NotImplemented, "no such method", Extra::none())
}

fn starting() -> Status {
    status(Reason::StoreUnavailable, "starting; waiting for the database", Extra::none())
}
