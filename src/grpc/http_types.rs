//! The request and response types that every layer and service shares.

use std::convert::Infallible;
use std::pin::Pin;

use tonic::body::Body;

/// The request type of every layer.
pub type Request = http::Request<Body>;
/// The response type of every layer.
pub type Response = http::Response<Body>;
/// The future of a tonic service.
pub type Answer = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;
