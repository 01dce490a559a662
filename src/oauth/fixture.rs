//! Settings of a provider for unit tests.

use std::sync::Arc;
use std::time::Duration;

use super::settings::{
    AssertionAudience, ClientAuthentication, ProfileFields, ProviderKind, ReadProfile, ResponseMode,
    Settings, UserinfoRequest,
};
use crate::model::ClaimMap;

/// Returns the same fields for every profile.
#[derive(Debug)]
pub(super) struct Always(pub(super) Result<ProfileFields, String>);

impl ReadProfile for Always {
    fn read(&self, _: &ClaimMap) -> Result<ProfileFields, String> {
        self.0.clone()
    }
}

pub(super) fn settings() -> Settings {
    Settings {
        id: "idp".parse().unwrap(),
        kind: ProviderKind::OAuth2 { issuer: "https://idp.example".to_owned() },
        client_id: "client".to_owned(),
        audiences: Vec::new(),
        nonce_is_optional: false,
        client_authentication: ClientAuthentication::None,
        client_assertion_audience: AssertionAudience::Issuer,
        scopes: vec!["profile".to_owned()],
        authorization_url: None,
        token_url: None,
        userinfo_url: None,
        userinfo_request: UserinfoRequest::default(),
        emails_url: None,
        pkce: true,
        authorization_params: Vec::new(),
        response_mode: ResponseMode::Query,
        profile: Arc::new(Always(Ok(ProfileFields::default()))),
        ca: None,
        plaintext: false,
        proxy: None,
        timeout: Duration::from_secs(8),
        clock_leeway: Duration::from_secs(10),
    }
}
