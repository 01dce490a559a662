//! `SignOut`: a session's own token ends that session, or every session of its user.

use std::time::Duration;

use gatepass::grpc::proto::v1::sign_out_request::Credential;
use gatepass::grpc::proto::v1::{Client, IssueTokenRequest, IssueTokenResponse, SignOutRequest};
use tonic::{Code, Status};

use crate::support::callers::{caller, callers, key};
use crate::support::crowd::{at_once, patient};
use crate::support::people::fields;
use crate::support::strategy::also_with_references;
use crate::support::{START, TestApp, allowed, app, builder, profile, reason, refusal, tokens, with_key};

/// The setting `tokens.clock_leeway`.
const LEEWAY: Duration = Duration::from_secs(10);

fn access(token: &str) -> SignOutRequest {
    let credential = Some(Credential::AccessToken(token.to_owned()));
    SignOutRequest { credential, ..Default::default() }
}

fn refresh(token: &str) -> SignOutRequest {
    let credential = Some(Credential::RefreshToken(token.to_owned()));
    SignOutRequest { credential, ..Default::default() }
}

fn everywhere(request: SignOutRequest) -> SignOutRequest {
    SignOutRequest { everywhere: true, ..request }
}

fn elsewhere(request: SignOutRequest) -> SignOutRequest {
    SignOutRequest { everywhere: true, except_current: true, ..request }
}

async fn sign_out(app: &TestApp, request: SignOutRequest) -> Result<i32, Status> {
    app.auth.clone().sign_out(request).await.map(|answer| answer.into_inner().sessions_ended)
}

async fn assert_over(app: &TestApp, issued: &IssueTokenResponse) {
    assert_eq!(reason(app.session(&issued.access_token).await), "SESSION_REVOKED");
    assert_eq!(reason(app.refresh(&issued.refresh_token).await), "SESSION_REVOKED");
}

async fn assert_live(app: &TestApp, issued: &IssueTokenResponse) {
    app.session(&issued.access_token).await.unwrap();
    app.refresh(&issued.refresh_token).await.unwrap();
}

/// Counts the occurrences of a line in the log.
async fn logged(app: &TestApp, wanted: &str) -> usize {
    app.log().await.iter().filter(|line| *line == wanted).count()
}

#[tokio::test]
async fn any_genuine_token_ends_its_session_and_raises_no_alarm() {
    let app = app().await;
    for which in ["access", "refresh", "replaced access", "spent", "spent long ago", "expired"] {
        let first = app.tokens(&which.replace(' ', "-")).await;
        let second = app.refresh(&first.refresh_token).await.unwrap();
        let third = app.refresh(&second.refresh_token).await.unwrap();
        let request = match which {
            "access" => access(&third.access_token),
            "refresh" => refresh(&third.refresh_token),
            "replaced access" => access(&first.access_token),
            "spent" => refresh(&second.refresh_token),
            "spent long ago" => refresh(&first.refresh_token),
            _ => {
                app.clock.advance(Duration::from_hours(1));
                access(&first.access_token)
            }
        };
        assert_eq!(sign_out(&app, request.clone()).await.unwrap(), 1, "{which}");
        let told = reason(app.session(&third.access_token).await);
        assert_eq!(told, if which == "expired" { "TOKEN_EXPIRED" } else { "SESSION_REVOKED" }, "{which}");
        for token in [&first.refresh_token, &second.refresh_token, &third.refresh_token] {
            assert_eq!(reason(app.refresh(token).await), "SESSION_REVOKED", "{which}");
        }
        // The session had already ended.
        for again in [request, access(&third.access_token), refresh(&first.refresh_token)] {
            assert_eq!(sign_out(&app, again.clone()).await.unwrap(), 0, "{which}");
            assert_eq!(sign_out(&app, everywhere(again)).await.unwrap(), 0, "{which}");
        }
    }
    assert_eq!(logged(&app, "SIGN_OUT SUCCESS").await, 6);
    assert_eq!(logged(&app, "REFRESH_REUSED FAILED REFRESH_REUSED").await, 0);
}

