//! Which service answers a call: health and reflection from the first moment on, ours once it is ready. The hot
//! service is found by its path's beginning, without a router.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use futures_util::future::Either;
use tonic::Status;
use tonic::server::NamedService as _;
use tonic::service::Routes;
use tower::Service;

use super::admin_service::AdminServiceImpl;
use super::auth_service::AuthServiceImpl;
use super::error_details::{Extra, status};
use super::layers::{KnownCallers, Request, Response};
use super::proto::v1::admin_service_server::AdminServiceServer;
use super::proto::v1::auth_service_server::AuthServiceServer;
use super::proto::v1::revocation_service_server::RevocationServiceServer;
use super::revocation_service::RevocationServiceImpl;
use crate::auth::{Auth, Callers};
use crate::model::Reason;

type Answer = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

/// The services of `gatepass.v1`.
#[derive(Clone)]
pub struct Services {
    auth: AuthServiceServer<AuthServiceImpl>,
    admin: AdminServiceServer<AdminServiceImpl>,
    revocation: RevocationServiceServer<RevocationServiceImpl>,
}

impl Services {
    /// Their names.
    pub const NAMES: [&str; 3] = [
        AuthServiceServer::<AuthServiceImpl>::NAME,
        AdminServiceServer::<AdminServiceImpl>::NAME,
        RevocationServiceServer::<RevocationServiceImpl>::NAME,
    ];

    /// The services over the use cases; a message may have so many bytes.
    #[must_use]
    pub fn new(auth: &Arc<Auth>, max_message_bytes: usize) -> Self {
        let (calls, admin) = (AuthServiceImpl(Arc::clone(auth)), AdminServiceImpl(Arc::clone(auth)));
        Self {
            auth: AuthServiceServer::new(calls).max_decoding_message_size(max_message_bytes),
            admin: AdminServiceServer::new(admin).max_decoding_message_size(max_message_bytes),
            revocation: RevocationServiceServer::new(RevocationServiceImpl)
                .max_decoding_message_size(max_message_bytes),
        }
    }

    /// The services, for callers that are known and allowed.
    #[must_use]
    pub fn for_callers(self, callers: Arc<Callers>, auth: Arc<Auth>) -> KnownCallers<Self> {
        KnownCallers::new(self, callers, auth)
    }
}

impl Service<Request> for Services {
    type Response = Response;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Answer {
        let path = request.uri().path();
        if path.starts_with("/gatepass.v1.AuthService/") {
            self.auth.call(request)
        } else if path.starts_with("/gatepass.v1.AdminService/") {
            self.admin.call(request)
        } else {
            self.revocation.call(request)
        }
    }
}

/// Every service of the gRPC port.
#[derive(Clone)]
pub struct Front {
    ready: Arc<OnceLock<KnownCallers<Services>>>,
    always: Routes,
}

impl Front {
    /// Answers health and reflection; ours when [`Front::open`] says so.
    #[must_use]
    pub fn new(always: Routes) -> Self {
        Self { ready: Arc::default(), always: always.prepare() }
    }

    /// From now on our services answer.
    pub fn open(&self, services: KnownCallers<Services>) {
        let _ = self.ready.set(services);
    }
}

impl Service<Request> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Either<<KnownCallers<Services> as Service<Request>>::Future, Answer>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request>::poll_ready(&mut self.always, cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if !request.uri().path().starts_with("/gatepass.v1.") {
            return Either::Right(Box::pin(self.always.call(request)));
        }
        match self.ready.get() {
            Some(services) => Either::Left(services.clone().call(request)),
            None => Either::Right(Box::pin(async { Ok(starting().into_http()) })),
        }
    }
}

fn starting() -> Status {
    status(Reason::StoreUnavailable, "starting: waiting for the database", Extra::none())
}
