//! Faults at each endpoint: each has its own name and ends in time. Gatepass reads only a few KiB, and reports nothing
//! of what was sent.

use super::*;
use crate::support::provider::{Endpoint, Fault};
use crate::support::tls::Authority;
use gatepass::model::ProviderFaultMeaning;
use serde_json::json;
use tokio::task::JoinSet;

const FAULTS: [(Fault, &str); 16] = [
    (Fault::Hang, "PROVIDER_TIMED_OUT"),
    (Fault::HangInBody, "PROVIDER_TIMED_OUT"),
    (Fault::Reset, "PROVIDER_UNREACHABLE"),
    (Fault::CutOff, "PROVIDER_UNREACHABLE"),
    (Fault::Gigabyte, "PROVIDER_RESPONSE_TOO_LARGE"),
    (Fault::GigabyteTold, "PROVIDER_RESPONSE_TOO_LARGE"),
    (Fault::Html, "PROVIDER_RESPONSE_MALFORMED"),
    (Fault::Body("{\"a\":1"), "PROVIDER_RESPONSE_MALFORMED"),
    (Fault::Body("{\"a\":1,\"a\":2}"), "PROVIDER_RESPONSE_MALFORMED"),
    (Fault::Body("[1,2]"), "PROVIDER_RESPONSE_MALFORMED"),
    (Fault::Body("[]{}"), "PROVIDER_RESPONSE_MALFORMED"),
    (Fault::Body(""), "PROVIDER_RESPONSE_MALFORMED"),
    (Fault::Status(500), "PROVIDER_STATUS"),
    (Fault::Status(503), "PROVIDER_STATUS"),
    (Fault::Status(429), "PROVIDER_STATUS"),
    (Fault::Status(204), "PROVIDER_STATUS"),
];

type SettingsFor = fn(&TestProvider) -> Settings;

/// Settings with short timeouts, since the test waits for each hang.
fn impatient(settings: Settings) -> Settings {
    Settings { timeout: Duration::from_millis(300), ..settings }
}

#[tokio::test]
async fn each_fault_at_each_endpoint_is_told_by_its_name() {
    let rows: [(SettingsFor, Endpoint); 8] = [
        (oidc, Endpoint::Discovery),
        (oidc, Endpoint::Jwks),
        (oidc, Endpoint::Token),
        (oidc, Endpoint::Userinfo),
        (oauth2, Endpoint::Userinfo),
        (github, Endpoint::Token),
        (github, Endpoint::User),
        (github, Endpoint::Emails),
    ];
    let each = rows.into_iter().flat_map(|row| FAULTS.map(|(fault, wanted)| (row, fault, wanted)));
    // A list without an address that can be used means that there is none.
    let is_list_of_emails =
        |endpoint, fault: &Fault| endpoint == Endpoint::Emails && matches!(fault, Fault::Body("[1,2]"));
    let each = each.filter(|((_, endpoint), fault, _)| !is_list_of_emails(*endpoint, fault));
    let all: JoinSet<()> = each
        .map(|((settings, endpoint), fault, wanted)| async move {
            let at = TestProvider::start().await;
            at.keeps_profiles_to_userinfo();
            at.fails_at(endpoint, fault.clone());
            let hangs = matches!(fault, Fault::Hang | Fault::HangInBody);
            let settings = if hangs { impatient(settings(&at)) } else { settings(&at) };
            let told = connect(settings, &at).sign_in(&at, Person::named("ada")).await.unwrap_err();
            assert_eq!(told.kind.name(), wanted, "{endpoint:?} {fault:?}: {told}");
            assert_eq!(told.kind.meaning(), ProviderFaultMeaning::Unavailable, "{wanted}");
            assert!(!told.to_string().contains("ada"), "{told}");
        })
        .collect();
    all.join_all().await;
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let (at, elsewhere) = (TestProvider::start().await, TestProvider::start().await);
    at.keeps_profiles_to_userinfo();
    for (endpoint, path) in [
        (Endpoint::Discovery, "/.well-known/openid-configuration"),
        (Endpoint::Jwks, "/jwks"),
        (Endpoint::Token, "/token"),
        (Endpoint::Userinfo, "/userinfo"),
    ] {
        at.fails_at(endpoint, Fault::Redirect(elsewhere.url(path)));
        assert_eq!(kind(connect(oidc(&at), &at).sign_in(&at, Person::named("ada")).await), FaultKind::Status);
        at.recovers();
    }
    assert_eq!(elsewhere.all_requests(), 0);
}

