//! A service of a foreign package in one file: its messages, its specification, and its implementation.

use std::convert::Infallible;
use std::future::{self, Future};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use gatepass::grpc::http_types::{Answer, Request, Response};
use gatepass::grpc::mount::Mount;
use gatepass::grpc::service_spec::{Access, ErrorEncoding, MethodKind, MethodSpec, ServiceSpec};
use gatepass::model::Permission;
use http::{HeaderMap, HeaderValue};
use http_body_util::{BodyExt as _, Full};
use prost::Message as _;
use tonic::Status;
use tonic::body::Body;
use tonic::server::{Grpc, UnaryService};
use tonic_prost::ProstCodec;
use tower::Service;

/// The request of each method.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Said {
    #[prost(string, tag = "1")]
    pub text: String,
}

/// The response of each method.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Heard {
    #[prost(string, tag = "1")]
    pub text: String,
    /// The reason of a rejection, for a service whose clients read no gRPC status.
    #[prost(string, tag = "2")]
    pub refused: String,
}

const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "Say",
        access: Access::Caller(Permission::SessionRead),
        kind: MethodKind::Unary,
        timeouts: 1,
    },
    MethodSpec {
        name: "Ponder",
        access: Access::Caller(Permission::AdminRead),
        kind: MethodKind::Unary,
        timeouts: 2,
    },
    MethodSpec { name: "Greet", access: Access::Anybody, kind: MethodKind::Unary, timeouts: 1 },
];

/// A service that reports errors as gRPC statuses.
pub static ECHO: ServiceSpec = ServiceSpec {
    prefix: "/foreign.v1.Echo/",
    methods: METHODS,
    errors: ErrorEncoding::Status,
    max_message_bytes: Some(64),
    descriptors: &[],
};

/// The same service under another name, with errors inside its responses.
pub static TELLER: ServiceSpec = ServiceSpec {
    prefix: "/foreign.v1.Teller/",
    methods: METHODS,
    errors: ErrorEncoding::Answer(refused),
    max_message_bytes: None,
    descriptors: &[],
};

/// Builds the mounts of both services.
pub fn mounts() -> [Mount; 2] {
    [&ECHO, &TELLER].map(|spec| Mount::new(spec, |_, limit| Echo { limit }))
}

fn refused(status: &Status) -> Response {
    let reason = status.metadata().get("gatepass-reason").unwrap().to_str().unwrap().to_owned();
    let message = Heard { text: String::new(), refused: reason }.encode_to_vec();
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let frame = Bytes::from([&[0], &length[..], &message].concat());
    let trailers = HeaderMap::from_iter([(Status::GRPC_STATUS, HeaderValue::from_static("0"))]);
    let body = Full::new(frame).with_trailers(future::ready(Some(Ok(trailers))));
    http::Response::builder().header("content-type", "application/grpc").body(Body::new(body)).unwrap()
}

#[derive(Clone)]
struct Echo {
    limit: usize,
}

impl Service<Request> for Echo {
    type Response = Response;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Answer {
        let ponders = request.uri().path().ends_with("/Ponder");
        let grpc = Grpc::new(ProstCodec::<Heard, Said>::default());
        let mut grpc = grpc.apply_max_message_size_config(Some(self.limit), None);
        Box::pin(async move { Ok(grpc.unary(Method { ponders }, request).await) })
    }
}

struct Method {
    ponders: bool,
}

impl UnaryService<Said> for Method {
    type Response = Heard;
    type Future = Pin<Box<dyn Future<Output = Result<tonic::Response<Heard>, Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<Said>) -> Self::Future {
        let ponders = self.ponders;
        Box::pin(async move {
            if ponders {
                future::pending::<()>().await;
            }
            let Said { text } = request.into_inner();
            assert!(text != "panic", "this panic belongs to the test");
            Ok(tonic::Response::new(Heard { text, refused: String::new() }))
        })
    }
}
