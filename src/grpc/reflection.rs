//! Server reflection, in both versions: grpcurl and others still use only v1alpha. It lists only the served services;
//! other descriptors (the callbacks that users implement) can be requested by name.

use tonic_reflection::pb;
use tonic_reflection::server::{Builder, Error};

use super::mount::Mounted;
use super::service_spec::{ASKED_BY_NAME, Access, ErrorEncoding, MethodKind, MethodSpec, ServiceSpec};

/// The specification of the current version.
pub static V1: ServiceSpec = spec("/grpc.reflection.v1.ServerReflection/", pb::v1::FILE_DESCRIPTOR_SET);
/// The specification of the previous version.
pub static V1ALPHA: ServiceSpec =
    spec("/grpc.reflection.v1alpha.ServerReflection/", pb::v1alpha::FILE_DESCRIPTOR_SET);

const METHODS: &[MethodSpec] = &[MethodSpec {
    name: "ServerReflectionInfo",
    access: Access::Anybody,
    kind: MethodKind::BidiStream,
    timeouts: 1,
}];

const fn spec(prefix: &'static str, descriptors: &'static [u8]) -> ServiceSpec {
    let max_message_bytes = Some(ASKED_BY_NAME);
    ServiceSpec { prefix, methods: METHODS, errors: ErrorEncoding::Status, max_message_bytes, descriptors }
}

/// The two reflection services, which list and describe these services and themselves.
pub fn services(served: &[&'static ServiceSpec]) -> Result<[Mounted; 2], Error> {
    let builder = || {
        let all = || served.iter().copied().chain([&V1, &V1ALPHA]);
        let described = all().map(|spec| spec.descriptors).filter(|set| !set.is_empty());
        let builder = described.fold(Builder::configure(), Builder::register_encoded_file_descriptor_set);
        let builder = builder.include_reflection_service(false);
        all().map(ServiceSpec::name).fold(builder, Builder::with_service_name)
    };
    let (v1, v1alpha) = (builder().build_v1()?, builder().build_v1alpha()?);
    Ok([
        Mounted::new(&V1, v1.max_decoding_message_size(ASKED_BY_NAME)),
        Mounted::new(&V1ALPHA, v1alpha.max_decoding_message_size(ASKED_BY_NAME)),
    ])
}
