//! The accepted and rejected forms of `providers`.

use super::Provider;
use super::preset::PRESETS;
use crate::auth::{AttributeSync, EmailSync, SyncRules};
use crate::config::tests::{accepted, all_refused};
use crate::oauth::{
    AssertionAudience, ClientAuthentication, ProfileFields, ProviderKind, ResponseMode, Userinfo,
    UserinfoMethod, UserinfoRequest,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// The client id and secret.
const WE: &str = "client_id: a, client_secret: s3cret";
const KEYS: &str = "tests/it/support/keys";

fn one(keys: &str) -> Provider {
    accepted(&format!("providers: [{{{keys}}}]"), &[]).providers.remove(0)
}

/// Checks that each section of one line is rejected with exactly this report, one line per fault.
#[track_caller]
fn each_refused(cases: &[(String, &str)]) {
    for (keys, report) in cases {
        let lines: Vec<_> =
            report.lines().map(|line| format!("g.yaml:1: providers[0]{}", line.trim())).collect();
        all_refused(&[(&format!("providers: [{{{keys}}}]"), &lines.join("\n"))]);
    }
}

fn read(provider: &Provider, told: Value) -> ProfileFields {
    let Value::Object(told) = told else { panic!("{told}") };
    provider.settings.profile.read(&told).unwrap()
}

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

#[test]
fn a_preset_with_client_credentials_is_a_complete_provider() {
    assert!(accepted("providers: []", &[]).providers.is_empty());
    let Provider { settings, redirect_uris, link_by_verified_email, sync, keep_claims } =
        one(&format!("id: google, {WE}"));
    assert_eq!((settings.id.as_str(), settings.client_id.as_str()), ("google", "a"));
    let issuer = "https://accounts.google.com".to_owned();
    assert_eq!(
        settings.kind,
        ProviderKind::Oidc { issuer, discovery_url: None, jwks_url: None, userinfo: Userinfo::WhenNeeded }
    );
    let ClientAuthentication::Basic(secret) = &settings.client_authentication else { panic!("{settings:?}") };
    assert_eq!(secret.expose_secret(), "s3cret");
    assert!(!format!("{settings:?}").contains("s3cret"));
    assert_eq!(settings.scopes, ["openid", "profile", "email"]);
    assert!(settings.audiences.is_empty());
    assert_eq!((settings.authorization_url, settings.token_url, settings.userinfo_url), (None, None, None));
    assert!(settings.authorization_params.is_empty() && redirect_uris.is_empty() && !link_by_verified_email);
    assert_eq!((sync, keep_claims), (SyncRules::default(), Vec::new()));
    assert_eq!((settings.response_mode, settings.ca), (ResponseMode::Query, None));
    assert_eq!((settings.timeout, settings.clock_leeway), (Duration::from_secs(8), Duration::from_secs(10)));
}

#[test]
fn a_whole_section_is_read() {
    let yaml = "tokens: {clock_leeway: 20s}
providers:
  - id: corp
    type: oidc
    issuer: https://sso.corp.example/realms/main
    client_id: gatepass
    audiences: [com.corp.app, gatepass-android]
    client_secret: {env: CORP}
    token_endpoint_auth_method: client_secret_post
    scopes: [openid, email, groups]
    authorization_url: https://sso.corp.example/authorize?a=b
    token_url: https://sso.corp.example/token
    userinfo_url: https://sso.corp.example/userinfo
    jwks_url: https://sso.corp.example/jwks
    userinfo: always
    authorization_params: {prompt: select_account, hd: corp.example}
    response_mode: form_post
    profile:
      id: profile.employee
      email: profile.upn
      email_verified: 'true'
    link_by_verified_email: true
    sync: {email: follow, name: first}
    keep_claims: [groups, 'https://corp.example/roles']
    redirect_uris: [https://app.corp.example/cb, 'http://localhost:3000/cb']
    timeout: 2s
";
    let Provider { settings, redirect_uris, link_by_verified_email, sync, keep_claims } =
        accepted(yaml, &[("CORP", "s3cret")]).providers.remove(0);
    let kind = ProviderKind::Oidc {
        discovery_url: None,
        issuer: "https://sso.corp.example/realms/main".to_owned(),
        jwks_url: Some(url("https://sso.corp.example/jwks")),
        userinfo: Userinfo::Always,
    };
    assert_eq!(settings.kind, kind);
    let ClientAuthentication::Post(secret) = &settings.client_authentication else { panic!() };
    assert_eq!(secret.expose_secret(), "s3cret");
    assert_eq!(settings.audiences, ["com.corp.app", "gatepass-android"]);
    assert_eq!(settings.scopes, ["openid", "email", "groups"]);
    assert_eq!(settings.authorization_url, Some(url("https://sso.corp.example/authorize?a=b")));
    assert_eq!(settings.token_url, Some(url("https://sso.corp.example/token")));
    assert_eq!(settings.userinfo_url, Some(url("https://sso.corp.example/userinfo")));
    let params = [("prompt", "select_account"), ("hd", "corp.example")];
    assert_eq!(
        settings.authorization_params,
        params.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    assert_eq!(settings.response_mode, ResponseMode::FormPost);
    assert_eq!((settings.timeout, settings.clock_leeway), (Duration::from_secs(2), Duration::from_secs(20)));
    assert_eq!(redirect_uris, ["https://app.corp.example/cb", "http://localhost:3000/cb"]);
    assert!(link_by_verified_email);
    let wanted =
        SyncRules { email: EmailSync::Follow, name: AttributeSync::First, image: AttributeSync::Follow };
    assert_eq!(sync, wanted);
    assert_eq!(keep_claims, ["groups", "https://corp.example/roles"]);
}

#[test]
fn the_list_can_be_a_variable() {
    let list = "[{id: google, client_id: a, client_secret: {env: GOOGLE}}, {id: work, preset: okta, client_id: b, domain: w.okta.com}]";
    let providers =
        accepted("providers: [{id: nonsense}]", &[("GATEPASS_PROVIDERS", list), ("GOOGLE", "s")]).providers;
    let ids: Vec<_> = providers.iter().map(|provider| provider.settings.id.as_str()).collect();
    assert_eq!(ids, ["google", "work"]);
    assert!(matches!(providers[1].settings.client_authentication, ClientAuthentication::None));
}

#[test]
fn requests_for_a_profile_have_the_form_that_the_settings_say() {
    let keys = "profile: {id: profile.id}, userinfo_method: POST, userinfo_headers: {Notion-Version: '2022-06-28', accept: text/json}, emails_url: 'https://f.example/emails', pkce: false";
    let settings = one(&oauth2(keys)).settings;
    let headers = settings.userinfo_request.headers.iter();
    let headers: Vec<_> = headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    assert_eq!(headers, [("notion-version", "2022-06-28"), ("accept", "text/json")]);
    assert_eq!(settings.userinfo_request.method, UserinfoMethod::Post);
    assert_eq!((settings.emails_url, settings.pkce), (Some(url("https://f.example/emails")), false));
    let others =
        [format!("id: google, {WE}"), format!("id: github, {WE}"), oauth2("profile: {id: profile.id}")];
    for keys in others {
        let settings = one(&keys).settings;
        assert_eq!(settings.userinfo_request, UserinfoRequest::default(), "{keys}");
        assert!(settings.emails_url.is_none() && settings.pkce, "{keys}");
    }
}

#[test]
fn written_keys_override_those_of_the_preset() {
    let issuer = |keys: &str| match one(keys).settings.kind {
        ProviderKind::Oidc { issuer, .. } => issuer,
        other => panic!("{other:?}"),
    };
    for (keys, wanted) in [
        ("id: gitlab", "https://gitlab.com"),
        ("id: gitlab, issuer: 'https://git.corp.example'", "https://git.corp.example"),
        ("id: work, preset: gitlab", "https://gitlab.com"),
        ("id: microsoft-entra-id", "https://login.microsoftonline.com/common/v2.0"),
        (
            "id: microsoft-entra-id, tenant: 9122040d-6c67-4c5b-b112-36a304b66dad",
            "https://login.microsoftonline.com/9122040d-6c67-4c5b-b112-36a304b66dad/v2.0",
        ),
        (
            "id: microsoft-entra-id, tenant: organizations",
            "https://login.microsoftonline.com/organizations/v2.0",
        ),
        ("id: okta, domain: acme.okta.com", "https://acme.okta.com"),
        ("id: okta, issuer: 'https://acme.okta.com/oauth2/default'", "https://acme.okta.com/oauth2/default"),
        ("id: auth0, domain: acme.eu.auth0.com", "https://acme.eu.auth0.com/"),
        (
            "id: amazon-cognito, region: eu-central-1, user_pool_id: eu-central-1_AbC1",
            "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC1",
        ),
        (
            "id: ping-identity, environment_id: eb41e805-36a5-47df-af01-c5235f410c8e, domain: auth.pingone.eu",
            "https://auth.pingone.eu/eb41e805-36a5-47df-af01-c5235f410c8e/as",
        ),
    ] {
        assert_eq!(issuer(&format!("{keys}, {WE}")), wanted, "{keys}");
    }
    let discord = one(&format!("id: discord, scopes: [identify], type: oauth2, {WE}")).settings;
    assert_eq!(discord.scopes, ["identify"]);
    assert_eq!(discord.kind, ProviderKind::OAuth2 { issuer: "https://discord.com".to_owned() });
}

#[test]
fn an_own_field_leaves_the_others_of_the_preset() {
    let told = || json!({"sub": "1", "email": "a@b.c", "email_verified": true, "name": "Ada", "given_name": "A", "upn": "x@y.z", "xms_edov": true});
    let fields = read(&one(&format!("id: google, profile: {{name: profile.given_name}}, {WE}")), told());
    assert_eq!(
        (fields.id.as_deref(), fields.name.as_deref(), fields.email_verified),
        (Some("1"), Some("A"), true)
    );
    // `email_verified` must refer to the e-mail address of the same provider.
    for id in ["google", "gitlab", "microsoft-entra-id", "apple"] {
        let keys = if id == "apple" {
            format!("client_id: a, team_id: T, key_id: K, private_key: {{file: {KEYS}/es256.pem}}")
        } else {
            WE.to_owned()
        };
        for (more, verified) in [("", false), (", email_verified: 'profile.sub == \"1\"'", true)] {
            let fields =
                read(&one(&format!("id: {id}, profile: {{email: profile.upn{more}}}, {keys}")), told());
            assert_eq!(
                (fields.email.as_deref(), fields.email_verified),
                (Some("x@y.z"), verified),
                "{id}{more}"
            );
        }
    }
}

#[test]
fn claims_of_openid_are_taken_as_the_standard_has_them() {
    let provider = one(&format!("id: corp, type: oidc, issuer: 'https://sso.corp.example', {WE}"));
    let told = json!({"sub": "7", "email": "a@b.c", "email_verified": true, "name": "Ada", "picture": "https://a.example/a.png"});
    let all = ProfileFields {
        id: Some("7".to_owned()),
        email: Some("a@b.c".to_owned()),
        email_verified: true,
        name: Some("Ada".to_owned()),
        image: Some("https://a.example/a.png".to_owned()),
        unusable: Vec::new(),
    };
    assert_eq!(read(&provider, told), all);
    let one = ProfileFields { id: Some("7".to_owned()), ..ProfileFields::default() };
    assert_eq!(read(&provider, json!({"sub": "7"})), one);
    for not_true in [json!("true"), json!(1), json!(null), json!(false), json!([true])] {
        assert!(
            !read(&provider, json!({"sub": "7", "email": "a@b.c", "email_verified": not_true}))
                .email_verified
        );
    }
}

#[test]
fn any_oauth2_provider_is_one_by_its_addresses_and_a_mapping() {
    let keys = "id: forge, type: oauth2, authorization_url: 'https://forge.example:8443/authorize', \
                token_url: 'https://forge.example/token', userinfo_url: 'https://api.forge.example/me', \
                profile: {id: profile.user.id, name: profile.user.login}";
    let provider = one(&format!("{keys}, {WE}"));
    assert_eq!(
        provider.settings.kind,
        ProviderKind::OAuth2 { issuer: "https://forge.example:8443".to_owned() }
    );
    assert!(provider.settings.scopes.is_empty());
    let fields =
        read(&provider, json!({"user": {"id": 5, "login": "ada", "email": "a@b.c", "email_verified": true}}));
    let wanted =
        ProfileFields { id: Some("5".to_owned()), name: Some("ada".to_owned()), ..ProfileFields::default() };
    assert_eq!(fields, wanted);
    let provider = one(&format!("{keys}, issuer: 'https://forge.example/', {WE}"));
    assert_eq!(provider.settings.kind, ProviderKind::OAuth2 { issuer: "https://forge.example/".to_owned() });
}

#[test]
fn github_is_where_its_enterprise_is() {
    for (keys, home, api) in [
        ("id: github", "https://github.com", "https://api.github.com/"),
        (
            "id: ghes, type: github, enterprise_url: 'https://git.corp.example/'",
            "https://git.corp.example",
            "https://git.corp.example/api/v3",
        ),
        (
            "id: ghes, preset: github, enterprise_url: 'http://127.0.0.1:4000'",
            "http://127.0.0.1:4000",
            "http://127.0.0.1:4000/api/v3",
        ),
        (
            "id: github, enterprise_url: 'https://octo.ghe.com'",
            "https://octo.ghe.com",
            "https://api.octo.ghe.com/",
        ),
    ] {
        let settings = one(&format!("{keys}, {WE}")).settings;
        assert_eq!(settings.kind, ProviderKind::GitHub { api: url(api), issuer: home.to_owned() });
        assert_eq!(settings.authorization_url, Some(url(&format!("{home}/login/oauth/authorize"))));
        assert_eq!(settings.token_url, Some(url(&format!("{home}/login/oauth/access_token"))));
        assert!(matches!(settings.client_authentication, ClientAuthentication::Post(_)));
        assert_eq!(settings.scopes, ["read:user", "user:email"]);
    }
}

#[test]
fn we_are_proven_by_a_secret_a_key_or_not_at_all() {
    let corp = "id: corp, type: oidc, issuer: 'https://sso.corp.example', client_id: a";
    let proven = |keys: &str| one(&format!("{corp}{keys}")).settings.client_authentication;
    assert!(matches!(proven(""), ClientAuthentication::None));
    assert!(matches!(proven(", token_endpoint_auth_method: none"), ClientAuthentication::None));
    assert!(matches!(proven(", client_secret: s"), ClientAuthentication::Basic(_)));
    for key in ["es256", "es384", "eddsa", "rsa"] {
        let keys = format!(
            ", token_endpoint_auth_method: private_key_jwt, private_key: {{file: {KEYS}/{key}.pem}}, key_id: k1"
        );
        let ClientAuthentication::PrivateKeyJwt { private_key, key_id } = proven(&keys) else {
            panic!("{keys}")
        };
        assert!(private_key.expose_secret().contains("PRIVATE KEY"));
        assert_eq!(key_id.as_deref(), Some("k1"));
    }
    let audience = |keys: &str| one(keys).settings.client_assertion_audience;
    assert_eq!(audience(corp), AssertionAudience::Issuer);
    let written = format!("{corp}, client_assertion_audience: token_endpoint");
    assert_eq!(audience(&written), AssertionAudience::TokenEndpoint);
    for preset in ["id: okta, domain: acme.okta.com", "id: microsoft-entra-id"] {
        assert_eq!(audience(&format!("{preset}, {WE}")), AssertionAudience::TokenEndpoint, "{preset}");
    }
    let apple = one(&format!(
        "id: apple, client_id: a, team_id: T, key_id: K, private_key: {{file: {KEYS}/es256.pem}}"
    ));
    let ClientAuthentication::Apple { key_id, team_id, .. } = &apple.settings.client_authentication else {
        panic!()
    };
    assert_eq!((key_id.as_str(), team_id.as_str()), ("K", "T"));
    assert_eq!(apple.settings.response_mode, ResponseMode::FormPost);
}

#[test]
fn of_apple_nothing_is_discovered() {
    let keys =
        format!("id: apple, client_id: a, team_id: T, key_id: K, private_key: {{file: {KEYS}/es256.pem}}");
    let settings = one(&keys).settings;
    let at = |path: &str| Some(url(&format!("https://appleid.apple.com/auth/{path}")));
    let issuer = "https://appleid.apple.com".to_owned();
    let kind =
        ProviderKind::Oidc { issuer, discovery_url: None, jwks_url: at("keys"), userinfo: Userinfo::Never };
    assert_eq!(settings.kind, kind);
    assert_eq!((settings.authorization_url, settings.token_url), (at("authorize"), at("token")));
}

#[test]
fn a_private_authority_is_a_file_that_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
    std::fs::write(at("ca.pem"), certificate.pem()).unwrap();
    std::fs::write(at("key.pem"), key.serialize_pem()).unwrap();
    std::fs::write(at("cut.pem"), &certificate.pem()[..200]).unwrap();
    std::fs::write(at("odd.pem"), pem::encode(&pem::Pem::new("CERTIFICATE", vec![1, 2, 3]))).unwrap();
    assert_eq!(
        one(&format!("id: google, ca: '{}', {WE}", at("ca.pem"))).settings.ca,
        Some(PathBuf::from(at("ca.pem")))
    );
    for (name, told) in [
        ("none.pem", "cannot be read: entity not found"),
        ("key.pem", "holds no certificate; give PEM, which has \"-----BEGIN CERTIFICATE-----\""),
        ("cut.pem", "is not valid PEM"),
        ("odd.pem", "has a certificate that cannot be used as an authority"),
    ] {
        let path = at(name);
        each_refused(&[(format!("id: google, ca: '{path}', {WE}"), &format!(".ca: the file {path} {told}"))]);
    }
}

/// Makes the keys of a provider of type oidc.
fn oidc(keys: &str) -> String {
    format!("id: corp, type: oidc, issuer: 'https://sso.example', {keys}")
}

/// Makes the keys of a provider of type oauth2.
fn oauth2(keys: &str) -> String {
    format!(
        "id: forge, type: oauth2, authorization_url: 'https://f.example/a', token_url: 'https://f.example/t', \
         userinfo_url: 'https://f.example/u', {WE}, {keys}"
    )
}

#[test]
fn a_provider_has_a_name_a_type_and_only_keys_that_are_some() {
    let presets: Vec<_> = PRESETS.iter().map(|&(name, _)| name).collect();
    let no_preset = format!(".preset: must be one of {}; did you mean \"google\"?", presets.join(", "));
    each_refused(&[
        (format!("id: Google, preset: google, {WE}"), ".id: must match [a-z0-9][a-z0-9_-]{0,63}"),
        (format!("preset: google, {WE}"), ": has no id; give its id, as used in accounts and calls"),
        ("id: google".to_owned(), ": has no client_id; give the client id that the provider issued"),
        (
            format!("id: corp, {WE}"),
            ": has no type; give github, oidc or oauth2, or a preset (docs/providers.md)",
        ),
        (format!("id: corp, type: saml, {WE}"), ".type: must be one of github, oidc, oauth2"),
        (format!("id: corp, preset: gogle, {WE}"), &no_preset),
        (
            format!("id: gitlab, type: oauth2, {WE}"),
            ".type: is oidc in the preset; remove this, or give another id or preset",
        ),
        (format!("id: google, clientid: b, {WE}"), ".clientid: unknown key; did you mean \"client_id\"?"),
        (
            "id: google, client_id: 5, client_secret: s".to_owned(),
            ".client_id: must be text, not a number; put it in quotes",
        ),
        (
            "id: google, client_id: 'a ', client_secret: s".to_owned(),
            ".client_id: must have 1 to 512 printable ASCII characters, and no space at its ends",
        ),
    ]);
}

#[test]
fn the_placeholders_of_a_preset_accept_only_valid_values() {
    each_refused(&[
        (
            format!("id: okta, {WE}"),
            ": has no domain; give your host name at this provider, or the whole issuer",
        ),
        (
            format!("id: auth0, domain: 'https://x.auth0.com', {WE}"),
            ".domain: must be a host name in lower case, without https:// and path",
        ),
        (
            format!("id: okta, domain: x.okta.com, issuer: 'https://x.okta.com', {WE}"),
            ".domain: has no effect, because no address of this provider contains it; remove it",
        ),
        (
            format!("id: google, tenant: common, {WE}"),
            ".tenant: has no effect, because no address of this provider contains it; remove it",
        ),
        (
            format!("id: microsoft-entra-id, tenant: contoso.example, {WE}"),
            ".tenant: must be common, organizations, or the id of a tenant (not its name, which tokens do not have; that of personal accounts is 9188040d-6c67-4c5b-b112-36a304b66dad)",
        ),
        (
            format!("id: microsoft-entra-id, tenant: 9122040D-6C67-4C5B-B112-36A304B66DAD, {WE}"),
            ".tenant: must be common, organizations, or the id of a tenant (not its name, which tokens do not have; that of personal accounts is 9188040d-6c67-4c5b-b112-36a304b66dad)",
        ),
    ]);
}

#[test]
fn addresses_are_those_of_the_type() {
    each_refused(&[
        (
            format!("id: keycloak, {WE}"),
            ": has no issuer; give its issuer: the URL that its .well-known/openid-configuration is under",
        ),
        (
            format!("id: corp, type: oidc, issuer: 'http://sso.example', {WE}"),
            ".issuer: must be https, because secrets are sent there (http only on loopback, or with plaintext: true in a private network)",
        ),
        (
            format!("id: corp, type: oidc, issuer: 'https://sso.example?x', {WE}"),
            ".issuer: must have no query; an issuer has none",
        ),
        (
            format!("id: forge, type: oauth2, profile: {{id: profile.id}}, {WE}"),
            ": has no authorization_url; give the authorization endpoint
             : has no token_url; give the token endpoint
             : has no userinfo_url; give the userinfo endpoint",
        ),
        (
            oidc(&format!("userinfo: never, userinfo_url: 'https://sso.example/u', {WE}")),
            ".userinfo_url: has no effect with userinfo: never; remove it",
        ),
        (
            oauth2(
                "profile: {id: profile.id}, jwks_url: 'https://f.example/k', userinfo: always, enterprise_url: 'https://f.example'",
            ),
            ".jwks_url: has no effect for type oauth2; remove it
             .userinfo: has no effect for type oauth2; remove it
             .enterprise_url: has no effect for type oauth2; remove it",
        ),
        (
            oidc(&format!("enterprise_url: 'https://f.example', {WE}")),
            ".enterprise_url: has no effect for type oidc; remove it",
        ),
        (
            oauth2("profile: {id: profile.id}, client_assertion_audience: issuer"),
            ".client_assertion_audience: has no effect for type oauth2; remove it",
        ),
        (format!("id: github, audiences: [a], {WE}"), ".audiences: has no effect for type github; remove it"),
        (
            oidc(&format!("audiences: [b, 'c ', b], {WE}")),
            ".audiences[1]: must have 1 to 512 printable ASCII characters, and no space at its ends
             .audiences[2]: given twice; keep one",
        ),
        (
            format!("id: github, issuer: 'https://github.com', token_url: 'https://github.com/t', {WE}"),
            ".issuer: has no effect for type github; remove it
             .token_url: has no effect for type github; remove it",
        ),
        (
            format!("id: github, enterprise_url: 'https://git.example/api', {WE}"),
            ".enterprise_url: must have no path and no query; write \"https://HOST\"",
        ),
    ]);
}

#[test]
fn requests_for_a_profile_can_be_sent() {
    let own = |keys: &str| oauth2(&format!("profile: {{id: profile.id}}, {keys}"));
    each_refused(&[
        (own("userinfo_method: PUT"), ".userinfo_method: must be one of GET, POST"),
        (
            own("userinfo_headers: {Authorization: x, 'a b': x, x-a: 'é', X-B: 'x', x-b: 'y'}"),
            ".userinfo_headers.Authorization: can't be set here: Gatepass or the connection sets it
             .userinfo_headers.a b: must have a name of 1 to 64 characters of A-Z, a-z, 0-9 and -
             .userinfo_headers.x-a: must have a value of 1 to 1024 printable ASCII characters, and no space at its ends
             .userinfo_headers.x-b: given twice; keep one",
        ),
        (own("userinfo_headers: {x-a: 1}"), ".userinfo_headers.x-a: must be text, not a number; put it in quotes"),
        (
            own("emails_url: 'http://f.example/emails'"),
            ".emails_url: must be https, because secrets are sent there (http only on loopback, or with plaintext: true in a private network)",
        ),
        (
            "id: linkedin, client_id: a".to_owned(),
            ": has no client_secret, which token_endpoint_auth_method client_secret_post needs; give the one that the provider made for you",
        ),
        (
            "id: linkedin, client_id: a, token_endpoint_auth_method: none".to_owned(),
            ".pkce: must be true without a client_secret: nothing else would protect a code",
        ),
        (
            oidc(&format!("pkce: false, emails_url: 'https://f.example/emails', {WE}")),
            ".emails_url: has no effect for type oidc; remove it
             .pkce: has no effect for type oidc; remove it",
        ),
        (
            oidc(&format!("userinfo: never, userinfo_method: POST, userinfo_headers: {{x-a: b}}, {WE}")),
            ".userinfo_method: has no effect with userinfo: never; remove it
             .userinfo_headers: has no effect with userinfo: never; remove it",
        ),
        (
            format!("id: github, userinfo_method: POST, pkce: false, {WE}"),
            ".userinfo_method: has no effect for type github; remove it
             .pkce: has no effect for type github; remove it",
        ),
    ]);
}

#[test]
fn what_has_a_place_in_an_address_has_its_form() {
    each_refused(&[
        (
            format!("id: amazon-cognito, {WE}"),
            ": has no region; give the region that the user pool is in, such as eu-central-1
             : has no user_pool_id; give the id of the user pool, such as eu-central-1_AbCdEf123",
        ),
        (
            format!("id: amazon-cognito, region: 'eu.evil.example/', user_pool_id: 'eu-central-1_a/b', {WE}"),
            ".region: must be a region of AWS, such as eu-central-1
             .user_pool_id: must be the id of a user pool, such as eu-central-1_AbCdEf123",
        ),
        (format!("id: ping-identity, {WE}"), ": has no environment_id; give the id of the environment"),
        (
            format!("id: ping-identity, environment_id: EB41E805-36a5-47df-af01-c5235f410c8e, {WE}"),
            ".environment_id: must be a UUID in lower case, with hyphens",
        ),
        (
            format!("id: mattermost, {WE}"),
            ": has no domain; give your host name at this provider, or the whole issuer",
        ),
        (
            format!("id: google, region: eu-central-1, {WE}"),
            ".region: has no effect, because no address of this provider contains it; remove it",
        ),
    ]);
}

#[test]
fn client_authentication_is_complete_and_has_an_effect() {
    each_refused(&[
        (oidc("client_id: a, client_secret: s, token_endpoint_auth_method: none"), ".client_secret: has no effect with token_endpoint_auth_method none; remove one of the two"),
        (
            oidc("client_id: a, token_endpoint_auth_method: client_secret_post"),
            ": has no client_secret, which token_endpoint_auth_method client_secret_post needs; give the one that the provider made for you",
        ),
        (oidc("client_id: a, client_secret: {env: NONE}"), ".client_secret: the variable NONE is not set"),
        (oidc("client_id: a, client_secret: s, team_id: T"), ".team_id: has no effect with token_endpoint_auth_method client_secret_basic; remove one of the two"),
        (oidc("client_id: a, private_key: x"), ".private_key: needs token_endpoint_auth_method: private_key_jwt beside it"),
        (
            oidc("client_id: a, private_key: s3cret, token_endpoint_auth_method: private_key_jwt"),
            ".private_key: is not a PEM private key (PKCS#8) of P-256, P-384, Ed25519 or RSA",
        ),
        (oidc("client_id: a, token_endpoint_auth_method: private_key_jwt"), ": has no private_key, which token_endpoint_auth_method private_key_jwt needs; give the private key, as {file: PATH}"),
        (
            "id: apple, client_id: a, client_secret: s".to_owned(),
            ": has no private_key, which token_endpoint_auth_method apple needs; give the private key, as {file: PATH}
             : has no key_id, which token_endpoint_auth_method apple needs; give the id of the key
             : has no team_id, which token_endpoint_auth_method apple needs; give the id of your team
             .client_secret: has no effect with token_endpoint_auth_method apple; remove one of the two",
        ),
        (
            format!("id: apple, client_id: a, team_id: T, key_id: K, private_key: {{file: {KEYS}/rsa.pem}}"),
            ".private_key: must be a key of P-256, as Apple's are",
        ),
    ]);
}

#[test]
fn authorization_parameters_are_valid() {
    each_refused(&[
        (
            oidc(&format!("scopes: [email], {WE}")),
            ".scopes: must include openid; without it there is no ID token",
        ),
        (
            oidc(&format!("scopes: [openid, 'a b'], {WE}")),
            ".scopes[1]: must be one scope: 1 to 255 visible ASCII characters, without spaces, \" and \\",
        ),
        (
            oidc(&format!("authorization_params: {{state: x}}, {WE}")),
            ".authorization_params.state: must not be set here; Gatepass or another setting sets it",
        ),
        (
            oidc(&format!("authorization_params: {{'state[]': x, client-id: y}}, {WE}")),
            ".authorization_params.state[]: must have a name of 1 to 64 characters of a-z, 0-9, _ and -
             .authorization_params.client-id: must not be set here; Gatepass or another setting sets it",
        ),
        (
            oidc(&format!("authorization_params: {{max_age: 5}}, {WE}")),
            ".authorization_params.max_age: must be text, not a number; put it in quotes",
        ),
        (
            oidc(&format!("authorization_params: {{max_age: '-5'}}, {WE}")),
            ".authorization_params.max_age: must be a whole number of seconds, at most 4294967295",
        ),
        (
            format!("id: github, authorization_params: {{max_age: '5'}}, {WE}"),
            ".authorization_params.max_age: has no effect without ID tokens; remove it",
        ),
        (
            format!("id: github, response_mode: form_post, {WE}"),
            ".response_mode: must be query; GitHub supports no other",
        ),
        (
            oidc(&format!("response_mode: form_post, redirect_uris: ['com.example.app:/cb'], {WE}")),
            ".response_mode: must be query if a redirect URI belongs to an app; form_post needs a web server",
        ),
        (
            oidc(&format!("redirect_uris: ['https://a.example/#x'], {WE}")),
            ".redirect_uris[0]: must have no fragment (RFC 6749 section 3.1.2)",
        ),
        (
            oidc(&format!("redirect_uris: ['https://a.example/', 'https://a.example/'], {WE}")),
            ".redirect_uris[1]: given twice; keep one",
        ),
        (oidc(&format!("timeout: 5m, {WE}")), ".timeout: must be from 100ms to 30s"),
    ]);
}

#[test]
fn profile_mappings_are_valid() {
    each_refused(&[
        (
            oauth2("timeout: 1s"),
            ".profile: has no id; give an expression for the person's id there, \"profile.id\", and others for email, email_verified, name and image",
        ),
        (
            oidc(&format!("profile: {{id: profle.sub}}, {WE}")),
            ".profile.id: column 1: unknown variable \"profle\"; did you mean \"profile\"?",
        ),
        (
            oidc(&format!("profile: {{nick: profile.sub}}, {WE}")),
            ".profile.nick: unknown key; write one of id, email, email_verified, name, image",
        ),
        (
            oidc(&format!("profile: {{email_verified: true}}, {WE}")),
            ".profile.email_verified: must be text, not true or false; put it in quotes",
        ),
        (
            oidc(&format!("profile: {{name: now}}, {WE}")),
            ".profile.name: column 1: unknown variable \"now\"; write one of profile",
        ),
        (
            oauth2("profile: {id: profile.id, email: profile.email}, link_by_verified_email: true"),
            ".link_by_verified_email: has no effect, because the provider verifies no e-mail address; give \
             profile.email and profile.email_verified, or remove this",
        ),
    ]);
}

#[test]
fn faults_are_reported_together_with_their_lines() {
    all_refused(&[
        (
            "providers:
  - id: google
    client_id: a
    client_secret: s
  - id: google
    client_id: b
    scopes: [email]
    profile:
      name: |
        profile.given_name
          + usr
  - id: okta
    tenant: x
",
            "g.yaml:7: providers[1].scopes: must include openid; without it there is no ID token
g.yaml:11: providers[1].profile.name: column 5: unknown variable \"usr\"; write one of profile
g.yaml:12: providers[2]: has no domain; give your host name at this provider, or the whole issuer
g.yaml:12: providers[2]: has no client_id; give the client id that the provider issued
g.yaml:13: providers[2].tenant: has no effect, because no address of this provider contains it; remove it",
        ),
        (
            "providers:\n  - {id: google, client_id: a}\n  - {id: google, preset: okta, domain: x.okta.com, client_id: a}",
            "g.yaml:3: providers[1].id: another provider has this id; give each its own",
        ),
        ("providers: {google: {}}", "g.yaml:1: providers: must be a list, not a section of keys"),
        ("providers: [google]", "g.yaml:1: providers[0]: must be a section of keys, not text"),
    ]);
}
