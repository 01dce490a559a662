//! Specifications of services: everything that the layers know of a service of any package. The build makes those of
//! `gatepass.v1`; any other is written beside its service.

use std::sync::Arc;

use tonic::Status;

use super::http_types::Response;
use crate::model::Permission;

/// The maximum size of a message to services without authentication, in bytes: health and reflection requests contain a
/// name. Each stream may hold as much, and its caller is unknown.
pub(super) const ASKED_BY_NAME: usize = 1024;

/// A service.
#[derive(Debug)]
pub struct ServiceSpec {
    /// The prefix of its paths, for example `/gatepass.v1.AuthService/`.
    pub prefix: &'static str,
    /// Its methods.
    pub methods: &'static [MethodSpec],
    /// The encoding of its errors.
    pub errors: ErrorEncoding,
    /// The maximum size of a message to it, in bytes; `server.max_message_bytes` if not set.
    pub max_message_bytes: Option<usize>,
    /// An encoded `google.protobuf.FileDescriptorSet` that describes it, for reflection; empty if there is none.
    pub descriptors: &'static [u8],
}

/// A method of a service.
#[derive(Debug)]
pub struct MethodSpec {
    /// Its name.
    pub name: &'static str,
    /// The callers that may call it.
    pub access: Access,
    /// The kind of the method.
    pub kind: MethodKind,
    /// The time limit of the method, as a multiple of `server.request_timeout`.
    pub timeouts: u32,
}

/// The callers that may call a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Every caller, known or not.
    Anybody,
    /// A known caller with this permission.
    Caller(Permission),
}

/// The kinds of methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MethodKind {
    /// One request, one response.
    Unary,
    /// One request, and a stream of responses that does not end by itself.
    ServerStream,
    /// A stream in each direction.
    BidiStream,
}

/// The ways to encode an error.
#[derive(Debug, Clone, Copy)]
pub enum ErrorEncoding {
    /// As a gRPC status.
    Status,
    /// As this response in place of the status.
    Answer(fn(&Status) -> Response),
}

impl ServiceSpec {
    /// Returns its name, for example `gatepass.v1.AuthService`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.prefix.trim_matches('/')
    }

    /// Returns the prefix of the paths of its package, for example `/gatepass.v1.`.
    fn package_prefix(&self) -> &'static str {
        self.prefix.rfind('.').map_or(self.prefix, |dot| &self.prefix[..=dot])
    }
}

/// The services of a server.
#[derive(Debug, Clone)]
pub struct Specs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Each with the number of its first method.
    services: Vec<(&'static ServiceSpec, usize)>,
    /// The prefixes of packages that require authentication.
    guarded: Vec<&'static str>,
}

/// A method of the server.
#[derive(Debug, Clone, Copy)]
pub struct Method {
    /// Its service.
    pub service: &'static ServiceSpec,
    /// Its specification.
    pub spec: &'static MethodSpec,
    /// Its number among all methods of the server.
    pub(super) number: usize,
}

impl Specs {
    /// Makes the specifications of these services, the most frequently called first.
    #[must_use]
    pub fn new(specs: impl IntoIterator<Item = &'static ServiceSpec>) -> Self {
        let (mut services, mut guarded, mut number) = (Vec::new(), Vec::new(), 0);
        for spec in specs {
            services.push((spec, number));
            number += spec.methods.len();
            let asks = spec.methods.iter().any(|method| method.access != Access::Anybody);
            if asks && !guarded.contains(&spec.package_prefix()) {
                guarded.push(spec.package_prefix());
            }
        }
        Self(Arc::new(Inner { services, guarded }))
    }

    /// Finds the method of a path.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<Method> {
        self.0.services.iter().find_map(|&(service, first)| {
            let name = path.strip_prefix(service.prefix)?;
            let at = service.methods.iter().position(|method| method.name == name)?;
            Some(Method { service, spec: &service.methods[at], number: first + at })
        })
    }

    /// Returns every method, by its number.
    pub(super) fn methods(&self) -> impl Iterator<Item = Method> {
        let services = self.0.services.iter();
        services.flat_map(|&(service, first)| {
            let methods = service.methods.iter().enumerate();
            methods.map(move |(at, spec)| Method { service, spec, number: first + at })
        })
    }

    /// Returns true if a path belongs to a package that requires authentication: an unknown method of it tells an
    /// unknown caller nothing.
    pub(super) fn guards(&self, path: &str) -> bool {
        self.0.guarded.iter().any(|package| path.starts_with(package))
    }
}

impl Method {
    /// Returns true if its response is a stream that does not end by itself.
    pub(super) fn streams(self) -> bool {
        self.spec.kind != MethodKind::Unary
    }
}

/// Returns the names of service and method for log and metrics, which never contain client input.
pub(super) fn names(method: Option<Method>) -> (&'static str, &'static str) {
    method.map_or(("unknown", "unknown"), |method| (method.service.name(), method.spec.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn method(name: &'static str, access: Access) -> MethodSpec {
        MethodSpec { name, access, kind: MethodKind::Unary, timeouts: 1 }
    }

    const fn service(prefix: &'static str, methods: &'static [MethodSpec]) -> ServiceSpec {
        let errors = ErrorEncoding::Status;
        ServiceSpec { prefix, methods, errors, max_message_bytes: None, descriptors: &[] }
    }

    static ASKS: ServiceSpec = service(
        "/a.v1.Asks/",
        &[method("One", Access::Caller(Permission::SignIn)), method("Two", Access::Anybody)],
    );
    static OPEN: ServiceSpec = service("/b.v1.Open/", &[method("One", Access::Anybody)]);

    #[test]
    fn a_method_is_found_by_its_path_and_numbered_among_all() {
        let specs = Specs::new([&ASKS, &OPEN]);
        let found = |path: &str| specs.find(path).map(|method| (names(Some(method)), method.number));
        assert_eq!(found("/a.v1.Asks/One"), Some((("a.v1.Asks", "One"), 0)));
        assert_eq!(found("/a.v1.Asks/Two"), Some((("a.v1.Asks", "Two"), 1)));
        assert_eq!(found("/b.v1.Open/One"), Some((("b.v1.Open", "One"), 2)));
        for path in [
            "",
            "/",
            "/a.v1.Asks",
            "/a.v1.Asks/",
            "/a.v1.Asks/one",
            "a.v1.Asks/One",
            "//a.v1.Asks/One",
            "/b.v1.Open/Two",
        ] {
            assert_eq!(found(path), None, "{path}");
        }
        assert!(specs.methods().map(|method| method.number).eq(0..3));
    }

    #[test]
    fn the_whole_package_of_a_service_that_asks_for_callers_is_guarded() {
        let specs = Specs::new([&ASKS, &OPEN]);
        for (path, guarded) in [
            ("/a.v1.Asks/One", true),
            ("/a.v1.Other/One", true),
            ("/a.v1.", true),
            ("/b.v1.Open/One", false),
            ("/a.v10.Asks/One", false),
            ("/", false),
        ] {
            assert_eq!(specs.guards(path), guarded, "{path}");
        }
    }
}
