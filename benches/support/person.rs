//! A person who signs in.

use gatepass::grpc::proto::v1::{self, sign_in_request};

/// Builds the sign-in of a person whose verified e-mail the caller vouches for.
pub fn signs_in(who: &str) -> v1::SignInRequest {
    let profile = v1::ProfileCredential {
        provider: "github".to_owned(),
        provider_account_id: who.to_owned(),
        email: Some(format!("{who}@example.com")),
        email_verified: true,
        name: Some("Ada Lovelace".to_owned()),
        ..Default::default()
    };
    let credential = Some(sign_in_request::Credential::Profile(profile));
    v1::SignInRequest { credential, ..Default::default() }
}
