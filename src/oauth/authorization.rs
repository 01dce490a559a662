//! The URL of a provider's page (RFC 6749 section 4.1.1), with the values that bind its response to this flow.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth2::basic::BasicClient;
use oauth2::{AuthUrl, ClientId, CsrfToken, RedirectUrl, Scope};
use secrecy::ExposeSecret;
use url::Url;

use super::fault::{FaultKind, ProviderFault};
use super::parameter::{MAX_AGE, check_parameter, max_age};
use super::provider::{Asked, AuthorizationPage, AuthorizationRequest};
use super::settings::{ResponseMode, Settings};
use crate::model::sha256;

/// Makes the URL; with a nonce if the provider issues ID tokens.
pub(super) fn page(
    page: &Url,
    settings: &Settings,
    request: &AuthorizationRequest<'_>,
    nonce: Option<&str>,
) -> Result<AuthorizationPage, ProviderFault> {
    let redirect_uri = RedirectUrl::new(request.redirect_uri.to_owned())
        .map_err(|_| ProviderFault::new(FaultKind::Metadata, "the redirect URI is not a URL"))?;
    let client = BasicClient::new(ClientId::new(settings.client_id.clone()))
        .set_auth_uri(AuthUrl::from_url(page.clone()))
        .set_redirect_uri(redirect_uri);
    let challenge = URL_SAFE_NO_PAD.encode(sha256(request.code_verifier.expose_secret().as_bytes()));
    let scopes = if request.scopes.is_empty() { &settings.scopes } else { request.scopes };
    let mut scopes = scopes.to_vec();
    if nonce.is_some() && !scopes.iter().any(|scope| scope == "openid") {
        scopes.insert(0, "openid".to_owned());
    }
    let scope = (scopes != settings.scopes).then(|| scopes.join(" "));
    let mut authorization = client
        .authorize_url(|| CsrfToken::new(request.state.expose_secret().to_owned()))
        .add_scopes(scopes.into_iter().map(Scope::new));
    if settings.pkce {
        authorization = authorization
            .add_extra_param("code_challenge", challenge)
            .add_extra_param("code_challenge_method", "S256");
    }
    if let Some(nonce) = nonce {
        authorization = authorization.add_extra_param("nonce", nonce.to_owned());
    }
    if settings.response_mode == ResponseMode::FormPost {
        authorization = authorization.add_extra_param("response_mode", "form_post");
    }
    let asked = |name: &str| request.params.iter().any(|(asked, _)| asked == name);
    let configured = settings.authorization_params.iter().filter(|(name, _)| !asked(name));
    let mut asked = Asked { scope, max_age: None };
    for (name, value) in configured.chain(request.params) {
        let unusable = |cause: &dyn std::fmt::Display| {
            ProviderFault::new(FaultKind::Metadata, format!("a parameter {cause}"))
        };
        check_parameter(name, value).map_err(|fault| unusable(&fault))?;
        if name == MAX_AGE {
            if nonce.is_none() {
                return Err(unusable(&"is max_age, which requires ID tokens"));
            }
            asked.max_age = max_age(value);
        }
        authorization = authorization.add_extra_param(name.clone(), value.clone());
    }
    let (url, _) = authorization.url();
    Ok(AuthorizationPage { url: url.into(), asked })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::settings;
    use super::super::parameter::OURS;
    use super::*;
    use secrecy::SecretString;
    use std::time::Duration;

    fn built(
        settings: &Settings,
        scopes: &[String],
        params: &[(String, String)],
        nonce: bool,
    ) -> Vec<String> {
        let secret = |text: &str| SecretString::from(text);
        // RFC 7636 appendix B.
        let (state, verifier) = (secret("the-state"), secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        let nonce_text = secret("the-nonce");
        let request = AuthorizationRequest {
            redirect_uri: "https://app.example/callback",
            scopes,
            state: &state,
            nonce: &nonce_text,
            code_verifier: &verifier,
            params,
        };
        let page = Url::parse("https://idp.example/authorize?tenant=a").unwrap();
        let AuthorizationPage { url, .. } =
            super::page(&page, settings, &request, nonce.then_some("the-nonce")).unwrap();
        assert!(url.starts_with("https://idp.example/authorize?tenant=a&"), "{url}");
        let url = Url::parse(&url).unwrap();
        let mut pairs: Vec<String> =
            url.query_pairs().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.sort();
        pairs
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    fn asking<'a>(secret: &'a SecretString, params: &'a [(String, String)]) -> AuthorizationRequest<'a> {
        AuthorizationRequest {
            redirect_uri: "https://app.example/callback",
            scopes: &[],
            state: secret,
            nonce: secret,
            code_verifier: secret,
            params,
        }
    }

    #[test]
    fn the_authorization_url_binds_the_response_to_the_flow() {
        let always = [
            "client_id=client",
            "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "code_challenge_method=S256",
            "redirect_uri=https://app.example/callback",
            "response_type=code",
            "state=the-state",
            "tenant=a",
        ];
        let mut settings = settings();
        let with = |more: &[&str]| {
            let mut all: Vec<String> = always.iter().chain(more).map(ToString::to_string).collect();
            all.sort();
            all
        };
        let scopes = ["email".to_owned(), "openid".to_owned()];
        assert_eq!(built(&settings, &[], &[], true), with(&["nonce=the-nonce", "scope=openid profile"]));
        assert_eq!(built(&settings, &[], &[], false), with(&["scope=profile"]));
        assert_eq!(built(&settings, &scopes, &[], true), with(&["nonce=the-nonce", "scope=email openid"]));
        settings.response_mode = ResponseMode::FormPost;
        settings.authorization_params = vec![pair("prompt", "login"), pair("hd", "example.com")];
        let params = [pair("prompt", "none"), pair("login_hint", "ada")];
        let more =
            ["hd=example.com", "login_hint=ada", "prompt=none", "response_mode=form_post", "scope=profile"];
        assert_eq!(built(&settings, &[], &params, false), with(&more));
    }

    #[test]
    fn the_sent_max_age_is_the_requested_one() {
        let mut settings = settings();
        let asked = |settings: &Settings, params: &[(String, String)], nonce: bool| {
            let secret = SecretString::from("x");
            let page = Url::parse("https://idp.example/authorize").unwrap();
            super::page(&page, settings, &asking(&secret, params), nonce.then_some("x"))
                .map(|page| page.asked.max_age)
        };
        let seconds = |seconds| Ok(Some(Duration::from_secs(seconds)));
        assert_eq!(asked(&settings, &[], true), Ok(None));
        assert_eq!(asked(&settings, &[pair("max_age", "60")], true), seconds(60));
        settings.authorization_params = vec![pair("max_age", "300")];
        assert_eq!(asked(&settings, &[], true), seconds(300));
        assert_eq!(asked(&settings, &[pair("max_age", "60")], true), seconds(60));
        // A parameter that could not be enforced is not sent.
        for (value, has_id_tokens) in [("60", false), ("", true), ("-1", true), ("4294967296", true)] {
            let outcome = asked(&settings, &[pair("max_age", value)], has_id_tokens);
            assert_eq!(outcome.unwrap_err().kind, FaultKind::Metadata, "{value}");
        }
    }

    #[test]
    fn scopes_are_remembered_where_they_are_not_those_of_the_settings() {
        let secret = SecretString::from("x");
        let page = Url::parse("https://idp.example/authorize").unwrap();
        for (scopes, has_id_tokens, wanted) in [
            (&[][..], false, None),
            (&["profile"], false, None),
            (&["email", "profile"], false, Some("email profile")),
            (&[], true, Some("openid profile")),
            (&["email"], true, Some("openid email")),
        ] {
            let scopes: Vec<String> = scopes.iter().map(ToString::to_string).collect();
            let request = AuthorizationRequest { scopes: &scopes, ..asking(&secret, &[]) };
            let page = super::page(&page, &settings(), &request, has_id_tokens.then_some("x")).unwrap();
            assert_eq!(page.asked.scope.as_deref(), wanted, "{scopes:?}");
        }
    }

    #[test]
    fn reserved_parameters_cannot_be_overridden() {
        let secret = SecretString::from("x");
        let page = Url::parse("https://idp.example/authorize").unwrap();
        for name in OURS.into_iter().chain(["State", "state[]", "code.challenge"]) {
            let theirs = [pair(name, "theirs")];
            let of_request =
                super::page(&page, &settings(), &asking(&secret, &theirs), Some("x")).unwrap_err();
            let settings = Settings { authorization_params: theirs.into(), ..settings() };
            let of_settings = super::page(&page, &settings, &asking(&secret, &[]), Some("x")).unwrap_err();
            assert_eq!([of_request.kind, of_settings.kind], [FaultKind::Metadata; 2], "{name}");
        }
    }
}
