//! `gatepass.v1.RevocationService`: a later version implements it.

use tonic::{Request, Response, Status, async_trait};

use super::mount::Mount;
use super::not_yet::{Never, not_yet};
use super::proto::v1::revocation_service_server::{RevocationService, RevocationServiceServer};
use super::proto::{REVOCATION_SERVICE, v1};

/// Builds the mount of this service.
pub(super) fn mount() -> Mount {
    Mount::new(&REVOCATION_SERVICE, |_, limit| {
        RevocationServiceServer::new(RevocationServiceImpl).max_decoding_message_size(limit)
    })
}

/// The service.
struct RevocationServiceImpl;

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
