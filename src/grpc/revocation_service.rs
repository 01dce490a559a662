//! `gatepass.v1.RevocationService`: comes with a later version.

use tonic::{Request, Response, Status, async_trait};

use super::not_yet::{Never, not_yet};
use super::proto::v1;
use super::proto::v1::revocation_service_server::RevocationService;

/// The service.
#[derive(Clone)]
pub(super) struct RevocationServiceImpl;

#[async_trait]
impl RevocationService for RevocationServiceImpl {
    type WatchRevocationsStream = Never<v1::WatchRevocationsResponse>;

    async fn watch_revocations(
        &self,
        _: Request<v1::WatchRevocationsRequest>,
    ) -> Result<Response<Self::WatchRevocationsStream>, Status> {
        not_yet("WatchRevocations")
    }
}
