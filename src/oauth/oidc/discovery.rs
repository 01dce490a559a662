//! The endpoints of an OpenID provider: as configured, and otherwise as discovered (OpenID Connect Discovery 1.0).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use url::Url;

use super::super::address::{may_be_asked, may_be_told};
use super::super::fault::{FaultKind, ProviderFault};
use super::super::provider_client::{Endpoint, ProviderClient};
use super::super::settings::{Settings, Userinfo};
use super::issuer::Issuer;
use crate::model::{ClaimMap, Clock};
use crate::net::{RefreshedCache, Source};

const FRESH_FOR: Duration = Duration::from_hours(1);

/// The endpoints of an OpenID provider, and the issuer of its ID tokens.
#[derive(Debug, Clone)]
pub(in crate::oauth) struct Endpoints {
    pub(super) issuer: Issuer,
    pub(super) authorization: Url,
    pub(super) token: Url,
    pub(super) jwks: Url,
    pub(super) userinfo: Option<Url>,
    /// True if its responses to the browser contain `iss` (RFC 9207 section 3).
    pub(super) sends_iss: bool,
}

/// The configured addresses, which override discovered ones.
#[derive(Debug, Clone)]
struct Configured {
    issuer: String,
    authorization: Option<Url>,
    token: Option<Url>,
    jwks: Option<Url>,
    userinfo: Option<Url>,
    needs_userinfo: bool,
}

impl Configured {
    /// Returns the endpoints, if discovery is not needed.
    fn all(&self) -> Option<Endpoints> {
        if self.needs_userinfo && self.userinfo.is_none() {
            return None;
        }
        Some(Endpoints {
            issuer: Issuer::Exact(self.issuer.clone()),
            authorization: self.authorization.clone()?,
            token: self.token.clone()?,
            jwks: self.jwks.clone()?,
            userinfo: self.userinfo.clone(),
            sends_iss: false,
        })
    }

    /// Returns the endpoints, with the metadata of this issuer and no other (section 4.3).
    fn with(&self, metadata: &ClaimMap) -> Result<Endpoints, ProviderFault> {
        let told = metadata.get("issuer").and_then(|issuer| issuer.as_str()).unwrap_or_default();
        let issuer = Issuer::told(told, &self.issuer)
            .ok_or_else(|| unusable("its issuer is not the configured one"))?;
        Ok(Endpoints {
            issuer,
            authorization: self.required(self.authorization.as_ref(), metadata, "authorization_endpoint")?,
            token: self.required(self.token.as_ref(), metadata, "token_endpoint")?,
            jwks: self.required(self.jwks.as_ref(), metadata, "jwks_uri")?,
            userinfo: self.optional(self.userinfo.as_ref(), metadata, "userinfo_endpoint")?,
            sends_iss: metadata.get("authorization_response_iss_parameter_supported")
                == Some(&serde_json::Value::Bool(true)),
        })
    }

    fn required(&self, set: Option<&Url>, metadata: &ClaimMap, name: &str) -> Result<Url, ProviderFault> {
        self.optional(set, metadata, name)?.ok_or_else(|| unusable(&format!("no {name}")))
    }

    fn optional(
        &self,
        set: Option<&Url>,
        metadata: &ClaimMap,
        name: &str,
    ) -> Result<Option<Url>, ProviderFault> {
        let told = match (set, metadata.get(name)) {
            (Some(url), _) => return Ok(Some(url.clone())),
            (None, None) => return Ok(None),
            (None, Some(told)) => told.as_str().and_then(|told| Url::parse(told).ok()),
        };
        match told.filter(|url| may_be_told(url, &self.issuer)) {
            Some(url) => Ok(Some(url)),
            None => Err(unusable(&format!("its {name} is no https address of another machine"))),
        }
    }
}

fn unusable(cause: &str) -> ProviderFault {
    ProviderFault::new(FaultKind::Metadata, format!("discovery: {cause}"))
}

/// Returns the address of an issuer's metadata: its `issuer` without a trailing slash, and this path (section 4).
pub(super) fn address(issuer: &str) -> Option<Url> {
    let issuer = issuer.strip_suffix('/').unwrap_or(issuer);
    let url = Url::parse(&format!("{issuer}/.well-known/openid-configuration")).ok()?;
    (url.query().is_none() && url.fragment().is_none()).then_some(url)
}

/// The source of the issuer's metadata.
pub(in crate::oauth) struct Metadata {
    address: Url,
    configured: Configured,
    client: Arc<ProviderClient>,
}

#[async_trait]
impl Source for Metadata {
    type Item = Endpoints;
    type Fault = ProviderFault;

    async fn fetch(&self, until: Instant) -> Result<(Endpoints, Duration), ProviderFault> {
        let metadata = self.client.get(Endpoint::Discovery, &self.address, until).await?.object()?;
        Ok((self.configured.with(&metadata)?, FRESH_FOR))
    }

    fn log_stale(&self, fault: &ProviderFault) {
        self.client.log_stale(Endpoint::Discovery, fault);
    }
}

