//! The layers around every call, from the outermost: its id, the encoding of its errors, its log line, the
//! normalisation of statuses, its deadline, panics, the end of streams. Each is a plain tower service without boxes,
//! because `GetSession` passes through all of them. Callers are checked further inside, with the services. On the gRPC
//! port [`Measure`] wraps them all.

mod call_metrics;
mod callers;
mod catch_panic;
mod context;
mod deadline;
mod encode_errors;
mod measure;
mod normalize_status;
mod request_id;
mod stack;
mod stream_end;
mod trace;

pub use super::http_types::{Request, Response};
pub use call_metrics::CallMetrics;
pub use callers::{Admitted, KnownCallers};
pub use catch_panic::CatchPanic;
pub use deadline::Deadlines;
pub use encode_errors::EncodeErrors;
pub use measure::Measure;
pub use normalize_status::NormalizeStatus;
pub use request_id::{Ids, RequestId, RequestIds};
pub use stack::{Layered, layered};
pub use stream_end::StreamEnd;
pub use trace::{CallerName, Trace};
