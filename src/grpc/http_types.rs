//! Requests and answers as every layer and every service has them.

use std::convert::Infallible;
use std::pin::Pin;

use tonic::body::Body;

/// A request as every layer takes it.
pub type Request = http::Request<Body>;
/// A response as every layer answers it.
pub type Response = http::Response<Body>;
/// The future of a service of tonic.
pub type Answer = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;
