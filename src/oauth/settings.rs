//! The settings of a provider.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use crate::model::{ClaimMap, ProviderId};

/// A provider, as configured: its preset with the operator's own keys over it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `id`: the `provider` of accounts.
    pub id: ProviderId,
    /// `type`: how it proves people.
    pub kind: ProviderKind,
    /// `client_id`: who we are there.
    pub client_id: String,
    /// `audiences`: further clients of ours there, such as native apps, whose ID tokens are taken where an app got them by
    /// itself, and who may be told beside us in others.
    pub audiences: Vec<String>,
    /// `token_endpoint_auth_method` and its secrets: how we prove that.
    pub client_authentication: ClientAuthentication,
    /// `client_assertion_audience`: whom that is for, where it is signed with `private_key_jwt`.
    pub client_assertion_audience: AssertionAudience,
    /// `scopes`: what is asked for.
    pub scopes: Vec<String>,
    /// `authorization_url`: its page; found by discovery where it is not set.
    pub authorization_url: Option<Url>,
    /// `token_url`: where codes are redeemed; found by discovery where it is not set.
    pub token_url: Option<Url>,
    /// `userinfo_url`: where profiles are; found by discovery where it is not set.
    pub userinfo_url: Option<Url>,
    /// `authorization_params`: further parameters of every authorization request.
    pub authorization_params: Vec<(String, String)>,
    /// `response_mode`: how its answer comes back.
    pub response_mode: ResponseMode,
    /// `profile`: which of its fields is which of ours.
    pub profile: Arc<dyn ReadProfile>,
    /// `ca`: the authorities that sign its certificate. Default (`None`): Mozilla's list of public ones.
    pub ca: Option<PathBuf>,
    /// `timeout`: how long all of its answers to one question may take together.
    pub timeout: Duration,
    /// `tokens.clock_leeway`: how far its clock may differ from ours.
    pub clock_leeway: Duration,
}

/// The way in which a provider proves people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderKind {
    /// `oidc`: by an ID token (OpenID Connect Core).
    Oidc {
        /// `issuer`: whose ID tokens. `{tenantid}` in the one that discovery tells stands for the `tid` of a token, as Microsoft
        /// has it. Text, since it is compared byte for byte (OpenID Connect Discovery section 4.3) and an `Url` would add a
        /// slash.
        issuer: String,
        /// `jwks_url`: where its keys are; found by discovery where it is not set.
        jwks_url: Option<Url>,
        /// `userinfo`: whether its userinfo endpoint is asked too.
        userinfo: Userinfo,
    },
    /// `oauth2`: by what its userinfo endpoint answers.
    OAuth2 {
        /// `issuer`: where the identities were made; the origin of `authorization_url` where it is not set.
        issuer: String,
    },
    /// `github`: by what `/user` and `/user/emails` of its API answer.
    GitHub {
        /// The API: <https://api.github.com>, or `/api/v3` of `enterprise_url`.
        api: Url,
        /// The issuer of the identities: <https://github.com>, or `enterprise_url`.
        issuer: String,
    },
}

/// The cases in which the userinfo endpoint of an OpenID provider is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Userinfo {
    /// `when_needed`: where the ID token tells no e-mail, and `email` is among the scopes.
    WhenNeeded,
    /// `always`.
    Always,
    /// `never`.
    Never,
}

/// The way in which a provider's answer comes back (OAuth 2.0 Form Post Response Mode).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseMode {
    /// `query`: by GET.
    Query,
    /// `form_post`: by a POST from the provider's page, which carries cookies of `SameSite=None` only.
    FormPost,
}

/// The way in which we prove who we are at the token endpoint (OpenID Connect Core section 9).
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
    /// `apple`: a `client_secret` that we sign, as "Sign in with Apple" wants it.
    Apple {
        /// A P-256 private key in PEM.
        private_key: SecretString,
        /// Its `kid`.
        key_id: String,
        /// Its `iss`.
        team_id: String,
    },
}

/// The audience of what we sign to prove who we are (RFC 7523 section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssertionAudience {
    /// `issuer`: the provider, by its issuer. Of type `oidc` only, and where the issuer has one name.
    Issuer,
    /// `token_endpoint`: its token endpoint.
    TokenEndpoint,
}

/// Reads our fields from what a provider tells. It does so without waiting for anything.
pub trait ReadProfile: fmt::Debug + Send + Sync {
    /// The fields, or why they can't be read; that names no value.
    fn read(&self, profile: &ClaimMap) -> Result<ProfileFields, String>;
}

/// The fields of a profile, not yet looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileFields {
    /// The person's id there.
    pub id: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Tells whether the provider verified it.
    pub email_verified: bool,
    /// Display name.
    pub name: Option<String>,
    /// Address of a picture.
    pub image: Option<String>,
}
