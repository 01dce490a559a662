//! Who calls: what the caller layer found out, as the use cases take it.

use std::sync::Arc;

use tonic::Request;

use super::layers::RequestId;
use crate::auth::{Call, Caller, Error, Result};
use crate::model::Origin;

/// The call and its message. A request that no caller layer let through has no caller, and gets no further.
pub(super) fn open<T>(request: Request<T>) -> Result<(Call, T)> {
    let caller = request.extensions().get::<Arc<Caller>>().cloned().ok_or(Error::CallerUnknown)?;
    let request_id =
        request.extensions().get::<RequestId>().map_or_else(String::new, |id| id.as_str().to_owned());
    let origin = Origin { caller: caller.id.clone(), request_id, ..Origin::default() };
    Ok((Call { caller, origin }, request.into_inner()))
}
