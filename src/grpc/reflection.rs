//! Server reflection, in both versions: grpcurl and others still ask for v1alpha only. It lists what is served and
//! nothing else; what the descriptors describe besides (the callbacks that users serve) can be asked for by name.

use tonic_reflection::pb;
use tonic_reflection::server::{Builder, Error, v1, v1alpha};

use super::asked_by_name::MAX_BYTES;

const OWN: [&str; 3] = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];

/// The two reflection services: they describe these encoded descriptors, and list `served`, health and themselves.
pub fn services(
    descriptors: &'static [u8],
    served: &[&str],
) -> Result<
    (
        v1::ServerReflectionServer<impl v1::ServerReflection + use<>>,
        v1alpha::ServerReflectionServer<impl v1alpha::ServerReflection + use<>>,
    ),
    Error,
> {
    let builder = || {
        let described = [descriptors, tonic_health::pb::FILE_DESCRIPTOR_SET]
            .into_iter()
            .chain([pb::v1::FILE_DESCRIPTOR_SET, pb::v1alpha::FILE_DESCRIPTOR_SET])
            .fold(Builder::configure(), Builder::register_encoded_file_descriptor_set);
        let names = served.iter().chain(&OWN).copied();
        names.fold(described.include_reflection_service(false), Builder::with_service_name)
    };
    let (v1, v1alpha) = (builder().build_v1()?, builder().build_v1alpha()?);
    Ok((v1.max_decoding_message_size(MAX_BYTES), v1alpha.max_decoding_message_size(MAX_BYTES)))
}
