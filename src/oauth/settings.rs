//! The settings of a provider.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use secrecy::SecretString;
use url::Url;

use crate::model::{Attribute, ClaimMap, ProviderId};
use crate::net::{Plaintext, Proxy};

/// A configured provider: its preset, overridden by the operator's own keys.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `id`: the `provider` of accounts.
    pub id: ProviderId,
    /// `type`: its protocol.
    pub kind: ProviderKind,
    /// `client_id`: the client id of Gatepass at the provider.
    pub client_id: String,
    /// `audiences`: further clients of Gatepass, such as native apps. Their ID tokens are accepted if an app obtained
    /// them itself, and other tokens may name them as additional audiences.
    pub audiences: Vec<String>,
    /// `nonce: optional`: an ID token that a client obtained itself may have no nonce.
    pub nonce_is_optional: bool,
    /// `token_endpoint_auth_method` and its secrets: the client authentication.
    pub client_authentication: ClientAuthentication,
    /// `client_assertion_audience`: the audience of a client assertion, if `private_key_jwt` is used.
    pub client_assertion_audience: AssertionAudience,
    /// `scopes`: the requested scopes.
    pub scopes: Vec<String>,
    /// `authorization_url`: its page; discovered if not set.
    pub authorization_url: Option<Url>,
    /// `token_url`: the endpoint that redeems codes; discovered if not set.
    pub token_url: Option<Url>,
    /// `userinfo_url`: the endpoint of profiles; discovered if not set.
    pub userinfo_url: Option<Url>,
    /// `userinfo_method` and `userinfo_headers`: the request for a profile.
    pub userinfo_request: UserinfoRequest,
    /// `emails_url`: the endpoint of type `oauth2` whose response becomes `profile.emails`.
    pub emails_url: Option<Url>,
    /// `pkce`: false if a provider of type `oauth2` refuses a `code_verifier` beside a secret.
    pub pkce: bool,
    /// `authorization_params`: further parameters of every authorization request.
    pub authorization_params: Vec<(String, String)>,
    /// `response_mode`: how its response reaches the browser's origin.
    pub response_mode: ResponseMode,
    /// `profile`: the mapping of its claims to profile fields.
    pub profile: Arc<dyn ReadProfile>,
    /// `ca`: the authorities that sign its certificate. Default (`None`): Mozilla's list of public ones.
    pub ca: Option<PathBuf>,
    /// `plaintext`: true if http addresses in private networks may be reached.
    pub plaintext: bool,
    /// `outbound.proxy`: the proxy of requests with TLS.
    pub proxy: Option<Proxy>,
    /// `timeout`: the time limit of all requests of one operation together.
    pub timeout: Duration,
    /// `tokens.clock_leeway`: the largest tolerated clock skew.
    pub clock_leeway: Duration,
}

impl Settings {
    /// Returns the destinations that requests may reach without TLS.
    pub(super) fn reach(&self) -> Plaintext {
        if self.plaintext { Plaintext::Private } else { Plaintext::Loopback }
    }
}

/// The protocol of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderKind {
    /// `oidc`: by an ID token (OpenID Connect Core).
    Oidc {
        /// `issuer`: the issuer of the ID tokens. `{tenantid}` in the discovered issuer stands for the `tid` of a
        /// token, as at Microsoft. It is text, because it is compared byte for byte (OpenID Connect Discovery section
        /// 4.3) and a `Url` would add a slash.
        issuer: String,
        /// `discovery_url`: the address of its metadata, which must name the issuer exactly; below the issuer if not
        /// set.
        discovery_url: Option<Url>,
        /// `jwks_url`: the address of its keys; discovered if not set.
        jwks_url: Option<Url>,
        /// `userinfo`: the cases in which its userinfo endpoint is used, too.
        userinfo: Userinfo,
    },
    /// `oauth2`: by its userinfo endpoint.
    OAuth2 {
        /// `issuer`: the issuer of the identities; the origin of `authorization_url` if not set.
        issuer: String,
    },
    /// `github`: by `/user` and `/user/emails` of its API.
    GitHub {
        /// The API: <https://api.github.com>, or `/api/v3` of `enterprise_url`.
        api: Url,
        /// The issuer of the identities: <https://github.com>, or `enterprise_url`.
        issuer: String,
    },
}

/// The cases in which the userinfo endpoint of an OpenID provider is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Userinfo {
    /// `when_needed`: if the ID token has no e-mail address, and `email` is among the scopes.
    WhenNeeded,
    /// `always`.
    Always,
    /// `never`.
    Never,
}

/// The form of the request for a profile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserinfoRequest {
    /// `userinfo_method`.
    pub method: UserinfoMethod,
    /// `userinfo_headers`: constant headers, as [`userinfo_header`](super::userinfo_header) makes them.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

/// The method of the request for a profile. Neither sends a body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UserinfoMethod {
    /// `GET`.
    #[default]
    Get,
    /// `POST`.
    Post,
}

/// The mode in which a provider's response comes back (OAuth 2.0 Form Post Response Mode).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseMode {
    /// `query`: by GET.
    Query,
    /// `form_post`: by a POST from the provider's page, which carries only cookies of `SameSite=None`.
    FormPost,
}

/// The method of client authentication at the token endpoint (OpenID Connect Core section 9).
#[derive(Debug, Clone)]
pub enum ClientAuthentication {
    /// `none`: by PKCE alone.
    None,
    /// `client_secret_basic`.
    Basic(SecretString),
    /// `client_secret_post`.
    Post(SecretString),
    /// `private_key_jwt` (RFC 7523).
    PrivateKeyJwt {
        /// A private key in PEM: P-256, P-384, Ed25519 or RSA.
        private_key: SecretString,
        /// Its `kid`.
        key_id: Option<String>,
    },
    /// `apple`: a signed `client_secret`, as "Sign in with Apple" requires.
    Apple {
        /// A P-256 private key in PEM.
        private_key: SecretString,
        /// Its `kid`.
        key_id: String,
        /// Its `iss`.
        team_id: String,
    },
}

/// The audience of a client assertion (RFC 7523 section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssertionAudience {
    /// `issuer`: the issuer of the provider. For type `oidc` only, and only if the issuer has one name.
    Issuer,
    /// `token_endpoint`: its token endpoint.
    TokenEndpoint,
}

/// Reads profile fields from the claims of a provider. It never waits for anything.
pub trait ReadProfile: fmt::Debug + Send + Sync {
    /// Returns the fields, or the reason why the id can't be read, without values.
    fn read(&self, profile: &ClaimMap) -> Result<ProfileFields, String>;
}

/// The fields of a profile, not yet cleaned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileFields {
    /// The person's id at the provider.
    pub id: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// True if the provider verified the address.
    pub email_verified: bool,
    /// Display name.
    pub name: Option<String>,
    /// Address of a picture.
    pub image: Option<String>,
    /// The attributes that can't be read; their fields are not set.
    pub unusable: Vec<Attribute>,
}
