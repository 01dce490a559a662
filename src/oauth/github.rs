//! GitHub, and GitHub Enterprise: OAuth 2.0 with an API of its own, which returns the verified e-mail addresses
//! separately from the profile.

use async_trait::async_trait;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use super::answer::Answer;
use super::authorization;
use super::fault::ProviderFault;
use super::profile::Told;
use super::proof::Proof;
use super::provider::{AuthorizationCode, AuthorizationPage, AuthorizationRequest, Provider, Turn};
use super::settings::{ResponseMode, UserinfoMethod, UserinfoRequest};
use super::shared::{Shared, check_issuer};
use super::token;
use crate::model::{AccountKind, ClaimMap};

const HEADERS: [(&str, &str); 2] =
    [("accept", "application/vnd.github+json"), ("x-github-api-version", "2022-11-28")];

/// GitHub, or a GitHub Enterprise.
pub(super) struct GitHubProvider {
    pub(super) shared: Shared,
    pub(super) issuer: String,
    pub(super) authorization_url: Url,
    pub(super) token_url: Url,
    pub(super) user_url: Url,
    pub(super) emails_url: Url,
}

#[async_trait]
impl Provider for GitHubProvider {
    async fn authorization_page(
        &self,
        request: &AuthorizationRequest<'_>,
        _: Instant,
    ) -> Result<AuthorizationPage, ProviderFault> {
        authorization::page(&self.authorization_url, &self.shared.settings, request, None)
    }

    fn turn(&self, until: Instant) -> Result<Turn, ProviderFault> {
        self.shared.turn(until)
    }

    /// GitHub answers as `https://github.com/login/oauth`, which is not the issuer of its users.
    async fn check_issuer(&self, iss: Option<&str>, _: &Turn) -> Result<(), ProviderFault> {
        let issuer = self.issuer.trim_end_matches('/');
        check_issuer(iss, &[&self.issuer, &format!("{issuer}/login/oauth")])
    }

    async fn redeem_code(&self, code: &AuthorizationCode<'_>, turn: &Turn) -> Result<Proof, ProviderFault> {
        let until = turn.until;
        let Shared { provider, settings, .. } = &self.shared;
        let mut tokens = token::redeem(&self.shared, &self.token_url, None, code, until).await?;
        // GitHub writes commas where RFC 6749 section 3.3 has spaces.
        tokens.scope = tokens.scope.map(|scope| scope.replace(',', " "));
        let access_token = &tokens.access_token;
        let request = request();
        let (user, emails) = tokio::join!(
            provider.userinfo(&self.user_url, access_token, &request, until),
            provider.userinfo(&self.emails_url, access_token, &request, until),
        );
        let user = user?.object()?;
        let claims = claims(&user, email(&emails?)?);
        let told = Told {
            settings,
            issuer: self.issuer.clone(),
            kind: AccountKind::OAuth,
            scope: self.shared.granted(&tokens, code.asked),
        };
        let profile = told.profile(&claims, user)?;
        Ok(Proof { profile, id_token: None, tokens: Some(tokens) })
    }

    fn response_mode(&self) -> ResponseMode {
        self.shared.settings.response_mode
    }
}

/// Returns the form of the requests to GitHub's API.
fn request() -> UserinfoRequest {
    let header = |(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
    UserinfoRequest { method: UserinfoMethod::Get, headers: HEADERS.map(header).into() }
}

/// Returns the e-mail address that is both primary and verified; `None` if its scope was not granted.
fn email(answer: &Answer) -> Result<Option<String>, ProviderFault> {
    if answer.status() == StatusCode::NOT_FOUND || is_out_of_reach(answer) {
        return Ok(None);
    }
    let emails = answer.array()?;
    let counts = |email: &&Value| ["primary", "verified"].iter().all(|is| email[is] == Value::Bool(true));
    let address = emails.iter().find(counts).and_then(|email| email["email"].as_str());
    Ok(address.map(str::to_owned))
}

/// Returns true if an app lacks a permission. Rate limits also answer 403, but say nothing about the person, who would
/// get a second account here
/// (<https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#resource-not-accessible>).
fn is_out_of_reach(answer: &Answer) -> bool {
    answer.status() == StatusCode::FORBIDDEN
        && answer.object_of_any_status().is_ok_and(|told| {
            told.get("message")
                .and_then(Value::as_str)
                .is_some_and(|text| text.starts_with("Resource not accessible"))
        })
}

/// Returns the user as a profile is read from it: with its id as text and the verified e-mail address. The public
/// address of `/user` is not verified.
fn claims(user: &ClaimMap, email: Option<String>) -> ClaimMap {
    let mut claims = user.clone();
    if let Some(Value::Number(id)) = user.get("id") {
        claims.insert("id".to_owned(), id.to_string().into());
    }
    claims.insert("email_verified".to_owned(), email.is_some().into());
    match email {
        Some(email) => drop(claims.insert("email".to_owned(), email.into())),
        None => drop(claims.remove("email")),
    }
    claims
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::FaultKind;
    use bytes::Bytes;
    use http::Response;
    use serde_json::json;

    fn of(status: u16, body: &Value) -> Result<Option<String>, FaultKind> {
        let response = Response::builder().status(status).body(Bytes::from(body.to_string())).unwrap();
        email(&Answer::new("userinfo", response)).map_err(|fault| fault.kind)
    }

    #[test]
    fn only_a_primary_verified_email_counts() {
        let entry = |email: &str, primary: bool, verified: bool| json!({"email": email, "primary": primary, "verified": verified, "visibility": "public"});
        for (status, body, wanted) in [
            (200, json!([entry("b", false, true), entry("a", true, true)]), Ok(Some("a"))),
            (200, json!([entry("a", true, false), entry("b", false, true)]), Ok(None)),
            (200, json!([{"email": "a", "primary": "true", "verified": 1}]), Ok(None)),
            (200, json!([]), Ok(None)),
            (200, json!([7, null]), Ok(None)),
            (200, json!([{"primary": true, "verified": true}]), Ok(None)),
            (200, json!([{"email": ["a"], "primary": true, "verified": true}]), Ok(None)),
            (200, json!({"message": "no"}), Err(FaultKind::Malformed)),
            (403, json!({"message": "Resource not accessible by integration"}), Ok(None)),
            (
                403,
                json!({"message": "You have exceeded a secondary rate limit. Please wait"}),
                Err(FaultKind::Status),
            ),
            (403, json!("no"), Err(FaultKind::Status)),
            (429, json!({"message": "no"}), Err(FaultKind::Status)),
            (404, json!({"message": "no"}), Ok(None)),
            (401, json!({"message": "no"}), Err(FaultKind::Status)),
            (500, json!([entry("a", true, true)]), Err(FaultKind::Status)),
        ] {
            assert_eq!(of(status, &body), wanted.map(|email| email.map(str::to_owned)), "{status} {body}");
        }
    }

    #[test]
    fn the_public_email_is_not_taken_for_a_verified_one() {
        let user =
            json!({"id": 583_231, "login": "octocat", "email": "public@example.org", "email_verified": true});
        let user = user.as_object().unwrap();
        let none = json!({"id": "583231", "login": "octocat", "email_verified": false});
        assert_eq!(Value::Object(claims(user, None)), none);
        let some =
            json!({"id": "583231", "login": "octocat", "email_verified": true, "email": "a@example.com"});
        assert_eq!(Value::Object(claims(user, Some("a@example.com".to_owned()))), some);
    }
}
