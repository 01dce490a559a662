//! The `oauth` module against a test provider: the proofs that it accepts, and the result of each fault.

mod cached;
mod exchange;
mod faults;
mod github;
mod id_tokens;
mod log;
mod presets;
mod profile_requests;
mod reach;
mod userinfo;

use std::sync::Arc;
use std::time::Duration;

use gatepass::model::{ClaimMap, OsEntropy};
use gatepass::oauth::{
    self, Asked, AssertionAudience, AuthorizationCode, AuthorizationRequest, ClientAuthentication, FaultKind,
    ProfileFields, Proof, Provider, ProviderFault, ProviderKind, ReadProfile, ResponseMode, Settings,
    Userinfo, UserinfoMethod, UserinfoRequest,
};
use secrecy::SecretString;
use tokio::time::Instant;
use url::Url;

use super::support::provider::{Answer, CLIENT_ID, CLIENT_SECRET, Person, TestProvider};

/// The redirect URI of the application.
const CALLBACK: &str = "https://app.example/auth/callback?a=b";
const NONCE: &str = "the nonce of this flow";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// Reads the standard claims; `id` has priority over `sub`, as at GitHub.
#[derive(Debug)]
struct StandardClaims;

impl ReadProfile for StandardClaims {
    fn read(&self, profile: &ClaimMap) -> Result<ProfileFields, String> {
        let text = |name: &str| profile.get(name).and_then(|value| value.as_str()).map(str::to_owned);
        Ok(ProfileFields {
            id: text("id").or_else(|| text("sub")),
            email: text("email"),
            email_verified: profile.get("email_verified").is_some_and(|verified| verified == true),
            name: text("name"),
            image: text("picture"),
            unusable: Vec::new(),
        })
    }
}

fn settings(kind: ProviderKind) -> Settings {
    Settings {
        nonce_is_optional: false,
        id: "idp".parse().unwrap(),
        kind,
        client_id: CLIENT_ID.to_owned(),
        audiences: Vec::new(),
        client_authentication: ClientAuthentication::Basic(CLIENT_SECRET.into()),
        client_assertion_audience: AssertionAudience::Issuer,
        scopes: ["openid", "email", "profile"].map(str::to_owned).into(),
        authorization_url: None,
        token_url: None,
        userinfo_url: None,
        userinfo_request: UserinfoRequest::default(),
        emails_url: None,
        pkce: true,
        authorization_params: Vec::new(),
        response_mode: ResponseMode::Query,
        profile: Arc::new(StandardClaims),
        ca: None,
        plaintext: false,
        proxy: None,
        timeout: Duration::from_secs(8),
        clock_leeway: Duration::from_secs(10),
    }
}

/// Returns settings for an OpenID Connect provider.
fn oidc(provider: &TestProvider) -> Settings {
    settings(ProviderKind::Oidc {
        issuer: provider.issuer(),
        discovery_url: None,
        jwks_url: None,
        userinfo: Userinfo::WhenNeeded,
    })
}

fn url(provider: &TestProvider, path: &str) -> Url {
    Url::parse(&provider.url(path)).unwrap()
}

/// Returns settings for an OAuth 2.0 provider.
fn oauth2(provider: &TestProvider) -> Settings {
    Settings {
        authorization_url: Some(url(provider, "/authorize")),
        token_url: Some(url(provider, "/token")),
        userinfo_url: Some(url(provider, "/userinfo")),
        ..settings(ProviderKind::OAuth2 { issuer: provider.issuer() })
    }
}

/// Returns settings for GitHub.
fn github(provider: &TestProvider) -> Settings {
    let api = url(provider, "/api/v3");
    Settings {
        authorization_url: Some(url(provider, "/login/oauth/authorize")),
        token_url: Some(url(provider, "/login/oauth/access_token")),
        scopes: ["read:user", "user:email"].map(str::to_owned).into(),
        ..settings(ProviderKind::GitHub { api, issuer: provider.issuer() })
    }
}

/// The module, connected with these settings.
struct Connected {
    provider: Arc<dyn Provider>,
}

fn connect(settings: Settings, test_provider: &TestProvider) -> Connected {
    let clock = test_provider.clock();
    Connected { provider: oauth::connect(settings, clock, Arc::new(OsEntropy)).unwrap() }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

impl Connected {
    /// Returns the page to send a browser to.
    async fn begin(&self) -> Result<String, ProviderFault> {
        let secret = |text: &str| SecretString::from(text);
        let request = AuthorizationRequest {
            redirect_uri: CALLBACK,
            scopes: &[],
            state: &secret("the state"),
            nonce: &secret(NONCE),
            code_verifier: &secret(VERIFIER),
            params: &[],
        };
        self.provider.authorization_page(&request, soon()).await.map(|page| page.url)
    }

    async fn redeem(&self, code: &str) -> Result<Proof, ProviderFault> {
        self.redeem_with(code, NONCE, VERIFIER, None, soon()).await
    }

    async fn redeem_with(
        &self,
        code: &str,
        nonce: &str,
        verifier: &str,
        user: Option<&str>,
        until: Instant,
    ) -> Result<Proof, ProviderFault> {
        let (code_verifier, nonce) = (SecretString::from(verifier), SecretString::from(nonce));
        let code = AuthorizationCode {
            code,
            redirect_uri: CALLBACK,
            code_verifier: &code_verifier,
            nonce: &nonce,
            asked: &Asked::default(),
            user,
        };
        self.provider.redeem_code(&code, &self.provider.turn(until)?).await
    }

    /// Runs the complete flow for a person.
    async fn sign_in(&self, at: &TestProvider, person: Person) -> Result<Proof, ProviderFault> {
        let answer: Answer = at.log_in(&self.begin().await?, person);
        assert_eq!(answer.state, "the state");
        self.provider.check_issuer(answer.iss.as_deref(), &self.provider.turn(soon())?).await?;
        self.redeem(&answer.code).await
    }

    async fn verify(&self, id_token: &str) -> Result<Proof, ProviderFault> {
        self.provider.verify_id_token(id_token, Some(NONCE), &Asked::default(), soon()).await
    }
}

/// Returns the kind of a fault, which must exist.
fn kind(outcome: Result<Proof, ProviderFault>) -> FaultKind {
    match outcome {
        Ok(proof) => panic!("proven: {:?}", proof.profile.identity.provider_account_id),
        Err(fault) => fault.kind,
    }
}
