//! All layers around a service.

use std::sync::Arc;
use std::time::Duration;

use super::catch_panic::CatchPanic;
use super::deadline::Deadlines;
use super::encode_errors::EncodeErrors;
use super::normalize_status::NormalizeStatus;
use super::request_id::{Ids, RequestIds};
use super::stream_end::StreamEnd;
use super::trace::Trace;
use crate::grpc::service_spec::Specs;

/// A service with all layers around it.
pub type Layered<S> = RequestIds<EncodeErrors<Trace<NormalizeStatus<Deadlines<CatchPanic<StreamEnd<S>>>>>>>;

/// Wraps a service, or all services of a server, in all layers.
pub fn layered<S>(service: S, specs: &Specs, ids: Arc<Ids>, request_timeout: Duration) -> Layered<S> {
    let service = CatchPanic::new(StreamEnd::new(service, specs.clone()), specs.clone());
    let service = NormalizeStatus::new(Deadlines::new(service, specs.clone(), request_timeout));
    RequestIds::new(EncodeErrors::new(Trace::new(service, specs.clone()), specs.clone()), ids)
}
