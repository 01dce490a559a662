//! Callers: the calls that they may make, by method, provider and the group of the session.

use std::time::Duration;

use gatepass::grpc::proto::v1::{
    GetSessionRequest, IssueTokenRequest, ProfileCredential, RefreshTokenRequest, ResolveRedirectRequest,
    SignOutRequest, get_session_request, sign_out_request,
};
use gatepass::model::Permission;
use tonic::metadata::AsciiMetadataValue;
use tonic::{Code, Request, Response};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::support::callers::{call, caller, callers, credential, key, methods};
use crate::support::{TestApp, allowed, builder, profile, reason, refusal, with_key};

const READ: &str = "allow: [session.read]";
const SIGN_IN: &str = "allow: [sign_in, sign_in.assert]";

fn denied(reason: &str) -> (Code, String) {
    let code = if reason == "CALLER_UNKNOWN" { Code::Unauthenticated } else { Code::PermissionDenied };
    (code, reason.to_owned())
}

#[tokio::test]
async fn every_credential_presented_must_be_one_of_the_same_caller() {
    let two_keys = format!(
        "  - {{id: two-keys, credential: [{}, {}], {READ}}}\n",
        credential("old-key"),
        credential("new-key")
    );
    let app = builder().config(&callers(&[caller("web", READ), two_keys])).start().await;
    let web = format!("Bearer {}", key("web"));
    let upper = web.to_uppercase();
    for (headers, known) in [
        (&[][..], false),
        (&["Bearer old-key"], true),
        (&["Bearer new-key"], true),
        (&["Bearer old-key", "Bearer new-key"], true),
        (&["bearer old-key"], true),
        (&[&web], true),
        (&[&web, &web], true),
        (&[&web, "Bearer new-key"], false),
        (&[&web, "Bearer unknown"], false),
        (&["Bearer unknown", &web], false),
        (&[&web, "Basic d2ViOg=="], false),
        (&["Basic old-key"], false),
        (&["old-key"], false),
        (&["Bearer"], false),
        (&["Bearer  old-key"], false),
        (&["Bearer old-key,new-key"], false),
        (&["Bearerold-key"], false),
        (&[&upper], false),
    ] {
        let mut request = Request::new(ResolveRedirectRequest::default());
        for header in headers {
            request.metadata_mut().append("authorization", AsciiMetadataValue::try_from(*header).unwrap());
        }
        let answer = app.auth.clone().resolve_redirect(request).await;
        if known {
            assert!(answer.is_ok(), "{headers:?}: {answer:?}");
        } else {
            assert_eq!(refusal(answer), denied("CALLER_UNKNOWN"), "{headers:?}");
        }
    }
}

/// Starts an app with two callers for each permission: one with only it, and one with all others.
async fn permission_app() -> TestApp {
    let mut entries = Vec::new();
    for permission in Permission::ALL {
        let others =
            Permission::ALL.map(Permission::name).into_iter().filter(|name| *name != permission.name());
        let others = others.collect::<Vec<_>>().join(", ");
        entries.push(caller(&format!("only-{permission}"), &format!("allow: [{permission}]")));
        entries.push(caller(&format!("all-but-{permission}"), &format!("allow: [{others}]")));
    }
    builder().config(&callers(&entries)).start().await
}

#[tokio::test]
async fn each_method_asks_for_its_permission_and_no_other() {
    let app = permission_app().await;
    for (path, permission) in &methods() {
        let without = call(&app.channel, path, &key(&format!("all-but-{permission}"))).await;
        assert_eq!(refusal(without), denied("CALLER_NOT_ALLOWED"), "{path}");
        let with = call(&app.channel, path, &key(&format!("only-{permission}"))).await;
        if let Err(status) = with {
            let reason = reason::<()>(Err(status));
            let past = ["INVALID_REQUEST", "NOT_IMPLEMENTED", "GRANT_INVALID", "REFRESH_INVALID"];
            assert!(past.contains(&reason.as_str()), "{path}: {reason}");
        }
        let unknown = call(&app.channel, path, "nobody").await;
        assert_eq!(refusal(unknown), denied("CALLER_UNKNOWN"), "{path}");
    }
}

