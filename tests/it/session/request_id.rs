//! `request_id`: a repeated `SignIn` or `IssueToken` gets the same answer, and takes effect once.

use std::time::Duration;

use gatepass::grpc::proto::v1::{IssueTokenRequest, IssueTokenResponse, Rotation, SignInRequest};
use tonic::{Code, Response, Status};

use crate::support::callers::{caller, callers, key};
use crate::support::crowd::{at_once, patient};
use crate::support::people::{denied, fields};
use crate::support::{TestApp, allowed, app, builder, profile, reason, refusal, with_key};

/// A request id with 128 bits.
const ID: &str = "0123456789abcdef0123456789abcdef";

fn named(who: &str, id: &str) -> SignInRequest {
    SignInRequest { request_id: id.to_owned(), ..profile(who) }
}

fn redemption(grant: &str, id: &str) -> IssueTokenRequest {
    IssueTokenRequest { grant: grant.to_owned(), request_id: id.to_owned(), ..Default::default() }
}

async fn issue(app: &TestApp, request: IssueTokenRequest) -> Result<IssueTokenResponse, Status> {
    app.auth.clone().issue_token(request).await.map(Response::into_inner)
}

#[tokio::test]
async fn a_repeated_sign_in_gets_the_same_answer_for_a_minute() {
    let app = app().await;
    let first = allowed(app.try_sign_in(named("ada", ID)).await);
    assert!(first.is_new_user);
    app.clock.advance(Duration::from_millis(59_999));
    assert_eq!(allowed(app.try_sign_in(named("ada", ID)).await), first);
    assert_eq!(app.counts().await, [1, 1, 1]);
    assert_eq!(app.log().await, ["SIGN_UP SUCCESS"]);
    app.issue(&first.grant.unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_returning_persons_repeated_sign_in_opens_one_session() {
    let app = app().await;
    app.sign_in("ada").await;
    let first = allowed(app.try_sign_in(named("ada", ID)).await);
    assert!(!first.is_new_user);
    assert_eq!(allowed(app.try_sign_in(named("ada", ID)).await), first);
    assert_eq!(app.counts().await, [1, 1, 2]);
}

#[tokio::test]
async fn after_a_minute_a_request_id_is_refused() {
    let app = app().await;
    allowed(app.try_sign_in(named("ada", ID)).await);
    app.clock.advance(Duration::from_mins(1));
    let answer = app.try_sign_in(named("ada", ID)).await;
    assert_eq!(fields(answer), ["request_id"]);
    assert_eq!(app.counts().await, [1, 1, 1]);
}

#[tokio::test]
async fn another_request_of_the_same_id_is_refused() {
    let app = app().await;
    let first = allowed(app.try_sign_in(named("ada", ID)).await);
    let elsewhere = SignInRequest { redirect_to: "/elsewhere".to_owned(), ..named("ada", ID) };
    for other in [named("eve", ID), elsewhere] {
        let answer = app.try_sign_in(other).await;
        assert_eq!(fields(answer), ["request_id"]);
    }
    assert_eq!(app.counts().await, [1, 1, 1]);
    let failed = "SIGN_IN_DENIED FAILED INVALID_REQUEST";
    assert_eq!(app.log().await, ["SIGN_UP SUCCESS", failed, failed]);
    app.issue(&first.grant.unwrap()).await.unwrap();
}

#[tokio::test]
async fn requests_of_different_ids_are_different_sign_ins() {
    let app = app().await;
    let first = allowed(app.try_sign_in(named("ada", ID)).await).grant;
    let second = allowed(app.try_sign_in(named("ada", &ID.replace('0', "1"))).await).grant;
    assert_ne!(first, second);
    assert_eq!(app.counts().await, [1, 1, 2]);
}

#[tokio::test]
async fn a_denied_request_is_decided_anew() {
    let app = builder().config("sign_in: {allow_sign_up: false}").start().await;
    denied(app.try_sign_in(named("ada", ID)).await);
    let app = app.restart(|yaml| yaml.replace("allow_sign_up: false", "allow_sign_up: true")).await;
    assert!(allowed(app.try_sign_in(named("ada", ID)).await).is_new_user);
}

#[tokio::test]
async fn a_sign_in_whose_grant_was_redeemed_is_not_answered_again() {
    let app = app().await;
    let grant = allowed(app.try_sign_in(named("ada", ID)).await).grant.unwrap();
    app.issue(&grant).await.unwrap();
    let wanted = (Code::Unauthenticated, "GRANT_USED".to_owned());
    assert_eq!(refusal(app.try_sign_in(named("ada", ID)).await), wanted);
    assert_eq!(app.counts().await, [1, 1, 1]);
}

#[tokio::test]
async fn a_user_banned_meanwhile_gets_no_second_answer() {
    let app = app().await;
    let user = allowed(app.try_sign_in(named("ada", ID)).await).user.unwrap();
    app.ban(&user.id).await;
    denied(app.try_sign_in(named("ada", ID)).await);
    app.unban(&user.id).await;
    assert_eq!(reason(app.try_sign_in(named("ada", ID)).await), "GRANT_USED");
}

#[tokio::test]
async fn the_same_id_of_another_caller_is_another_request() {
    let allow = "allow: [sign_in, sign_in.assert]";
    let entries = [
        caller("web-1", &format!("group: web, {allow}")),
        caller("web-2", &format!("group: web, {allow}")),
        caller("mobile", allow),
    ];
    let app = builder().config(&callers(&entries)).start().await;
    let sign_in = async |caller| {
        let request = with_key(named("ada", ID), &key(caller));
        allowed(app.auth.clone().sign_in(request).await).grant.unwrap()
    };
    let web = sign_in("web-1").await;
    assert_eq!(sign_in("web-1").await, web);
    assert_ne!(sign_in("web-2").await, web);
    assert_ne!(sign_in("mobile").await, web);
    assert_eq!(app.counts().await, [1, 1, 3]);
}

#[tokio::test]
async fn a_repeated_redemption_gets_the_same_refresh_token_for_a_minute() {
    let app = app().await;
    let grant = app.sign_in("ada").await.grant.unwrap();
    let first = issue(&app, redemption(&grant, ID)).await.unwrap();
    assert_eq!(first.rotation(), Rotation::Issued);
    app.clock.advance(Duration::from_millis(59_999));
    let again = issue(&app, redemption(&grant, ID)).await.unwrap();
    assert_eq!(again.rotation(), Rotation::Replayed);
    assert_eq!(again.refresh_token, first.refresh_token);
    assert_eq!(again.refresh_token_expires_at, first.refresh_token_expires_at);
    assert_eq!(again.session.unwrap().id, first.session.unwrap().id);
    app.session(&again.access_token).await.unwrap();
    assert_eq!(app.log().await, ["SIGN_UP SUCCESS", "TOKEN_ISSUED SUCCESS", "TOKEN_REPLAYED SUCCESS"]);
    app.clock.advance(Duration::from_millis(1));
    assert_eq!(reason(issue(&app, redemption(&grant, ID)).await), "GRANT_USED");
    app.refresh(&first.refresh_token).await.unwrap();
}

#[tokio::test]
async fn another_redemption_of_a_used_grant_is_refused() {
    let app = builder().config("tokens: {audiences: [web, api]}").start().await;
    let grant = app.sign_in("ada").await.grant.unwrap();
    let first = issue(&app, redemption(&grant, ID)).await.unwrap();
    let narrower = IssueTokenRequest { audiences: vec!["web".to_owned()], ..redemption(&grant, ID) };
    for other in [redemption(&grant, ""), redemption(&grant, &ID.replace('0', "1")), narrower] {
        assert_eq!(reason(issue(&app, other.clone()).await), "GRANT_USED", "{other:?}");
    }
    app.refresh(&first.refresh_token).await.unwrap();
}

#[tokio::test]
async fn a_redemption_is_not_answered_again_once_its_refresh_token_was_used() {
    let app = app().await;
    let grant = app.sign_in("ada").await.grant.unwrap();
    let first = issue(&app, redemption(&grant, ID)).await.unwrap();
    let next = app.refresh(&first.refresh_token).await.unwrap();
    assert_eq!(reason(issue(&app, redemption(&grant, ID)).await), "GRANT_USED");
    app.refresh(&next.refresh_token).await.unwrap();
}

#[tokio::test]
async fn a_redemption_of_an_ended_session_is_not_answered_again() {
    let app = app().await;
    let allowed = app.sign_in("ada").await;
    let grant = allowed.grant.unwrap();
    issue(&app, redemption(&grant, ID)).await.unwrap();
    let user_id = allowed.user.unwrap().id;
    app.ban(&user_id).await;
    assert_eq!(reason(issue(&app, redemption(&grant, ID)).await), "USER_BANNED");
    app.unban(&user_id).await;
    assert_eq!(reason(issue(&app, redemption(&grant, ID)).await), "SESSION_REVOKED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_identical_calls_at_once_are_one_session() {
    let app = patient().start().await;
    let answers = at_once(20, |_| {
        let mut auth = app.auth.clone();
        async move { allowed(auth.sign_in(named("ada", ID)).await) }
    })
    .await;
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    assert_eq!(app.counts().await, [1, 1, 1]);
    assert_eq!(app.log().await, ["SIGN_UP SUCCESS"]);
    let grant = answers[0].grant.clone().unwrap();
    let tokens = at_once(20, |_| {
        let mut auth = app.auth.clone();
        let request = redemption(&grant, ID);
        async move { auth.issue_token(request).await.unwrap().into_inner() }
    })
    .await;
    assert!(tokens.windows(2).all(|pair| pair[0].refresh_token == pair[1].refresh_token), "{tokens:?}");
    let first = tokens.iter().filter(|tokens| tokens.rotation() == Rotation::Issued).count();
    assert_eq!(first, 1);
}

#[tokio::test]
async fn a_new_secret_put_first_changes_no_answer() {
    let app = app().await;
    let first = allowed(app.try_sign_in(named("ada", ID)).await);
    let grant = app.sign_in("bob").await.grant.unwrap();
    let issued = issue(&app, redemption(&grant, ID)).await.unwrap();
    let newer = "secrets: ['a newer secret of a test, put before it', ";
    let app = app.restart(|yaml| yaml.replace("secrets: [", newer)).await;
    assert_eq!(allowed(app.try_sign_in(named("ada", ID)).await), first);
    let again = issue(&app, redemption(&grant, ID)).await.unwrap();
    assert_eq!((again.rotation(), &again.refresh_token), (Rotation::Replayed, &issued.refresh_token));
    app.session(&issued.access_token).await.unwrap();
    app.refresh(&issued.refresh_token).await.unwrap();
    app.issue(&first.grant.unwrap()).await.unwrap();
}
