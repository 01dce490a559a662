//! The protocol as `build.rs` made it from `proto/`: messages, clients and servers of `gatepass.v1` and
//! `gatepass.callback.v1`, the descriptor set for reflection, and the permission that each method asks for.

use crate::model::Permission;

include!(concat!(env!("OUT_DIR"), "/permissions.rs"));

/// All files of the protocol and what they import, with options and comments: an encoded
/// `google.protobuf.FileDescriptorSet`.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/gatepass.binpb"));

/// Package `gatepass.v1`: what Gatepass serves.
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

/// Package `gatepass.callback`: what users of Gatepass serve.
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

    use super::*;

    /// Which RPC asks for what, by service.
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
        let declared: BTreeMap<String, Permission> =
            METHODS.iter().map(|(path, permission)| ((*path).to_owned(), *permission)).collect();
        assert_eq!(declared, pinned);
    }

    #[test]
    fn every_method_served_has_a_permission_and_callbacks_have_none() {
        let files = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap().file;
        let mut served = 0;
        for file in &files {
            for service in &file.service {
                for method in &service.method {
                    let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                    let listed =
                        METHODS.iter().find(|(listed, _)| *listed == path).map(|(_, permission)| *permission);
                    assert_eq!(permission_of(&path), listed, "{path}");
                    assert_eq!(listed.is_some(), file.package() == "gatepass.v1", "{path}");
                    served += usize::from(listed.is_some());
                }
            }
        }
        assert_eq!(served, METHODS.len());
    }

    #[test]
    fn a_path_that_is_no_method_has_no_permission() {
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
    fn the_descriptor_set_holds_all_that_it_imports() {
        let files = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap().file;
        for file in &files {
            for import in &file.dependency {
                assert!(files.iter().any(|file| file.name() == import), "{} imports {import}", file.name());
            }
        }
    }
}
