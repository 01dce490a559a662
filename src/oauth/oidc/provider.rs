//! Providers of OpenID Connect: the ID token identifies a person; the userinfo endpoint may add claims about the same
//! person.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::super::authorization;
use super::super::fault::{FaultKind, ProviderFault};
use super::super::profile::{Told, merge, with_name_of_apple};
use super::super::proof::{Proof, ProviderTokens};
use super::super::provider::{
    Asked, AuthorizationCode, AuthorizationPage, AuthorizationRequest, Provider, Turn,
};
use super::super::settings::{AssertionAudience, ResponseMode, Userinfo};
use super::super::shared::Shared;
use super::super::token;
use super::discovery::{Discovery, Endpoints};
use super::id_token::{self, Expected, IdToken, check_claims, check_signature, unsigned};
use super::issuer::Issuer;
use super::provider_keys::Published;
use super::userinfo;
use crate::jose::{SignatureFault, Unverified};
use crate::model::claims::member;
use crate::model::{AccountKind, ClaimMap};
use crate::net::{Allowance, RefreshedCache};

/// The flow that an ID token is bound to.
struct Bound<'a> {
    endpoints: &'a Endpoints,
    nonce: Option<&'a str>,
    asked: &'a Asked,
    /// The access token that came with it.
    access_token: Option<&'a str>,
}

/// A provider of OpenID Connect.
pub(in crate::oauth) struct OidcProvider {
    pub(in crate::oauth) shared: Shared,
    pub(in crate::oauth) issuer: String,
    pub(in crate::oauth) userinfo: Userinfo,
    pub(in crate::oauth) discovery: Arc<Discovery>,
    pub(in crate::oauth) keys: RefreshedCache<Published>,
}

impl OidcProvider {
    async fn verify(&self, token: &str, bound: Bound<'_>, until: Instant) -> Result<IdToken, ProviderFault> {
        let token = id_token::read(token, bound.access_token.is_none())?;
        // A token that came with an access token is from the token endpoint.
        let allowance = if bound.access_token.is_some() { Allowance::Trusted } else { Allowance::Untrusted };
        self.check_signature(&token, allowance, until).await?;
        let expected = Expected {
            provider: &self.shared.settings.id,
            issuer: &bound.endpoints.issuer,
            client_id: &self.shared.settings.client_id,
            audiences: &self.shared.settings.audiences,
            nonce: bound.nonce,
            max_age: bound.asked.max_age,
            access_token: bound.access_token,
            now: self.shared.clock.now(),
            leeway: self.shared.settings.clock_leeway,
        };
        check_claims(token, &expected)
    }

    /// Checks the signature with the cached keys, and with newer ones while the token's key may have been published
    /// since. Only keys that were requested after the token arrived tell that its key does not exist.
    async fn check_signature(
        &self,
        token: &Unverified<'_>,
        allowance: Allowance,
        until: Instant,
    ) -> Result<(), ProviderFault> {
        let arrived_at = Instant::now();
        let mut keys = self.keys.get(until).await?;
        loop {
            match check_signature(token, &keys) {
                Ok(()) => return Ok(()),
                Err(fault) if fault == SignatureFault::Invalid || keys.requested_at >= arrived_at => {
                    return Err(unsigned(fault));
                }
                Err(_) => keys = self.keys.newer(&keys, allowance, until).await?,
            }
        }
    }

    async fn userinfo(
        &self,
        token: &IdToken,
        access_token: &SecretString,
        scope: Option<&str>,
        endpoints: &Endpoints,
        until: Instant,
    ) -> Result<Option<ClaimMap>, ProviderFault> {
        let is_needed = || {
            let is_granted = |scope: &str| scope.split([' ', ',']).any(|scope| scope == "email");
            member(&token.claims, "email").is_none() && scope.is_some_and(is_granted)
        };
        let url = match (self.userinfo, &endpoints.userinfo) {
            (Userinfo::Never, _) => None,
            (Userinfo::Always, None) => {
                return Err(ProviderFault::new(FaultKind::Metadata, "discovery: no userinfo_endpoint"));
            }
            (Userinfo::Always, url) => url.as_ref(),
            (Userinfo::WhenNeeded, url) => url.as_ref().filter(|_| is_needed()),
        };
        let Some(url) = url else { return Ok(None) };
        let request = &self.shared.settings.userinfo_request;
        let answer = self.shared.provider.userinfo(url, access_token, request, until).await?;
        let told = match answer.signed()? {
            Some(text) => self.signed_userinfo(text, endpoints, until).await?,
            None => answer.object()?,
        };
        // OpenID Connect Core section 5.3.2: otherwise a substituted token could return the claims of another person.
        if told.get("sub").and_then(|sub| sub.as_str()) == Some(&token.subject) {
            Ok(Some(told))
        } else {
            Err(ProviderFault::new(FaultKind::SubjectMismatch, "userinfo: its sub is not the ID token's"))
        }
    }

