//! The protocol, generated from `proto/`: messages, clients and servers of `gatepass.v1` and `gatepass.callback.v1`. It
//! includes the descriptor set for reflection and the specifications of the services.

use super::service_spec::{Access, ErrorEncoding, MethodKind, MethodSpec, ServiceSpec};
use crate::model::Permission;

include!(concat!(env!("OUT_DIR"), "/services.rs"));

/// All files of the protocol and what they import, with options and comments: an encoded
/// `google.protobuf.FileDescriptorSet`.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/gatepass.binpb"));

/// Package `gatepass.v1`: the services of Gatepass.
#[expect(
    clippy::pedantic,
    clippy::large_enum_variant,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
pub mod v1 {
    tonic::include_proto!("gatepass.v1");
}

/// Package `gatepass.callback`: services that users of Gatepass implement.
pub mod callback {
    /// Package `gatepass.callback.v1`: the four callbacks.
    #[expect(
        clippy::pedantic,
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        reason = "generated code"
    )]
    pub mod v1 {
        tonic::include_proto!("gatepass.callback.v1");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use prost::Message as _;
    use prost_types::FileDescriptorSet;

    use super::super::service_spec::Specs;
    use super::*;

    /// Returns the permission that each method requires, by its path.
    fn declared() -> BTreeMap<String, Permission> {
        let mut declared = BTreeMap::new();
        for service in SERVICES {
            for method in service.methods {
                let Access::Caller(permission) = method.access else { panic!("{} is open", method.name) };
                declared.insert(format!("{}{}", service.prefix, method.name), permission);
            }
        }
        declared
    }

    fn permission_of(path: &str) -> Option<Permission> {
        match Specs::new(SERVICES).find(path)?.spec.access {
            Access::Caller(permission) => Some(permission),
            Access::Anybody => None,
        }
    }

    /// The RPCs that require each permission, by service.
    const PERMISSIONS: &[(&str, Permission, &[&str])] = &[
        (
            "AuthService",
            Permission::SignIn,
            &["BeginSignIn", "SignIn", "IssueToken", "RefreshToken", "SignOut"],
        ),
        ("AuthService", Permission::SessionRead, &["GetSession", "ResolveRedirect"]),
        ("RevocationService", Permission::RevocationWatch, &["WatchRevocations"]),
        (
            "AdminService",
            Permission::AdminRead,
            &["GetUser", "ListUsers", "ListAccounts", "ListSessions", "ListAuthLogs", "WatchAuthLogs"],
        ),
        (
            "AdminService",
            Permission::AdminWrite,
            &[
                "CreateUser",
                "UpdateUser",
                "DeleteUser",
                "UnlinkAccount",
                "RevokeSession",
                "RevokeUserSessions",
            ],
        ),
    ];

    #[test]
    fn each_method_asks_for_the_permission_that_the_contract_gives_it() {
        let pinned: BTreeMap<String, Permission> = PERMISSIONS
            .iter()
            .flat_map(|(service, permission, methods)| {
                methods.iter().map(move |method| (format!("/gatepass.v1.{service}/{method}"), *permission))
            })
            .collect();
        assert_eq!(declared(), pinned);
    }

    #[test]
    fn every_method_served_has_a_permission_and_callbacks_have_none() {
        let files = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap().file;
        let (declared, mut served) = (declared(), 0);
        for file in &files {
            for service in &file.service {
                for method in &service.method {
                    let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                    let listed = declared.get(&path).copied();
                    assert_eq!(permission_of(&path), listed, "{path}");
                    assert_eq!(listed.is_some(), file.package() == "gatepass.v1", "{path}");
                    served += usize::from(listed.is_some());
                }
            }
        }
        assert_eq!(served, declared.len());
    }

    #[test]
    fn an_unknown_path_has_no_permission() {
        for path in [
            "",
            "/",
            "SignIn",
            "gatepass.v1.AuthService/SignIn",
            "/gatepass.v1.AuthService",
            "/gatepass.v1.AuthService/",
            "/gatepass.v1.AuthService/signin",
            "/gatepass.v1.AuthService/SignIn/",
            "/gatepass.v1.AuthService//SignIn",
            "//gatepass.v1.AuthService/SignIn",
            "/gatepass.v1.AdminService/SignIn",
            "/grpc.health.v1.Health/Check",
        ] {
            assert_eq!(permission_of(path), None, "{path}");
        }
    }

    #[test]
    fn the_proto_marks_streams_and_methods_with_a_doubled_timeout() {
        let specs = Specs::new(SERVICES);
        let method = |path: &str| specs.find(path).unwrap();
        for (path, streams, timeouts) in [
            ("/gatepass.v1.AuthService/SignIn", false, 2),
            ("/gatepass.v1.AuthService/BeginSignIn", false, 2),
            ("/gatepass.v1.AuthService/GetSession", false, 1),
            ("/gatepass.v1.RevocationService/WatchRevocations", true, 1),
            ("/gatepass.v1.AdminService/WatchAuthLogs", true, 1),
        ] {
            assert_eq!((method(path).streams(), method(path).spec.timeouts), (streams, timeouts), "{path}");
        }
    }

    #[test]
    fn the_descriptor_set_holds_all_that_it_imports() {
        let files = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap().file;
        for file in &files {
            for import in &file.dependency {
                assert!(files.iter().any(|file| file.name() == import), "{} imports {import}", file.name());
            }
        }
    }
}
