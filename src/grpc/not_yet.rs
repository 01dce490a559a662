//! What this version names and does not do yet.

use tonic::{Response, Status};

use crate::auth::Error;

/// A stream that never is.
pub(super) type Never<T> = futures_util::stream::Pending<Result<T, Status>>;

/// The answer of an RPC that comes with a later version.
pub(super) fn not_yet<T>(rpc: &'static str) -> Result<Response<T>, Status> {
    Err(Error::NotImplemented(rpc).into())
}
