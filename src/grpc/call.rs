//! The caller and origin of a call, from the caller layer to the use cases.

use std::sync::Arc;

use tonic::Request;

use super::layers::RequestId;
use crate::auth::{Call, Caller, Error, Result};
use crate::model::Origin;

/// Returns the call and its message. A request that did not pass the caller layer has no caller, and is rejected.
pub(super) fn open<T>(request: Request<T>) -> Result<(Call, T)> {
    let caller = request.extensions().get::<Arc<Caller>>().cloned().ok_or(Error::CallerUnknown)?;
    let request_id =
        request.extensions().get::<RequestId>().map_or_else(String::new, |id| id.as_str().to_owned());
    let origin = Origin { caller: caller.id.clone(), request_id, ..Origin::default() };
    Ok((Call { caller, origin }, request.into_inner()))
}
