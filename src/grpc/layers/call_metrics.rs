//! The metrics of the gRPC server, under the names of go-grpc-prometheus. The time series of a method begin with its
//! first call, at zero for every code; each call then only updates atomics. Labels never come from a request: all
//! unknown methods share the name `unknown`.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::{Registry, Unit};
use tonic::Code;

use crate::grpc::service_spec::{Method as Served, MethodKind, Specs, names};
use crate::metrics::Durations;

const UNARY: &str = "unary";

/// The codes by their number, in Go's spelling.
const CODES: [&str; 17] = [
    "OK",
    "Canceled",
    "Unknown",
    "InvalidArgument",
    "DeadlineExceeded",
    "NotFound",
    "AlreadyExists",
    "PermissionDenied",
    "ResourceExhausted",
    "FailedPrecondition",
    "Aborted",
    "OutOfRange",
    "Unimplemented",
    "Internal",
    "Unavailable",
    "DataLoss",
    "Unauthenticated",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
#[expect(clippy::struct_field_names, reason = "the labels' names")]
struct MethodLabels {
    grpc_type: &'static str,
    grpc_service: &'static str,
    grpc_method: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabels {
    #[prometheus(flatten)]
    method: MethodLabels,
    grpc_code: &'static str,
}

impl MethodLabels {
    const UNKNOWN: Self = Self { grpc_type: UNARY, grpc_service: "unknown", grpc_method: "unknown" };

    fn of(method: Served) -> Self {
        let grpc_type = match method.spec.kind {
            MethodKind::Unary => UNARY,
            MethodKind::ServerStream => "server_stream",
            MethodKind::BidiStream => "bidi_stream",
        };
        let (grpc_service, grpc_method) = names(Some(method));
        Self { grpc_type, grpc_service, grpc_method }
    }
}

/// The metric families, and the time series of each method.
#[derive(Debug)]
pub struct CallMetrics {
    started: Family<MethodLabels, Counter>,
    handled: Family<CodeLabels, Counter>,
    handling: Family<MethodLabels, Durations>,
    specs: Specs,
    /// By the number of the method.
    methods: Vec<Method>,
    unknown: Method,
}

#[derive(Debug)]
struct Method {
    labels: MethodLabels,
    lines: OnceLock<Arc<Lines>>,
}

#[derive(Debug)]
struct Lines {
    streams: bool,
    started: Counter,
    handled: [Counter; CODES.len()],
    handling: Durations,
}

impl CallMetrics {
    /// Registers the metrics of these services.
    pub fn register(registry: &mut Registry, specs: Specs) -> Self {
        let method = |labels| Method { labels, lines: OnceLock::new() };
        let this = Self {
            started: Family::default(),
            handled: Family::default(),
            handling: Family::default(),
            methods: specs.methods().map(|served| method(MethodLabels::of(served))).collect(),
            unknown: method(MethodLabels::UNKNOWN),
            specs,
        };
        registry.register("grpc_server_started", "Calls started", this.started.clone());
        registry.register("grpc_server_handled", "Calls completed, by status code", this.handled.clone());
        let help = "Duration of calls, from the request headers to the response or the end of the stream";
        registry.register_with_unit("grpc_server_handling", help, Unit::Seconds, this.handling.clone());
        this
    }

    /// Counts a call that begins.
    pub(super) fn begin(&self, path: &str) -> Counted {
        let served = self.specs.find(path);
        let method = served.and_then(|served| self.methods.get(served.number)).unwrap_or(&self.unknown);
        let lines = Arc::clone(method.lines.get_or_init(|| Arc::new(self.lines(method.labels))));
        lines.started.inc();
        Counted { lines, began: Instant::now(), code: Code::Cancelled }
    }

    fn lines(&self, method: MethodLabels) -> Lines {
        Lines {
            streams: method.grpc_type != UNARY,
            started: self.started.get_or_create_owned(&method),
            handled: CODES
                .map(|grpc_code| self.handled.get_or_create_owned(&CodeLabels { method, grpc_code })),
            handling: self.handling.get_or_create_owned(&method),
        }
    }
}

/// A call that began. It ends when this is dropped, and counts as cancelled unless `end` was called.
#[derive(Debug)]
pub(super) struct Counted {
    lines: Arc<Lines>,
    began: Instant,
    code: Code,
}

impl Counted {
    /// Returns true if the response is a stream, unless it is an immediate error.
    pub(super) fn streams(&self) -> bool {
        self.lines.streams
    }

    /// Ends the call with this code.
    pub(super) fn end(mut self, code: Code) {
        self.code = code;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.lines.handled[self.code as usize].inc();
        self.lines.handling.observe(self.began.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_the_order_of_their_numbers() {
        let go = ["OK", "Canceled"];
        for (number, name) in CODES.iter().enumerate() {
            let code = Code::from_i32(i32::try_from(number).unwrap());
            assert_eq!(code as usize, number);
            assert!(go.contains(name) || *name == format!("{code:?}"), "{name} is {code:?}");
        }
        assert_eq!((Code::Ok as usize, Code::Cancelled as usize), (0, 1));
    }
}