#[tokio::test]
async fn an_unknown_method_is_unimplemented_for_a_known_caller() {
    let app = permission_app().await;
    for path in [
        "/gatepass.v1.AuthService/Nope",
        "/gatepass.v1.AuthService/signin",
        "/gatepass.v1.NoService/SignIn",
        "/gatepass.v1.AdminService/SignIn",
        "/gatepass.v1.",
    ] {
        let wanted = (Code::Unimplemented, "NOT_IMPLEMENTED".to_owned());
        assert_eq!(refusal(call(&app.channel, path, &key("all-but-sign_in")).await), wanted, "{path}");
        assert_eq!(refusal(call(&app.channel, path, "nobody").await), denied("CALLER_UNKNOWN"), "{path}");
    }
}

#[tokio::test]
async fn a_profile_is_believed_of_callers_that_may_assert_its_provider() {
    let entries = [
        caller("mute", "allow: [sign_in]"),
        caller("any", SIGN_IN),
        caller("github", &format!("{SIGN_IN}, assert_providers: [github, gitlab]")),
    ];
    let app = builder().config(&callers(&entries)).start().await;
    for (who, provider, may) in [
        ("mute", "github", false),
        ("any", "github", true),
        ("any", "google", true),
        ("github", "github", true),
        ("github", "gitlab", true),
        ("github", "google", false),
        ("github", "github2", false),
    ] {
        let told = ProfileCredential {
            provider: provider.to_owned(),
            provider_account_id: "ada".to_owned(),
            ..Default::default()
        };
        let request = with_key(crate::support::credential(told), &key(who));
        let answer = app.auth.clone().sign_in(request).await;
        if may {
            allowed(answer);
        } else {
            assert_eq!(refusal(answer), denied("CALLER_NOT_ALLOWED"), "{who} {provider}");
        }
    }
    assert_eq!(app.counts().await, [3, 3, 4]);
}

#[tokio::test]
async fn callers_of_a_group_share_sessions_and_others_do_not() {
    let all = "allow: [sign_in, sign_in.assert, session.read]";
    let entries = [
        caller("web-1", &format!("group: web, {all}")),
        caller("web-2", &format!("group: web, {all}")),
        caller("mobile", all),
        // A caller named like a group is not a member of it.
        caller("web", &format!("group: other, {all}")),
    ];
    let app = builder().config(&callers(&entries)).start().await;
    let mut auth = app.auth.clone();
    let signed_in = auth.sign_in(with_key(profile("ada"), &key("web-1"))).await;
    let grant = allowed(signed_in).grant.unwrap();
    let redemption = IssueTokenRequest { grant, ..Default::default() };
    for other in ["mobile", "web"] {
        let answer = auth.issue_token(with_key(redemption.clone(), &key(other))).await;
        assert_eq!(refusal(answer), (Code::Unauthenticated, "GRANT_INVALID".to_owned()), "{other}");
    }
    let issued = auth.issue_token(with_key(redemption, &key("web-2"))).await.unwrap().into_inner();

    let refresh = |token: &str| RefreshTokenRequest { refresh_token: token.to_owned(), ..Default::default() };
    for other in ["mobile", "web"] {
        let answer = auth.refresh_token(with_key(refresh(&issued.refresh_token), &key(other))).await;
        assert_eq!(refusal(answer), (Code::Unauthenticated, "REFRESH_INVALID".to_owned()), "{other}");
    }
    let refreshed = auth.refresh_token(with_key(refresh(&issued.refresh_token), &key("web-1"))).await;
    let refreshed = refreshed.unwrap().into_inner();

    // A caller that may read sessions reads those of all groups.
    let access = get_session_request::Credential::AccessToken(refreshed.access_token.clone());
    let read = GetSessionRequest { credential: Some(access), ..Default::default() };
    auth.get_session(with_key(read, &key("mobile"))).await.unwrap();

    let sign_out = |credential| SignOutRequest { credential: Some(credential), ..Default::default() };
    let access = sign_out_request::Credential::AccessToken(refreshed.access_token);
    let answer = auth.sign_out(with_key(sign_out(access.clone()), &key("mobile"))).await;
    assert_eq!(refusal(answer), denied("CALLER_NOT_ALLOWED"));
    let token = sign_out_request::Credential::RefreshToken(refreshed.refresh_token);
    let answer = auth.sign_out(with_key(sign_out(token), &key("mobile"))).await;
    assert_eq!(refusal(answer), (Code::Unauthenticated, "REFRESH_INVALID".to_owned()));
    let answer = auth.sign_out(with_key(sign_out(access), &key("web-2"))).await;
    assert_eq!(answer.unwrap().into_inner().sessions_ended, 1);
}

