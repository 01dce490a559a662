//! The log of provider calls, and the secrets that it never contains.

use super::*;
use crate::support::log::Log;
use crate::support::provider::{Endpoint, Fault};
use secrecy::ExposeSecret;

#[tokio::test]
async fn each_request_is_logged_without_what_it_carries() {
    let at = TestProvider::start().await;
    at.keeps_profiles_to_userinfo();
    let (log, _guard) = Log::begin();
    let floor = connect(oidc(&at), &at);
    let code = at.log_in(&floor.begin().await.unwrap(), Person::named("ada")).code;
    let tokens = floor.redeem(&code).await.unwrap().tokens.unwrap();
    for endpoint in ["discovery", "token", "jwks", "userinfo"] {
        let lines = log.lines(&format!("endpoint=\"{endpoint}\""));
        let [line] = lines.as_slice() else { panic!("once: {lines:?}") };
        for field in ["provider=\"idp\"", "status=200", "duration_ms="] {
            assert!(line.contains(field), "{field}: {line}");
        }
    }
    at.fails_at(Endpoint::Token, Fault::OAuthError("invalid_request"));
    let refused = at.log_in(&floor.begin().await.unwrap(), Person::named("ada")).code;
    floor.redeem(&refused).await.unwrap_err();
    assert_eq!(log.lines("status=400").len(), 1);
    let all = log.take();
    let (access_token, id_token) = (tokens.access_token, tokens.id_token.unwrap());
    for secret in [
        code.as_str(),
        &refused,
        access_token.expose_secret(),
        id_token.expose_secret(),
        "ada",
        "the state",
        NONCE,
        VERIFIER,
        CLIENT_SECRET,
        "?",
    ] {
        assert!(!all.contains(secret), "{secret}: {all}");
    }
}