#[tokio::test]
async fn a_session_that_ran_out_had_ended_already() {
    let app = builder().config("session: {idle_ttl: 1h}").start().await;
    let issued = app.tokens("ada").await;
    app.clock.advance(Duration::from_hours(1) + LEEWAY);
    let other = app.tokens("ada").await;
    for request in [access(&issued.access_token), refresh(&issued.refresh_token)] {
        assert_eq!(sign_out(&app, request.clone()).await.unwrap(), 0);
        assert_eq!(sign_out(&app, everywhere(request)).await.unwrap(), 0);
    }
    assert_live(&app, &other).await;
    assert_eq!(logged(&app, "SIGN_OUT SUCCESS").await, 0);
}

/// By the clock of a slow replica the session can still be refreshed, so an acknowledged end must be written.
#[tokio::test]
async fn a_session_that_runs_out_is_ended_while_another_clock_may_have_it_live() {
    for all in [false, true] {
        let app = builder().config("session: {idle_ttl: 1h}").start().await;
        let [issued, other] = [app.tokens("ada").await, app.tokens("ada").await];
        app.clock.set(START.plus(Duration::from_hours(1) + LEEWAY).minus(Duration::from_millis(1)));
        let request = SignOutRequest { everywhere: all, ..refresh(&issued.refresh_token) };
        assert_eq!(sign_out(&app, request).await.unwrap(), 0, "by this clock it was not live");
        app.clock.set(START);
        assert_over(&app, &issued).await;
        if all {
            assert_over(&app, &other).await;
        } else {
            assert_live(&app, &other).await;
        }
        assert_eq!(logged(&app, "SIGN_OUT SUCCESS").await, 1);
    }
}

#[tokio::test]
async fn everywhere_ends_every_live_session_of_this_user_only() {
    let app = builder().config("session: {idle_ttl: 1h}").start().await;
    let idle = app.tokens("ada").await;
    app.clock.advance(Duration::from_hours(1));
    let gone = app.tokens("ada").await;
    assert_eq!(sign_out(&app, access(&gone.access_token)).await.unwrap(), 1);
    let live = [app.tokens("ada").await, app.tokens("ada").await, app.tokens("ada").await];
    let pending = app.sign_in("ada").await.grant.unwrap();
    let bob = app.tokens("bob").await;
    // Ended and expired sessions, and the one with the unredeemed grant, were not live.
    assert_eq!(sign_out(&app, everywhere(refresh(&live[1].refresh_token))).await.unwrap(), 3);
    for issued in &live {
        assert_over(&app, issued).await;
    }
    assert_eq!(refusal(app.issue(&pending).await), (Code::Unauthenticated, "SESSION_REVOKED".to_owned()));
    assert_eq!(reason(app.refresh(&idle.refresh_token).await), "SESSION_REVOKED");
    assert_live(&app, &bob).await;
    assert_eq!(logged(&app, "SIGN_OUT SUCCESS").await, 2);
    let new = app.tokens("ada").await;
    assert_live(&app, &new).await;
}

#[tokio::test]
async fn everywhere_else_keeps_the_session_that_asks() {
    for by_refresh_token in [false, true] {
        let app = app().await;
        let [this, one, two] = [app.tokens("ada").await, app.tokens("ada").await, app.tokens("ada").await];
        let pending = app.sign_in("ada").await.grant.unwrap();
        let bob = app.tokens("bob").await;
        let request =
            if by_refresh_token { refresh(&this.refresh_token) } else { access(&this.access_token) };
        assert_eq!(sign_out(&app, elsewhere(request.clone())).await.unwrap(), 2);
        assert_over(&app, &one).await;
        assert_over(&app, &two).await;
        assert_eq!(reason(app.issue(&pending).await), "SESSION_REVOKED");
        assert_live(&app, &this).await;
        assert_live(&app, &bob).await;
        let later = app.tokens("ada").await;
        assert_live(&app, &later).await;
        // A second call ends only sessions opened since.
        assert_eq!(sign_out(&app, elsewhere(request.clone())).await.unwrap(), 1);
        assert_eq!(sign_out(&app, elsewhere(request)).await.unwrap(), 0);
        assert_over(&app, &later).await;
    }
}

