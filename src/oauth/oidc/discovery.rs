//! The endpoints of an OpenID provider: as configured, and otherwise as discovered (OpenID Connect Discovery 1.0).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use url::Url;

use super::super::address::{may_be_asked, may_be_opened, may_be_told};
use super::super::fault::{FaultKind, ProviderFault};
use super::super::provider_client::{Endpoint, ProviderClient};
use super::super::settings::{ProviderKind, Settings, Userinfo};
use super::issuer::Issuer;
use crate::model::{ClaimMap, Clock};
use crate::net::{Plaintext, RefreshedCache, Source};

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
    /// The address of the metadata.
    document: Url,
    /// True if the operator named that address. The metadata then have exactly the configured issuer.
    document_is_set: bool,
    plaintext: Plaintext,
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
            .filter(|_| !self.document_is_set || told == self.issuer)
            .ok_or_else(|| unusable("its issuer is not the configured one"))?;
        Ok(Endpoints {
            issuer,
            authorization: self.page(metadata)?,
            token: self.required(self.token.as_ref(), metadata, "token_endpoint")?,
            jwks: self.required(self.jwks.as_ref(), metadata, "jwks_uri")?,
            userinfo: self.optional(self.userinfo.as_ref(), metadata, "userinfo_endpoint")?,
            sends_iss: metadata.get("authorization_response_iss_parameter_supported")
                == Some(&serde_json::Value::Bool(true)),
        })
    }

    fn page(&self, metadata: &ClaimMap) -> Result<Url, ProviderFault> {
        const NAME: &str = "authorization_endpoint";
        let rule = |url: &Url| may_be_opened(url, &self.document);
        let page = one_of(self.authorization.as_ref(), metadata, NAME, rule)?;
        page.ok_or_else(|| unusable(&format!("no {NAME}")))
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
        one_of(set, metadata, name, |url| may_be_told(url, &self.document, self.plaintext))
    }
}

/// Returns the configured address, or the one in the metadata, which must obey the rule.
fn one_of(
    set: Option<&Url>,
    metadata: &ClaimMap,
    name: &str,
    rule: impl Fn(&Url) -> bool,
) -> Result<Option<Url>, ProviderFault> {
    // An address that is none counts as absent: it harms only those who need it.
    let told = match (set, metadata.get(name).and_then(serde_json::Value::as_str)) {
        (Some(url), _) => return Ok(Some(url.clone())),
        (None, None) => return Ok(None),
        (None, Some(told)) => Url::parse(told),
    };
    match told {
        Err(_) => Ok(None),
        Ok(url) if rule(&url) => Ok(Some(url)),
        Ok(_) => Err(unusable(&format!("its {name} is not an https URL of a remote host"))),
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
    configured: Configured,
    client: Arc<ProviderClient>,
}

#[async_trait]
impl Source for Metadata {
    type Item = Endpoints;
    type Fault = ProviderFault;

    async fn fetch(&self, until: Instant) -> Result<(Endpoints, Duration), ProviderFault> {
        let metadata =
            self.client.get(Endpoint::Discovery, &self.configured.document, until).await?.object()?;
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
        client: &Arc<ProviderClient>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let ProviderKind::Oidc { issuer, discovery_url, jwks_url, userinfo } = &settings.kind else {
            return Err("type: has no discovery".to_owned());
        };
        let plaintext = settings.reach();
        let below = address(issuer).filter(|url| may_be_asked(url, plaintext));
        let below = below.ok_or("issuer: must be an https address without a query")?;
        let configured = Configured {
            issuer: issuer.clone(),
            authorization: settings.authorization_url.clone(),
            token: settings.token_url.clone(),
            jwks: jwks_url.clone(),
            userinfo: settings.userinfo_url.clone(),
            needs_userinfo: *userinfo == Userinfo::Always,
            document: discovery_url.clone().unwrap_or(below),
            document_is_set: discovery_url.is_some(),
            plaintext,
        };
        if let Some(endpoints) = configured.all() {
            return Ok(Self::Known(Arc::new(endpoints)));
        }
        let source = Metadata { configured, client: Arc::clone(client) };
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
            document: address("https://idp.example").unwrap(),
            document_is_set: false,
            plaintext: Plaintext::Loopback,
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
    fn unsafe_metadata_are_rejected() {
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
        for none in [json!(null), json!(7), json!([])] {
            assert!(configured().with(&metadata(&json!({"userinfo_endpoint": none}))).is_ok());
        }
    }

    #[test]
    fn a_document_at_a_set_address_names_the_issuer_exactly() {
        const TOLD: &str = "https://login.example/{tenantid}/v2.0";
        let mut set = Configured { issuer: "https://login.example/common/v2.0".to_owned(), ..configured() };
        let metadata = metadata(&json!({"issuer": TOLD}));
        assert!(set.with(&metadata).is_ok());
        set.document_is_set = true;
        assert_eq!(set.with(&metadata).unwrap_err().kind, FaultKind::Metadata);
        set.issuer = TOLD.to_owned();
        assert!(set.with(&metadata).is_ok());
    }

    #[test]
    fn configured_endpoints_override_discovery() {
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
