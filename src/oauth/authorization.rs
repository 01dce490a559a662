//! The address of a provider's page (RFC 6749 section 4.1.1), with what ties its answer to this flow.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth2::basic::BasicClient;
use oauth2::{AuthUrl, ClientId, CsrfToken, RedirectUrl, Scope};
use secrecy::ExposeSecret;
use url::Url;

use super::fault::{FaultKind, ProviderFault};
use super::provider::{Asked, AuthorizationPage, AuthorizationRequest};
use super::settings::{ResponseMode, Settings};
use crate::model::sha256;

/// The parameters that are set here: nobody else may set them, nor put others in their place (RFC 9101).
const OURS: [&str; 13] = [
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "redirect_uri",
    "registration",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
];

/// Whether an authorization request may have this further parameter.
#[must_use]
pub fn is_free_parameter(name: &str) -> bool {
    !OURS.contains(&name)
}

/// The parameter that says how long ago the person may have proved themselves (OpenID Connect Core section 3.1.2.1).
pub const MAX_AGE: &str = "max_age";

/// Its value: whole seconds.
#[must_use]
pub fn read_max_age(value: &str) -> Option<Duration> {
    let seconds: u32 = value.bytes().all(|byte| byte.is_ascii_digit()).then(|| value.parse().ok())??;
    Some(Duration::from_secs(seconds.into()))
}

/// The page; with a nonce where the provider issues ID tokens.
pub(super) fn page(
    page: &Url,
    settings: &Settings,
    request: &AuthorizationRequest<'_>,
    nonce: Option<&str>,
) -> Result<AuthorizationPage, ProviderFault> {
    let redirect_uri = RedirectUrl::new(request.redirect_uri.to_owned())
        .map_err(|_| ProviderFault::new(FaultKind::Metadata, "the redirect URI is no address"))?;
    let client = BasicClient::new(ClientId::new(settings.client_id.clone()))
        .set_auth_uri(AuthUrl::from_url(page.clone()))
        .set_redirect_uri(redirect_uri);
    let challenge = URL_SAFE_NO_PAD.encode(sha256(request.code_verifier.expose_secret().as_bytes()));
    let scopes = if request.scopes.is_empty() { &settings.scopes } else { request.scopes };
    let mut scopes = scopes.to_vec();
    if nonce.is_some() && !scopes.iter().any(|scope| scope == "openid") {
        scopes.insert(0, "openid".to_owned());
    }
    let mut authorization = client
        .authorize_url(|| CsrfToken::new(request.state.expose_secret().to_owned()))
        .add_scopes(scopes.into_iter().map(Scope::new))
        .add_extra_param("code_challenge", challenge)
        .add_extra_param("code_challenge_method", "S256");
    if let Some(nonce) = nonce {
        authorization = authorization.add_extra_param("nonce", nonce.to_owned());
    }
    if settings.response_mode == ResponseMode::FormPost {
        authorization = authorization.add_extra_param("response_mode", "form_post");
    }
    let asked = |name: &str| request.params.iter().any(|(asked, _)| asked == name);
    let configured = settings.authorization_params.iter().filter(|(name, _)| !asked(name));
    let mut asked = Asked::default();
    for (name, value) in configured.chain(request.params).filter(|(name, _)| is_free_parameter(name)) {
        if name == MAX_AGE {
            let max_age = read_max_age(value).filter(|_| nonce.is_some());
            let cause = "max_age is no number of seconds, or there are no ID tokens to prove it";
            asked.max_age = Some(max_age.ok_or_else(|| ProviderFault::new(FaultKind::Metadata, cause))?);
        }
        authorization = authorization.add_extra_param(name.clone(), value.clone());
    }
    let (url, _) = authorization.url();
    Ok(AuthorizationPage { url: url.into(), asked })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::settings;
    use super::*;
    use secrecy::SecretString;

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

    #[test]
    fn the_page_is_told_all_that_ties_its_answer_to_the_flow() {
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
    fn the_max_age_that_is_sent_is_the_one_that_is_asked() {
        let mut settings = settings();
        let asked = |settings: &Settings, params: &[(String, String)], nonce: bool| {
            let secret = SecretString::from("x");
            let request = AuthorizationRequest {
                redirect_uri: "https://app.example/callback",
                scopes: &[],
                state: &secret,
                nonce: &secret,
                code_verifier: &secret,
                params,
            };
            let page = Url::parse("https://idp.example/authorize").unwrap();
            super::page(&page, settings, &request, nonce.then_some("x")).map(|page| page.asked.max_age)
        };
        let seconds = |seconds| Ok(Some(Duration::from_secs(seconds)));
        assert_eq!(asked(&settings, &[], true), Ok(None));
        assert_eq!(asked(&settings, &[pair("max_age", "60")], true), seconds(60));
        settings.authorization_params = vec![pair("max_age", "300")];
        assert_eq!(asked(&settings, &[], true), seconds(300));
        assert_eq!(asked(&settings, &[pair("max_age", "60")], true), seconds(60));
        // Nothing is asked that could not be held to.
        for (value, has_id_tokens) in [("60", false), ("", true), ("-1", true), ("4294967296", true)] {
            let outcome = asked(&settings, &[pair("max_age", value)], has_id_tokens);
            assert_eq!(outcome.unwrap_err().kind, FaultKind::Metadata, "{value}");
        }
    }

    #[test]
    fn nobody_else_sets_what_is_set_here() {
        let mut settings = settings();
        settings.authorization_params = OURS.map(|name| pair(name, "theirs")).into();
        let pairs = built(&settings, &[], &OURS.map(|name| pair(name, "theirs")), true);
        assert!(!pairs.iter().any(|pair| pair.ends_with("theirs")), "{pairs:?}");
        assert!(is_free_parameter("prompt") && !is_free_parameter("state"));
    }
}
