//! RPCs that the protocol names and this version does not implement.

use tonic::{Response, Status};

use crate::auth::Error;

/// A stream that never yields.
pub(super) type Never<T> = futures_util::stream::Pending<Result<T, Status>>;

/// Answers an RPC that a later version implements.
pub(super) fn not_yet<T>(rpc: &'static str) -> Result<Response<T>, Status> {
    Err(Error::NotImplemented(rpc).into())
}