#[tokio::test]
async fn the_log_and_the_token_tell_caller_and_group() {
    let app = builder().config(&callers(&[caller("web-1", &format!("group: web, {SIGN_IN}"))])).start().await;
    let mut auth = app.auth.clone();
    let grant = allowed(auth.sign_in(with_key(profile("ada"), &key("web-1"))).await).grant.unwrap();
    let redemption = IssueTokenRequest { grant, ..Default::default() };
    let issued = auth.issue_token(with_key(redemption, &key("web-1"))).await.unwrap().into_inner();
    assert_eq!(crate::support::jwt::decode(&issued.access_token).1["client_id"], "web");
    let rows = app.query("SELECT action, caller FROM auth_logs ORDER BY rowid").await;
    assert_eq!(rows, [["SIGN_UP", "web-1"], ["TOKEN_ISSUED", "web-1"]]);
}

/// Waits for this number of log rows about denied callers, which are written after the answer.
async fn denials(app: &TestApp, count: usize) -> Vec<Vec<String>> {
    let sql = "SELECT outcome, reason, caller, request_id FROM auth_logs WHERE action = 'CALLER_DENIED' ORDER BY rowid";
    let wait = async {
        loop {
            let rows = app.query(sql).await;
            if rows.len() >= count {
                return rows;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.expect("a row for each second")
}

#[tokio::test]
async fn denied_callers_are_logged_once_a_second() {
    let app = builder().config(&callers(&[caller("web", READ)])).start().await;
    let call_as = async |key: &str, id: &str| {
        let mut request = with_key(IssueTokenRequest::default(), key);
        request.metadata_mut().insert("x-request-id", id.parse().unwrap());
        app.auth.clone().issue_token(request).await.map(Response::into_inner)
    };
    for number in 0..20 {
        assert_eq!(reason(call_as("nobody", &format!("first-{number}")).await), "CALLER_UNKNOWN");
    }
    let unknown = ["DENIED", "CALLER_UNKNOWN", "unknown", "first-0"];
    assert_eq!(denials(&app, 1).await, [unknown]);
    app.clock.advance(Duration::from_secs(1));
    for number in 0..20 {
        assert_eq!(reason(call_as(&key("web"), &format!("second-{number}")).await), "CALLER_NOT_ALLOWED");
    }
    let not_allowed = ["DENIED", "CALLER_NOT_ALLOWED", "web", "second-0"];
    assert_eq!(denials(&app, 2).await, [unknown, not_allowed]);
}

#[tokio::test]
async fn who_may_not_vouch_is_logged_once_a_second_too() {
    let app = builder().config(&callers(&[caller("web", "allow: [sign_in]")])).start().await;
    for _ in 0..20 {
        let refused = app.auth.clone().sign_in(with_key(profile("ada"), &key("web"))).await;
        assert_eq!(reason(refused), "CALLER_NOT_ALLOWED");
    }
    assert_eq!(app.log().await, ["CALLER_DENIED DENIED CALLER_NOT_ALLOWED"]);
    app.clock.advance(Duration::from_secs(1));
    let refused = app.auth.clone().sign_in(with_key(profile("ada"), &key("web"))).await;
    assert_eq!(reason(refused), "CALLER_NOT_ALLOWED");
    assert_eq!(app.log().await.len(), 2);
}

#[tokio::test]
async fn health_is_told_to_everybody() {
    let app = builder().config(&callers(&[caller("web", READ)])).start().await;
    let mut health = HealthClient::new(app.channel.clone());
    for service in ["", "liveness", "gatepass.v1.AuthService"] {
        let answer = health.check(HealthCheckRequest { service: service.to_owned() }).await;
        assert_eq!(answer.unwrap().into_inner().status, 1, "{service:?}");
    }
}
