//! Linking: with the session of the signed-in user, and by a verified e-mail if the provider is allowed to.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gatepass::grpc::proto::v1::id_token_credential::Binding;
use gatepass::grpc::proto::v1::{
    BeginSignInRequest, DenialReason, ProfileCredential, SignInRequest, SignInResponse,
};
use serde_json::json;
use tokio::sync::Semaphore;
use tonic::{Code, Response, Status};

use crate::support::callers::{caller, callers, key};
use crate::support::crowd::at_once;
use crate::support::hooks::on_sign_in;
use crate::support::provider::{Endpoint, Fault, Person, TestProvider};
use crate::support::signing_in::{begin, come_back, corp, entry, of_id_token, with_providers};
use crate::support::{TestApp, allowed, credential, denied, profile, redeeming, refusal, with_key};

fn reauthentication() -> (Code, String) {
    (Code::FailedPrecondition, "REAUTHENTICATION_REQUIRED".to_owned())
}

/// Builds the request of a person who returns from the provider to link an account to the user of this access token.
async fn linking(
    app: &TestApp,
    provider: &TestProvider,
    person: Person,
    access_token: &str,
) -> SignInRequest {
    let request = BeginSignInRequest { link_access_token: access_token.to_owned(), ..begin("corp") };
    let begun = app.begin(request).await.unwrap();
    SignInRequest {
        link_access_token: access_token.to_owned(),
        ..come_back(&begun.flow, provider.log_in(&begun.authorization_url, person))
    }
}

/// Runs `meanwhile` while a linking waits for its provider, and returns the result of the linking.
async fn linking_while(
    app: &TestApp,
    provider: &TestProvider,
    request: SignInRequest,
    meanwhile: impl Future<Output = ()>,
) -> Result<Response<SignInResponse>, Status> {
    let (release, before) = (Arc::new(Semaphore::new(0)), provider.requests(Endpoint::Token));
    provider.fails_at(Endpoint::Token, Fault::Held(Arc::clone(&release)));
    let mut auth = app.auth.clone();
    let call = tokio::spawn(async move { auth.sign_in(request).await });
    provider.until_requests(Endpoint::Token, before + 1).await;
    meanwhile.await;
    release.add_permits(1);
    let answer = call.await.unwrap();
    provider.recovers();
    answer
}

#[tokio::test]
async fn a_signed_in_user_links_another_account() {
    let (provider, app) = corp().await;
    let issued = app.tokens("ada").await;
    let user = issued.session.unwrap().user.unwrap();
    let person = Person::named("ada-at-work").with_email("ada@work.example", true);
    let linked =
        allowed(app.try_sign_in(linking(&app, &provider, person.clone(), &issued.access_token).await).await);
    assert!(linked.linked && !linked.is_new_user);
    assert_eq!((linked.grant, linked.grant_expires_at), (None, None));
    assert!(linked.provider_tokens.is_some());
    let told = linked.user.unwrap();
    assert_eq!((Some(told.id.clone()), told.email.as_deref()), (user.id, Some("ada@example.com")));
    assert_eq!(linked.account.unwrap().provider, "corp");
    assert_eq!(app.counts().await, [1, 2, 1]);
    assert!(app.log().await.iter().any(|row| row.contains("ACCOUNT_LINKED")));
    // The account now signs the same user in.
    let signed_in = app.sign_in_at(&provider, person).await;
    assert_eq!(signed_in.user.unwrap().id, told.id);
    assert!(!signed_in.is_new_user);
    // The session that linked the account continues.
    app.session(&issued.access_token).await.unwrap();
}

#[tokio::test]
async fn linking_twice_is_linking_once() {
    let (provider, app) = corp().await;
    let access_token = app.tokens("ada").await.access_token;
    for _ in 0..2 {
        let person = Person::named("ada-at-work").without_email();
        assert!(allowed(app.try_sign_in(linking(&app, &provider, person, &access_token).await).await).linked);
    }
    assert_eq!(app.counts().await, [1, 2, 1]);
    let wanted = ["SIGN_UP SUCCESS", "TOKEN_ISSUED SUCCESS", "ACCOUNT_LINKED SUCCESS"];
    let again = "ACCOUNT_LINKED SUCCESS ALREADY_LINKED";
    assert_eq!(app.log().await, [&wanted[..], &[again]].concat());
    let sql = "SELECT DISTINCT provider, email FROM auth_logs WHERE action = 'ACCOUNT_LINKED'";
    assert_eq!(app.query(sql).await, [["corp", "ada@example.com"]]);
}