/// The endpoints of one provider, known or to be discovered.
pub(in crate::oauth) enum Discovery {
    Known(Arc<Endpoints>),
    Told(RefreshedCache<Metadata>),
}

impl Discovery {
    /// Makes the endpoints without a request.
    pub(in crate::oauth) fn new(
        settings: &Settings,
        issuer: &str,
        jwks_url: Option<&Url>,
        userinfo: Userinfo,
        client: &Arc<ProviderClient>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let configured = Configured {
            issuer: issuer.to_owned(),
            authorization: settings.authorization_url.clone(),
            token: settings.token_url.clone(),
            jwks: jwks_url.cloned(),
            userinfo: settings.userinfo_url.clone(),
            needs_userinfo: userinfo == Userinfo::Always,
        };
        let address = address(issuer).filter(may_be_asked);
        let address = address.ok_or("issuer: must be an https address without a query")?;
        if let Some(endpoints) = configured.all() {
            return Ok(Self::Known(Arc::new(endpoints)));
        }
        let source = Metadata { address, configured, client: Arc::clone(client) };
        Ok(Self::Told(RefreshedCache::new(source, Arc::clone(clock), settings.timeout)))
    }

    pub(super) async fn endpoints(&self, until: Instant) -> Result<Arc<Endpoints>, ProviderFault> {
        match self {
            Self::Known(endpoints) => Ok(Arc::clone(endpoints)),
            Self::Told(kept) => kept.get(until).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn configured() -> Configured {
        Configured {
            issuer: "https://idp.example".to_owned(),
            authorization: None,
            token: None,
            jwks: None,
            userinfo: None,
            needs_userinfo: false,
        }
    }

    fn metadata(change: &Value) -> ClaimMap {
        let mut metadata = json!({
            "issuer": "https://idp.example",
            "authorization_endpoint": "https://idp.example/authorize",
            "token_endpoint": "https://api.idp.example/token",
            "jwks_uri": "https://idp.example/jwks",
            "userinfo_endpoint": "https://idp.example/userinfo",
        });
        let members = metadata.as_object_mut().unwrap();
        for (name, value) in change.as_object().unwrap() {
            if value.is_null() {
                members.remove(name);
            } else {
                members.insert(name.clone(), value.clone());
            }
        }
        members.clone()
    }

    #[test]
    fn metadata_that_lead_astray_are_refused() {
        for change in [
            json!({"issuer": "https://other.example"}),
            json!({"issuer": "https://idp.example/"}),
            json!({"issuer": ["https://idp.example"]}),
            json!({"issuer": null}),
            json!({"token_endpoint": null}),
            json!({"token_endpoint": "http://api.idp.example/token"}),
            json!({"token_endpoint": "/token"}),
            json!({"token_endpoint": 7}),
            json!({"authorization_endpoint": "javascript:alert(1)"}),
            json!({"jwks_uri": "file:///etc/passwd"}),
            json!({"jwks_uri": "https://user:password@idp.example/jwks"}),
            json!({"userinfo_endpoint": "http://idp.example/userinfo"}),
            json!({"jwks_uri": "http://127.0.0.1/jwks"}),
            json!({"token_endpoint": "https://localhost/token"}),
        ] {
            let fault = configured().with(&metadata(&change)).unwrap_err();
            assert_eq!(fault.kind, FaultKind::Metadata, "{change}");
        }
        assert!(configured().with(&metadata(&json!({"userinfo_endpoint": null}))).is_ok());
    }

    #[test]
    fn what_is_configured_wins_over_what_is_told() {
        let url = |path: &str| Some(Url::parse(&format!("https://set.example/{path}")).unwrap());
        let mut set = Configured { token: url("token"), jwks: url("jwks"), ..configured() };
        let broken = json!({"token_endpoint": "http://idp.example", "jwks_uri": null});
        let endpoints = set.with(&metadata(&broken)).unwrap();
        assert_eq!((Some(endpoints.token), Some(endpoints.jwks)), (url("token"), url("jwks")));
        assert!(set.all().is_none());
        // With all needed addresses set, no request is sent.
        set.authorization = url("authorize");
        assert!(set.all().is_some());
        set.needs_userinfo = true;
        assert!(set.all().is_none());
        set.userinfo = url("userinfo");
        assert!(set.all().is_some());
    }

    #[test]
    fn metadata_are_below_the_issuer() {
        for (issuer, wanted) in [
            ("https://idp.example", "https://idp.example/.well-known/openid-configuration"),
            ("https://idp.example/", "https://idp.example/.well-known/openid-configuration"),
            ("https://idp.example/a/v2.0", "https://idp.example/a/v2.0/.well-known/openid-configuration"),
            ("https://idp.example/a/", "https://idp.example/a/.well-known/openid-configuration"),
        ] {
            assert_eq!(address(issuer).unwrap().as_str(), wanted);
        }
        for bad in ["", "idp.example", "https://idp.example?a=b", "https://idp.example#a"] {
            assert_eq!(address(bad), None, "{bad}");
        }
    }
}
