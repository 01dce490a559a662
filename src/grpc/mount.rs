//! Services with their specifications, as they are mounted on the gRPC port.

use std::convert::Infallible;
use std::sync::Arc;

use tower::Service;

use super::http_types::{Answer, Request, Response};
use super::service_spec::ServiceSpec;
use crate::auth::Auth;

/// A service that answers calls. It is always ready, like the servers of tonic.
pub(super) trait Handler: Send + Sync {
    /// Answers a call.
    fn call(&self, request: Request) -> Answer;
}

impl<S> Handler for S
where
    S: Service<Request, Response = Response, Error = Infallible, Future = Answer> + Clone + Send + Sync,
{
    fn call(&self, request: Request) -> Answer {
        Service::call(&mut self.clone(), request)
    }
}

/// A service and its specification.
pub struct Mounted {
    pub(super) spec: &'static ServiceSpec,
    pub(super) handler: Box<dyn Handler>,
}

impl Mounted {
    /// Mounts a server of tonic with its specification.
    pub fn new<S>(spec: &'static ServiceSpec, service: S) -> Self
    where
        S: Service<Request, Response = Response, Error = Infallible, Future = Answer>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        Self { spec, handler: Box::new(service) }
    }
}

type Make = dyn Fn(&Arc<Auth>, usize) -> Mounted + Send + Sync;

/// A service that is made once the use cases exist.
pub struct Mount {
    spec: &'static ServiceSpec,
    make: Box<Make>,
}

impl Mount {
    /// Makes a mount of this specification; `make` receives the use cases and the maximum size of a message in bytes.
    pub fn new<S>(
        spec: &'static ServiceSpec,
        make: impl Fn(&Arc<Auth>, usize) -> S + Send + Sync + 'static,
    ) -> Self
    where
        S: Service<Request, Response = Response, Error = Infallible, Future = Answer>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        let make = move |auth: &Arc<Auth>, limit| Mounted::new(spec, make(auth, limit));
        Self { spec, make: Box::new(make) }
    }

    /// Returns its specification.
    #[must_use]
    pub fn spec(&self) -> &'static ServiceSpec {
        self.spec
    }

    /// Makes the service over these use cases; the maximum size of a message in bytes applies unless its specification
    /// has its own.
    #[must_use]
    pub fn over(&self, auth: &Arc<Auth>, max_message_bytes: usize) -> Mounted {
        (self.make)(auth, self.spec.max_message_bytes.unwrap_or(max_message_bytes))
    }
}