#[tokio::test]
async fn the_token_of_an_ended_session_ends_no_others() {
    let app = app().await;
    let stolen = app.tokens("ada").await;
    sign_out(&app, access(&stolen.access_token)).await.unwrap();
    let live = app.tokens("ada").await;
    for request in [access(&stolen.access_token), refresh(&stolen.refresh_token)] {
        assert_eq!(sign_out(&app, everywhere(request.clone())).await.unwrap(), 0);
        assert_eq!(sign_out(&app, elsewhere(request)).await.unwrap(), 0);
    }
    assert_live(&app, &live).await;
    let user = live.session.unwrap().user.unwrap().id.unwrap();
    app.ban(&user).await;
    assert_eq!(sign_out(&app, everywhere(access(&live.access_token))).await.unwrap(), 0);
}

#[tokio::test]
async fn a_request_of_another_form_is_refused() {
    let app = app().await;
    let issued = app.tokens("ada").await;
    let none = SignOutRequest { everywhere: true, ..Default::default() };
    let alone = SignOutRequest { except_current: true, ..access(&issued.access_token) };
    let client = Some(Client { ip_address: Some("somewhere".to_owned()), user_agent: None });
    let nowhere = SignOutRequest { client, ..access(&issued.access_token) };
    for (request, field) in [(none, "credential"), (alone, "except_current"), (nowhere, "client.ip_address")]
    {
        let answer = sign_out(&app, request).await;
        assert_eq!(refusal(answer.clone()), (Code::InvalidArgument, "INVALID_REQUEST".to_owned()), "{field}");
        assert_eq!(fields(answer), [field]);
    }
    assert_live(&app, &issued).await;
}

#[tokio::test]
async fn a_token_that_is_not_ours_ends_nothing_and_costs_no_statement() {
    let app = builder().config(&tokens("")).start().await;
    let issued = app.tokens("ada").await;
    let elsewhere = builder().start().await;
    let foreign = elsewhere.tokens("ada").await.access_token;
    let bent = |token: &str| {
        let at = token.len() - 10;
        let other = if &token[at..=at] == "A" { "B" } else { "A" };
        format!("{}{other}{}", &token[..at], &token[at + 1..])
    };
    let (access_token, refresh_token) = (&issued.access_token, &issued.refresh_token);
    app.take_statements();
    for (request, wanted) in [
        (access(""), "TOKEN_MALFORMED"),
        (access("x"), "TOKEN_MALFORMED"),
        (access(refresh_token), "TOKEN_MALFORMED"),
        (access(&access_token[..access_token.len() - 2]), "TOKEN_SIGNATURE_INVALID"),
        (access(&foreign), "TOKEN_SIGNATURE_INVALID"),
        (access(&bent(access_token)), "TOKEN_SIGNATURE_INVALID"),
        (access(&"x".repeat(5000)), "TOKEN_MALFORMED"),
        (refresh(""), "REFRESH_INVALID"),
        (refresh(access_token), "REFRESH_INVALID"),
        (refresh(&bent(refresh_token)), "REFRESH_INVALID"),
        (refresh(&refresh_token[..50]), "REFRESH_INVALID"),
    ] {
        for request in [request.clone(), everywhere(request)] {
            let refused = refusal(sign_out(&app, request.clone()).await);
            assert_eq!(refused, (Code::Unauthenticated, wanted.to_owned()), "{request:?}");
        }
    }
    assert_eq!(app.take_statements(), [""; 0]);
    assert_live(&app, &issued).await;
}

#[tokio::test]
async fn a_session_is_ended_by_the_group_that_opened_it() {
    let allow = "allow: [sign_in, sign_in.assert]";
    let web = format!("group: web, {allow}");
    let entries = [caller("shop", &web), caller("blog", &web), caller("other", allow)];
    let app = builder().config(&callers(&entries)).start().await;
    let mut client = app.auth.clone();
    let grant = allowed(client.sign_in(with_key(profile("ada"), &key("shop"))).await).grant.unwrap();
    let request = IssueTokenRequest { grant, ..Default::default() };
    let issued = client.issue_token(with_key(request, &key("shop"))).await.unwrap().into_inner();
    let (by_access, by_refresh) = (access(&issued.access_token), refresh(&issued.refresh_token));
    for request in [by_access.clone(), everywhere(by_access.clone()), elsewhere(by_access.clone())] {
        let refused = refusal(client.sign_out(with_key(request, &key("other"))).await);
        assert_eq!(refused, (Code::PermissionDenied, "CALLER_NOT_ALLOWED".to_owned()));
    }
    for request in [by_refresh.clone(), everywhere(by_refresh.clone())] {
        let refused = refusal(client.sign_out(with_key(request, &key("other"))).await);
        assert_eq!(refused, (Code::Unauthenticated, "REFRESH_INVALID".to_owned()));
    }
    let ended = client.sign_out(with_key(by_refresh, &key("blog"))).await.unwrap().into_inner();
    assert_eq!(ended.sessions_ended, 1);
    // The error afterwards does not reveal the owner either.
    let refused = refusal(client.sign_out(with_key(by_access, &key("other"))).await);
    assert_eq!(refused.1, "CALLER_NOT_ALLOWED");
}