#[tokio::test]
async fn linking_again_is_how_more_scopes_are_granted() {
    let (provider, app) = corp().await;
    let access_token = app.tokens("ada").await.access_token;
    for scopes in ["openid", "openid calendar"] {
        let request = BeginSignInRequest {
            scopes: scopes.split(' ').map(str::to_owned).collect(),
            link_access_token: access_token.clone(),
            ..begin("corp")
        };
        let begun = app.begin(request).await.unwrap();
        let answer = provider.log_in(&begun.authorization_url, Person::named("work").without_email());
        let request =
            SignInRequest { link_access_token: access_token.clone(), ..come_back(&begun.flow, answer) };
        let account = allowed(app.try_sign_in(request).await).account.unwrap();
        assert_eq!(account.scope.as_deref(), Some(scopes));
        assert_eq!(app.query("SELECT scope FROM accounts WHERE provider = 'corp'").await, [[scopes]]);
    }
}

#[tokio::test]
async fn an_id_token_that_linked_signs_no_user_in() {
    const NONCE: &str = "a nonce of this browser";
    for linked_before in [false, true] {
        let (provider, app) = corp().await;
        let access_token = app.tokens("ada").await.access_token;
        let person = Person::named("ada-at-work").without_email();
        if linked_before {
            allowed(app.try_sign_in(linking(&app, &provider, person.clone(), &access_token).await).await);
        }
        let token = provider.id_token(&person, NONCE);
        let with = |access_token: &str| SignInRequest {
            link_access_token: access_token.to_owned(),
            ..of_id_token("corp", &token, Binding::Nonce(NONCE.to_owned()))
        };
        // A client that lost the answer repeats the request.
        for _ in 0..2 {
            assert!(allowed(app.try_sign_in(with(&access_token)).await).linked);
        }
        let refused = refusal(app.try_sign_in(with("")).await);
        assert_eq!(refused, (Code::Unauthenticated, "CREDENTIAL_INVALID".to_owned()), "{linked_before}");
        assert_eq!(app.log().await.last().unwrap(), "SIGN_IN_DENIED FAILED ID_TOKEN_USED");
        assert_eq!(app.counts().await, [1, 2, 1]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whose_session_ends_while_the_provider_is_asked_links_nothing() {
    for linked_before in [false, true] {
        for banned in [false, true] {
            let (provider, app) = corp().await;
            let issued = app.tokens("ada").await;
            let (access_token, session) = (issued.access_token, issued.session.unwrap());
            let person = || Person::named("ada-at-work").without_email();
            if linked_before {
                allowed(app.try_sign_in(linking(&app, &provider, person(), &access_token).await).await);
            }
            let (accounts, rows) = (app.counts().await[1], app.log().await.len());
            let request = linking(&app, &provider, person(), &access_token).await;
            let meanwhile = async {
                if banned {
                    app.ban(&session.user.unwrap().id.unwrap()).await;
                } else {
                    app.revoke_session(&session.id.unwrap()).await.unwrap();
                }
            };
            let (ended, reason) = if banned {
                ("USER_BANNED SUCCESS", "USER_BANNED")
            } else {
                ("SESSION_REVOKED SUCCESS", "SESSION_REVOKED")
            };
            let refused = refusal(linking_while(&app, &provider, request, meanwhile).await);
            assert_eq!(refused, (Code::Unauthenticated, reason.to_owned()), "{linked_before}");
            assert_eq!(app.counts().await[1], accounts);
            assert_eq!(app.log().await[rows..], [ended, &format!("SIGN_IN_DENIED FAILED {reason}")]);
        }
    }
}

#[tokio::test]
async fn the_account_of_another_user_is_not_linked() {
    let (provider, app) = corp().await;
    app.sign_in_at(&provider, Person::named("eve")).await;
    let access_token = app.tokens("ada").await.access_token;
    let denied =
        denied(app.try_sign_in(linking(&app, &provider, Person::named("eve"), &access_token).await).await);
    assert_eq!(denied.reason(), DenialReason::AccountOwnedByOther);
    assert_eq!(denied.redirect_to, "http://localhost:3000/auth/error?error=AccessDenied");
    assert_eq!(app.counts().await, [2, 2, 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_link_one_account_at_once_one_has_it() {
    let (provider, app) = corp().await;
    let mut requests = Vec::new();
    for who in ["ada", "eve"] {
        let access_token = app.tokens(who).await.access_token;
        requests.push(linking(&app, &provider, Person::named("shared").without_email(), &access_token).await);
    }
    let answers = at_once(2, |number| {
        let (mut auth, request) = (app.auth.clone(), requests[number].clone());
        async move { auth.sign_in(request).await.unwrap().into_inner() }
    })
    .await;
    let linked = answers.iter().filter(|answer| format!("{:?}", answer.outcome).starts_with("Some(Allowed"));
    assert_eq!(linked.count(), 1);
    assert_eq!(app.counts().await, [2, 3, 2]);
}

#[tokio::test]
async fn a_linking_goes_on_with_the_session_that_began_it() {
    let (provider, app) = corp().await;
    let (ada, eve) = (app.tokens("ada").await.access_token, app.tokens("eve").await.access_token);
    let request = || linking(&app, &provider, Person::named("work"), &ada);
    for other in [String::new(), eve.clone(), app.tokens("ada").await.access_token] {
        let request = SignInRequest { link_access_token: other, ..request().await };
        assert_eq!(refusal(app.try_sign_in(request).await), reauthentication());
    }
    // A flow that began as a sign-in does not become a linking either.
    let begun = app.begin(begin("corp")).await.unwrap();
    let answer = provider.log_in(&begun.authorization_url, Person::named("work"));
    let request = SignInRequest { link_access_token: ada, ..come_back(&begun.flow, answer) };
    assert_eq!(refusal(app.try_sign_in(request).await), reauthentication());
    assert_eq!(app.query("SELECT id FROM accounts").await.len(), 2);
}

#[tokio::test]
async fn linking_needs_a_session_of_the_last_ten_minutes() {
    let (provider, app) = corp().await;
    let issued = app.tokens("ada").await;
    let request = linking(&app, &provider, Person::named("work"), &issued.access_token).await;
    app.clock.advance(Duration::from_mins(10));
    let again = || BeginSignInRequest { link_access_token: issued.access_token.clone(), ..begin("corp") };
    app.begin(again()).await.unwrap();
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(refusal(app.begin(again()).await), reauthentication());
    assert_eq!(refusal(app.try_sign_in(request).await), reauthentication());
    // A refresh is no new authentication.
    let refreshed = app.refresh(&issued.refresh_token).await.unwrap().access_token;
    let request = BeginSignInRequest { link_access_token: refreshed, ..begin("corp") };
    assert_eq!(refusal(app.begin(request).await), reauthentication());
}

#[tokio::test]
async fn link_within_can_be_set() {
    let provider = TestProvider::start().await;
    let app =
        with_providers(&[entry("corp", &provider, "")]).config("sign_in: {link_within: 1m}").start().await;
    let access_token = app.tokens("ada").await.access_token;
    app.clock.advance(Duration::from_secs(61));
    let request = BeginSignInRequest { link_access_token: access_token, ..begin("corp") };
    assert_eq!(refusal(app.begin(request).await), reauthentication());
}

#[tokio::test]
async fn a_session_that_was_ended_links_nothing() {
    let (provider, app) = corp().await;
    let issued = app.tokens("ada").await;
    let request = linking(&app, &provider, Person::named("work"), &issued.access_token).await;
    app.ban(&issued.session.unwrap().user.unwrap().id.unwrap()).await;
    let (code, reason) = refusal(app.try_sign_in(request).await);
    assert_eq!((code, reason.as_str()), (Code::Unauthenticated, "USER_BANNED"));
    assert_eq!(app.counts().await, [1, 1, 1]);
}

#[tokio::test]
async fn an_expired_session_links_nothing() {
    let provider = TestProvider::start().await;
    let app = with_providers(&[entry("corp", &provider, "")])
        .config("sign_in: {link_within: 24h}\ntokens: {access_ttl: 5m}")
        .start()
        .await;
    let issued = app.tokens("ada").await;
    let request = linking(&app, &provider, Person::named("work"), &issued.access_token).await;
    app.clock.advance(Duration::from_mins(6));
    let expired = (Code::Unauthenticated, "TOKEN_EXPIRED".to_owned());
    assert_eq!(refusal(app.try_sign_in(request).await), expired);
    assert_eq!(app.log().await.last().unwrap(), "SIGN_IN_DENIED FAILED TOKEN_EXPIRED");
    let request = BeginSignInRequest { link_access_token: issued.access_token, ..begin("corp") };
    assert_eq!(refusal(app.begin(request).await), expired);
    assert_eq!(app.counts().await, [1, 1, 1]);
}

#[tokio::test]
async fn an_invalid_access_token_links_nothing_and_writes_a_log_row() {
    let (provider, app) = corp().await;
    let good = app.tokens("ada").await.access_token;
    let elsewhere = with_providers(&[]).start().await.tokens("ada").await.access_token;
    for (token, reason) in [("x", "TOKEN_MALFORMED"), (elsewhere.as_str(), "TOKEN_SIGNATURE_INVALID")] {
        let mut request = linking(&app, &provider, Person::named("work"), &good).await;
        token.clone_into(&mut request.link_access_token);
        assert_eq!(refusal(app.try_sign_in(request).await), (Code::Unauthenticated, reason.to_owned()));
        assert_eq!(app.log().await.last().unwrap(), &format!("SIGN_IN_DENIED FAILED {reason}"));
    }
}

#[tokio::test]
async fn a_session_of_another_group_links_nothing() {
    let provider = TestProvider::start().await;
    let entries = [caller("web", "allow: [sign_in, sign_in.assert]"), caller("other", "allow: [sign_in]")];
    let app = with_providers(&[entry("corp", &provider, "")]).config(&callers(&entries)).start().await;
    let grant = allowed(app.try_sign_in(with_key(profile("ada"), &key("web"))).await).grant.unwrap();
    let issued = app.issue_token(with_key(redeeming(&grant), &key("web"))).await.unwrap();
    let request = BeginSignInRequest { link_access_token: issued.access_token, ..begin("corp") };
    let refused = app.begin(with_key(request, &key("other"))).await;
    assert_eq!(refusal(refused), (Code::PermissionDenied, "CALLER_NOT_ALLOWED".to_owned()));
}

#[tokio::test]
async fn callbacks_are_asked_of_a_linking_too() {
    let provider = TestProvider::start().await;
    let app = with_providers(&[entry("corp", &provider, "")])
        .callbacks(on_sign_in(|input| {
            let corp = input.account.provider.as_str() == "corp";
            assert!(!corp || !input.is_new_user);
            Ok(if corp {
                gatepass::auth::SignInDecision::deny("not here")
            } else {
                gatepass::auth::SignInDecision::Allow
            })
        }))
        .start()
        .await;
    let access_token = app.tokens("ada").await.access_token;
    let denied =
        denied(app.try_sign_in(linking(&app, &provider, Person::named("work"), &access_token).await).await);
    assert_eq!(denied.reason(), DenialReason::CallbackDenied);
    assert_eq!(app.counts().await, [1, 1, 1]);
}

#[tokio::test]
async fn callbacks_are_asked_of_a_linking_that_was_there_before_too() {
    let provider = TestProvider::start().await;
    let linkings = AtomicUsize::new(0);
    let app = with_providers(&[entry("corp", &provider, "")])
        .callbacks(on_sign_in(move |input| {
            let is_linking = input.account.provider.as_str() == "corp";
            Ok(if is_linking && linkings.fetch_add(1, Ordering::Relaxed) > 0 {
                gatepass::auth::SignInDecision::deny("once is enough")
            } else {
                gatepass::auth::SignInDecision::Allow
            })
        }))
        .start()
        .await;
    let access_token = app.tokens("ada").await.access_token;
    let link = async || {
        let person = Person::named("work").without_email();
        app.try_sign_in(linking(&app, &provider, person, &access_token).await).await
    };
    allowed(link().await);
    assert_eq!(denied(link().await).reason(), DenialReason::CallbackDenied);
    assert_eq!(app.log().await.last().unwrap(), "SIGN_IN_DENIED DENIED CALLBACK_DENIED");
}

#[tokio::test]
async fn a_profile_that_is_too_large_to_keep_is_linked_like_any_other() {
    let provider = TestProvider::start().await;
    let app = with_providers(&[entry("corp", &provider, "userinfo: always")])
        .callbacks(on_sign_in(|input| {
            assert!(input.is_new_user || !input.profile.contains_key("more"));
            assert!(input.is_new_user || input.profile_omitted == ["more"]);
            Ok(gatepass::auth::SignInDecision::Allow)
        }))
        .start()
        .await;
    let access_token = app.tokens("ada").await.access_token;
    provider.edits_userinfo(|claims| drop(claims.insert("more".to_owned(), json!("x".repeat(300_000)))));
    let request = linking(&app, &provider, Person::named("work"), &access_token).await;
    assert!(allowed(app.try_sign_in(request).await).linked);
}

#[tokio::test]
async fn a_profile_that_a_caller_vouches_for_can_be_linked_too() {
    let (_provider, app) = corp().await;
    let access_token = app.tokens("ada").await.access_token;
    let mut request = profile("ada-elsewhere");
    request.link_access_token = access_token;
    assert!(allowed(app.try_sign_in(request).await).linked);
    assert_eq!(app.counts().await, [1, 2, 1]);
}

#[tokio::test]
async fn a_vouched_account_and_a_proven_account_with_the_same_id_are_two() {
    let (provider, app) = corp().await;
    let vouched = |who: &str, email_verified| {
        credential(ProfileCredential {
            provider: "corp".to_owned(),
            provider_account_id: who.to_owned(),
            email: Some(format!("{who}@example.com")),
            email_verified,
            ..Default::default()
        })
    };
    let ada = allowed(app.try_sign_in(vouched("ada", true)).await);
    let denied = denied(app.try_sign_in_at(&provider, Person::named("ada")).await);
    assert_eq!(denied.reason(), DenialReason::AccountNotLinked);
    assert_eq!(denied.linked_providers, ["corp"]);
    // Without a conflicting verified e-mail, the sign-in creates a new user.
    allowed(app.try_sign_in(vouched("eve", false)).await);
    assert!(app.sign_in_at(&provider, Person::named("eve")).await.is_new_user);
    let access_token = app.issue(&ada.grant.unwrap()).await.unwrap().access_token;
    let request = linking(&app, &provider, Person::named("ada"), &access_token).await;
    assert!(allowed(app.try_sign_in(request).await).linked);
    let again = app.sign_in_at(&provider, Person::named("ada")).await;
    assert_eq!(again.user.unwrap().id, ada.user.unwrap().id);
}

#[tokio::test]
async fn a_verified_email_of_another_user_is_not_linked_by_itself() {
    let (provider, app) = corp().await;
    app.sign_in("ada").await;
    let denied = denied(app.try_sign_in_at(&provider, Person::named("ada")).await);
    assert_eq!(denied.reason(), DenialReason::AccountNotLinked);
    assert_eq!(denied.linked_providers, ["github"]);
    assert_eq!(denied.redirect_to, "http://localhost:3000/auth/error?error=OAuthAccountNotLinked");
    assert_eq!(app.counts().await, [1, 1, 1]);
}

async fn linking_by_email() -> (TestProvider, TestApp) {
    let provider = TestProvider::start().await;
    let app = with_providers(&[entry("corp", &provider, "link_by_verified_email: true")]).start().await;
    (provider, app)
}

#[tokio::test]
async fn a_provider_that_may_links_by_a_verified_email() {
    let (provider, app) = linking_by_email().await;
    let ada = app.sign_in("ada").await.user.unwrap();
    let signed_in = app.sign_in_at(&provider, Person::named("ada")).await;
    assert_eq!(signed_in.user.unwrap().id, ada.id);
    assert!(!signed_in.is_new_user && !signed_in.linked && signed_in.grant.is_some());
    assert_eq!(app.counts().await, [1, 2, 2]);
    let log = app.log().await;
    assert!(log.iter().any(|row| row.contains("ACCOUNT_LINKED")), "{log:?}");
    app.sign_in_at(&provider, Person::named("ada")).await;
    assert_eq!(app.counts().await, [1, 2, 3]);
}

#[tokio::test]
async fn an_unverified_email_links_nothing_whatever_the_provider_may() {
    let (provider, app) = linking_by_email().await;
    let ada = app.sign_in("ada").await.user.unwrap();
    let eve = Person::named("eve").with_email("ada@example.com", false);
    assert_ne!(app.sign_in_at(&provider, eve).await.user.unwrap().id, ada.id);
}

#[tokio::test]
async fn an_email_that_its_user_never_verified_links_nothing() {
    let (provider, app) = linking_by_email().await;
    let mut request = profile("ada");
    let Some(gatepass::grpc::proto::v1::sign_in_request::Credential::Profile(told)) = &mut request.credential
    else {
        unreachable!()
    };
    told.email_verified = false;
    let eve = allowed(app.try_sign_in(request).await).user.unwrap();
    assert_ne!(app.sign_in_at(&provider, Person::named("ada")).await.user.unwrap().id, eve.id);
}

#[tokio::test]
async fn a_banned_user_is_not_let_in_by_a_verified_email() {
    let (provider, app) = linking_by_email().await;
    let ada = app.sign_in("ada").await.user.unwrap();
    app.ban(&ada.id).await;
    let denied = denied(app.try_sign_in_at(&provider, Person::named("ada")).await);
    assert_eq!(denied.reason(), DenialReason::UserBanned);
    assert_eq!(app.counts().await, [1, 1, 1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_sign_ins_that_tell_another_name_are_all_let_in() {
    let (one, two) = (TestProvider::start().await, TestProvider::start().await);
    let links = "link_by_verified_email: true";
    let app = with_providers(&[entry("corp", &one, links), entry("other", &two, links)]).start().await;
    // Each request changes the user, so that the others find a version that they did not read.
    let mut requests = Vec::new();
    for number in 0..4 {
        let (id, provider) = if number % 2 == 0 { ("corp", &one) } else { ("other", &two) };
        let begun = app.begin(begin(id)).await.unwrap();
        let person = Person { name: Some(format!("Ada {number}")), ..Person::named("ada") };
        requests.push(come_back(&begun.flow, provider.log_in(&begun.authorization_url, person)));
    }
    at_once(4, |number| {
        let (mut auth, request) = (app.auth.clone(), requests[number].clone());
        async move { allowed(auth.sign_in(request).await) }
    })
    .await;
    assert_eq!(app.counts().await, [1, 2, 4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_sign_ups_by_two_providers_make_one_user_with_two_accounts() {
    let (one, two) = (TestProvider::start().await, TestProvider::start().await);
    let links = "link_by_verified_email: true";
    let app = with_providers(&[entry("corp", &one, links), entry("other", &two, links)]).start().await;
    let mut requests = Vec::new();
    for number in 0..10 {
        let (id, provider) = if number % 2 == 0 { ("corp", &one) } else { ("other", &two) };
        let begun = app.begin(begin(id)).await.unwrap();
        requests
            .push(come_back(&begun.flow, provider.log_in(&begun.authorization_url, Person::named("ada"))));
    }
    let answers = at_once(10, |number| {
        let (mut auth, request) = (app.auth.clone(), requests[number].clone());
        async move { allowed(auth.sign_in(request).await) }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.is_new_user).count(), 1);
    assert_eq!(app.counts().await, [1, 2, 10]);
}
