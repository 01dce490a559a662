//! The callers of a test: the `callers` section, and the key of each caller.

use gatepass::grpc::proto::SERVICES;
use gatepass::grpc::service_spec::Access;
use gatepass::model::{Permission, sha256};
use tonic::transport::Channel;
use tonic::{Code, Response, Status};

use super::with_key;

/// Returns the path of every method of `gatepass.v1`, with its required permission.
pub fn methods() -> Vec<(String, Permission)> {
    let services = SERVICES.into_iter().flat_map(|service| {
        let of_service = service.methods.iter();
        of_service.map(|method| match method.access {
            Access::Caller(permission) => (format!("{}{}", service.prefix, method.name), permission),
            Access::Anybody => panic!("{} is open", method.name),
        })
    });
    services.collect()
}

/// Returns the key of the caller with this id.
pub fn key(id: &str) -> String {
    format!("key-of-{id}")
}

/// Builds one entry of `callers`, identified by its [`key`]; `more` contains at least `allow`.
pub fn caller(id: &str, more: &str) -> String {
    format!("  - {{id: '{id}', credential: {}, {more}}}\n", credential(&key(id)))
}

/// Builds the credential for a bearer key.
pub fn credential(key: &str) -> String {
    let hash = sha256(key.as_bytes()).map(|byte| format!("{byte:02x}")).concat();
    format!("{{key_sha256: '{hash}'}}")
}

/// Builds the section from these entries.
pub fn callers(entries: &[String]) -> String {
    format!("callers:\n{}", entries.concat())
}

/// Calls a method by its path with an empty message.
pub async fn call(channel: &Channel, path: &str, key: &str) -> Result<Response<()>, Status> {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.map_err(|error| Status::new(Code::Unknown, error.to_string()))?;
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    client.unary(with_key((), key), path.parse().unwrap(), codec).await
}