#[tokio::test]
async fn the_log_tells_whose_session_ended_from_where() {
    let app = app().await;
    let issued = app.tokens("ada").await;
    let session = issued.session.unwrap();
    let client =
        Some(Client { ip_address: Some("2001:DB8::1".to_owned()), user_agent: Some("Firefox\n".to_owned()) });
    sign_out(&app, SignOutRequest { client, ..access(&issued.access_token) }).await.unwrap();
    let sql = "SELECT user_id AS who, email, provider, session_id AS session, caller, ip_address, \
               user_agent FROM auth_logs WHERE action = 'SIGN_OUT'";
    let hex = |id: String| id.replace('-', "").to_uppercase();
    let wanted = [
        &hex(session.user.unwrap().id.unwrap()),
        "ada@example.com",
        "github",
        &hex(session.id.unwrap()),
        "local",
        "2001:db8::1",
        "Firefox",
    ];
    assert_eq!(app.query(sql).await, [wanted.map(str::to_owned)]);
    let row = app.query("SELECT end_reason FROM sessions").await;
    assert_eq!(row, [["SIGNED_OUT".to_owned()]]);
}

#[tokio::test]
async fn of_many_that_sign_out_at_once_one_ends_the_session() {
    let app = patient().start().await;
    for all in [false, true] {
        let issued = app.tokens("ada").await;
        app.tokens("bob").await;
        if all {
            app.tokens("ada").await;
        }
        let ended = at_once(20, |n| {
            let request =
                if n % 2 == 0 { access(&issued.access_token) } else { refresh(&issued.refresh_token) };
            let request = SignOutRequest { everywhere: all, ..request };
            let mut client = app.auth.clone();
            async move { client.sign_out(request).await.unwrap().into_inner().sessions_ended }
        })
        .await;
        assert_eq!(ended.iter().sum::<i32>(), if all { 2 } else { 1 });
        assert_over(&app, &issued).await;
    }
    assert_eq!(logged(&app, "SIGN_OUT SUCCESS").await, 2);
}

#[tokio::test]
async fn a_refresh_that_races_a_sign_out_leaves_no_live_session() {
    let app = patient().start().await;
    for round in 0..20 {
        let issued = app.tokens(&format!("p{round}")).await;
        let mut client = app.auth.clone();
        let request = access(&issued.access_token);
        let leaving = tokio::spawn(async move { client.sign_out(request).await.unwrap().into_inner() });
        let racing = app.refresh(&issued.refresh_token).await;
        assert_eq!(leaving.await.unwrap().sessions_ended, 1);
        let newest = match racing {
            Ok(answer) => answer,
            Err(status) => {
                assert_eq!(reason::<()>(Err(status)), "SESSION_REVOKED");
                continue;
            }
        };
        assert_eq!(reason(app.refresh(&newest.refresh_token).await), "SESSION_REVOKED");
        assert_eq!(reason(app.session(&newest.access_token).await), "SESSION_REVOKED");
    }
}

also_with_references!(
    any_genuine_token_ends_its_session_and_raises_no_alarm,
    a_session_that_ran_out_had_ended_already,
    a_session_that_runs_out_is_ended_while_another_clock_may_have_it_live,
    everywhere_ends_every_live_session_of_this_user_only,
    everywhere_else_keeps_the_session_that_asks,
    the_token_of_an_ended_session_ends_no_others,
    a_request_of_another_form_is_refused,
    a_session_is_ended_by_the_group_that_opened_it,
    the_log_tells_whose_session_ended_from_where,
    of_many_that_sign_out_at_once_one_ends_the_session,
    a_refresh_that_races_a_sign_out_leaves_no_live_session,
);
