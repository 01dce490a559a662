//! Server reflection, in both versions: grpcurl and others still ask for v1alpha only. It lists what is served and
//! nothing else; what the descriptors describe besides (the callbacks that users serve) can be asked for by name.

use tonic_reflection::pb;
use tonic_reflection::server::{Builder, Error, v1, v1alpha};

/// What the gRPC port answers; the callback services of the protocol are for others to serve.
const SERVED: [&str; 6] = [
    "gatepass.v1.AuthService",
    "gatepass.v1.AdminService",
    "gatepass.v1.RevocationService",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];

/// The two reflection services over these encoded descriptors and those of the health service.
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
        let builder = Builder::configure()
            .register_encoded_file_descriptor_set(descriptors)
            .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET);
        SERVED.into_iter().fold(builder, Builder::with_service_name)
    };
    Ok((builder().build_v1()?, builder().build_v1alpha()?))
}