#[tokio::test]
async fn all_requests_of_a_question_share_its_time() {
    let at = TestProvider::start().await;
    at.keeps_profiles_to_userinfo();
    // The last request hangs. Without the caller's deadline it would hang for longer than any test runs.
    let floor = connect(Settings { timeout: Duration::from_hours(1), ..oidc(&at) }, &at);
    let code = at.log_in(&floor.begin().await.unwrap(), Person::named("ada")).code;
    at.fails_at(Endpoint::Userinfo, Fault::Hang);
    let until = Instant::now() + Duration::from_millis(300);
    let fault = floor.redeem_with(&code, NONCE, VERIFIER, None, until).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::TimedOut);
    assert!(Instant::now() >= until);
}

#[tokio::test]
async fn a_turn_has_the_callers_time_or_the_providers_own() {
    let at = TestProvider::start().await;
    for settings in [oidc(&at), oauth2(&at), github(&at)] {
        let (timeout, floor) = (settings.timeout, connect(settings, &at));
        let (begun, soon) = (Instant::now(), Instant::now() + Duration::from_secs(1));
        assert_eq!(floor.provider.turn(soon).unwrap().until, soon);
        let own = floor.provider.turn(begun + 2 * timeout).unwrap().until;
        assert!(begun + timeout <= own && own <= Instant::now() + timeout);
    }
}

#[tokio::test]
async fn nobody_is_there() {
    let at = TestProvider::start().await;
    let (settings, gone) = (oauth2(&at), at.port());
    let floor = connect(settings, &at);
    let code = at.log_in(&floor.begin().await.unwrap(), Person::named("ada")).code;
    drop(at);
    let fault = floor.redeem(&code).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unreachable, "{gone}: {fault}");
}

#[tokio::test]
async fn a_provider_that_hangs_holds_up_so_many_and_no_other_provider() {
    let (hanging, well) = (TestProvider::start().await, TestProvider::start().await);
    let floor = Arc::new(connect(oauth2(&hanging), &hanging));
    let page = floor.begin().await.unwrap();
    hanging.fails_with(Fault::Hang);
    let waiting: Vec<_> = (0..128)
        .map(|_| {
            let (floor, code) = (Arc::clone(&floor), hanging.log_in(&page, Person::named("ada")).code);
            tokio::spawn(async move { floor.redeem(&code).await })
        })
        .collect();
    hanging.until_requests(Endpoint::Token, 128).await;
    let fault = floor.redeem("one more").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unreachable);
    assert!(fault.cause.contains("too many"), "{fault}");
    connect(oauth2(&well), &well).sign_in(&well, Person::named("ada")).await.unwrap();
    // Cancelled calls free their places.
    for waiting in waiting {
        waiting.abort();
        assert!(waiting.await.unwrap_err().is_cancelled());
    }
    hanging.recovers();
    floor.sign_in(&hanging, Person::named("ada")).await.unwrap();
}

#[tokio::test]
async fn metadata_that_lead_elsewhere_are_refused() {
    let at = TestProvider::start().await;
    for (member, value) in [
        ("issuer", json!("https://other.example")),
        ("issuer", json!(format!("{}/", at.issuer()))),
        ("token_endpoint", json!("http://idp.example/token")),
        ("jwks_uri", json!("file:///etc/passwd")),
        ("authorization_endpoint", json!(null)),
    ] {
        at.edits_metadata(move |metadata| drop(metadata.insert(member.into(), value.clone())));
        let fault = connect(oidc(&at), &at).begin().await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Metadata, "{member}");
    }
}

#[tokio::test]
async fn keys_that_prove_nothing_are_refused() {
    let at = TestProvider::start().await;
    let symmetric = json!({"kty": "oct", "kid": "key-1", "k": "c2VjcmV0", "use": "sig", "alg": "HS256"});
    for keys in [json!([]), json!([symmetric]), json!({}), json!(vec![json!({}); 65])] {
        at.edits_keys(move |set| drop(set.insert("keys".into(), keys.clone())));
        let outcome = connect(oidc(&at), &at).sign_in(&at, Person::named("ada")).await;
        assert_eq!(kind(outcome), FaultKind::Malformed);
    }
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let (authority, other) = (Authority::new(), Authority::new());
    let at = TestProvider::start_with_tls(&authority.issue(&["localhost"])).await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, pem: &str| {
        std::fs::write(folder.path().join(name), pem).unwrap();
        Some(folder.path().join(name))
    };
    let with = |ca| connect(Settings { ca, ..oidc(&at) }, &at);
    let good = with(file("ca.pem", &format!("{}{}", other.pem, authority.pem)));
    good.sign_in(&at, Person::named("ada")).await.unwrap();
    for ca in [None, file("other.pem", &other.pem)] {
        let fault = with(ca).begin().await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unreachable);
        assert!(fault.cause.contains("certificate"), "{fault}");
    }
    let at = TestProvider::start_with_tls(&authority.issue(&["other.example"])).await;
    let fault =
        connect(Settings { ca: file("ca.pem", &authority.pem), ..oidc(&at) }, &at).begin().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unreachable);
}