    /// Verifies the response of a userinfo endpoint that signs it (OpenID Connect Core section 5.3.2).
    async fn signed_userinfo(
        &self,
        text: &str,
        endpoints: &Endpoints,
        until: Instant,
    ) -> Result<ClaimMap, ProviderFault> {
        let token = userinfo::read(text)?;
        // Only the provider itself answers here.
        self.check_signature(&token, Allowance::Trusted, until).await?;
        let settings = &self.shared.settings;
        let expected = userinfo::Expected {
            issuer: &endpoints.issuer,
            client_id: &settings.client_id,
            audiences: &settings.audiences,
            now: self.shared.clock.now(),
            leeway: settings.clock_leeway,
        };
        userinfo::check_claims(token.into_claims(), &expected)
    }

    fn proof(
        &self,
        token: IdToken,
        claims: &ClaimMap,
        scope: Option<String>,
        tokens: Option<ProviderTokens>,
    ) -> Result<Proof, ProviderFault> {
        let told =
            Told { settings: &self.shared.settings, issuer: token.issuer, kind: AccountKind::Oidc, scope };
        let profile = told.profile(claims, claims.clone())?;
        Ok(Proof { profile, id_token: Some(token.mark), tokens })
    }
}

#[async_trait]
impl Provider for OidcProvider {
    async fn authorization_page(
        &self,
        request: &AuthorizationRequest<'_>,
        until: Instant,
    ) -> Result<AuthorizationPage, ProviderFault> {
        let endpoints = self.discovery.endpoints(self.shared.deadline(until)).await?;
        let nonce = request.nonce.expose_secret();
        authorization::page(&endpoints.authorization, &self.shared.settings, request, Some(nonce))
    }

    fn turn(&self, until: Instant) -> Result<Turn, ProviderFault> {
        self.shared.turn(until)
    }

    async fn check_issuer(&self, iss: Option<&str>, turn: &Turn) -> Result<(), ProviderFault> {
        let mismatch = |cause| Err(ProviderFault::new(FaultKind::IssuerMismatch, cause));
        if iss == Some(&self.issuer) {
            return Ok(());
        }
        let endpoints = self.discovery.endpoints(turn.until).await?;
        match iss {
            None if endpoints.sends_iss => mismatch("no iss, although this provider sends it"),
            Some(iss) if !endpoints.issuer.answers_as(iss) => mismatch("iss of another issuer"),
            None | Some(_) => Ok(()),
        }
    }

    async fn redeem_code(&self, code: &AuthorizationCode<'_>, turn: &Turn) -> Result<Proof, ProviderFault> {
        let until = turn.until;
        let endpoints = self.discovery.endpoints(until).await?;
        // The issuer identifies only this provider, whatever endpoint another one claims (RFC 7523bis).
        let issuer = match (&endpoints.issuer, self.shared.settings.client_assertion_audience) {
            (Issuer::Exact(issuer), AssertionAudience::Issuer) => Some(issuer.as_str()),
            (Issuer::Exact(_) | Issuer::OfTenant { .. }, _) => None,
        };
        let tokens = token::redeem(&self.shared, &endpoints.token, issuer, code, until).await?;
        let Some(id_token) = &tokens.id_token else {
            return Err(ProviderFault::new(FaultKind::IdTokenMissing, "token: no id_token"));
        };
        let bound = Bound {
            endpoints: &endpoints,
            nonce: Some(code.nonce.expose_secret()),
            asked: code.asked,
            access_token: Some(tokens.access_token.expose_secret()),
        };
        let token = self.verify(id_token.expose_secret(), bound, until).await?;
        let scope = self.shared.granted(&tokens, code.asked);
        let access_token = &tokens.access_token;
        let told = self.userinfo(&token, access_token, scope.as_deref(), &endpoints, until).await?;
        let mut claims = merge(told.unwrap_or_default(), token.claims.clone());
        if let Some(user) = code.user
            && self.shared.settings.response_mode == ResponseMode::FormPost
        {
            with_name_of_apple(&mut claims, user);
        }
        self.proof(token, &claims, scope, Some(tokens))
    }

    async fn verify_id_token(
        &self,
        token: &str,
        nonce: Option<&str>,
        asked: &Asked,
        until: Instant,
    ) -> Result<Proof, ProviderFault> {
        let until = self.shared.deadline(until);
        let endpoints = self.discovery.endpoints(until).await?;
        let bound = Bound { endpoints: &endpoints, nonce, asked, access_token: None };
        let token = self.verify(token, bound, until).await?;
        let claims = token.claims.clone();
        self.proof(token, &claims, None, None)
    }

    fn nonce_is_optional(&self) -> bool {
        self.shared.settings.nonce_is_optional
    }

    fn has_id_tokens(&self) -> bool {
        true
    }

    fn response_mode(&self) -> ResponseMode {
        self.shared.settings.response_mode
    }
}
