//! The input of the service, field by field, and the effect of valid answers.

use gatepass::grpc::proto::callback::v1::{
    JwtRequest, RedirectRequest, RedirectResponse, SessionRequest, SignInRequest,
};
use gatepass::grpc::proto::v1::{
    self, Client, Disposition, IssueTokenRequest, ProfileCredential, RefreshTokenRequest, SessionUser,
    Trigger, sign_in_response,
};
use serde_json::{Value, json};

use super::{asking, outcome};
use crate::support::callback_service::{CallbackServer, claims, shows, to_json, to_struct};
use crate::support::strategy::also_with_references;
use crate::support::{builder, credential, profile};

also_with_references!(
    a_session_is_told_with_its_user_and_claims,
    a_token_of_each_trigger_is_told_with_what_belongs_to_it,
    what_a_session_shows_is_shown_wherever_a_session_is,
);

/// Builds a sign-in with a client and a profile of many fields.
fn request(name: &str) -> v1::SignInRequest {
    let told = ProfileCredential {
        provider: "github".to_owned(),
        provider_account_id: "1".to_owned(),
        email: Some("ada@example.com".to_owned()),
        email_verified: true,
        name: Some(name.to_owned()),
        image: Some("https://example.com/ada.png".to_owned()),
        raw: Some(to_struct(&json!({"login": "ada", "plan": {"seats": 3}}))),
    };
    v1::SignInRequest { client: Some(client("192.0.2.1")), ..credential(told) }
}

fn client(address: &str) -> Client {
    Client { ip_address: Some(address.to_owned()), user_agent: Some("Mozilla/5.0".to_owned()) }
}

/// Returns the profile of that sign-in as callbacks see it.
fn profile_of(name: &str) -> Value {
    json!({
        "sub": "1", "login": "ada", "plan": {"seats": 3.0}, "email": "ada@example.com", "email_verified": true,
        "name": name, "picture": "https://example.com/ada.png",
    })
}

#[tokio::test]
async fn a_sign_in_is_told_with_the_user_as_it_would_be() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "").await;
    for (name, is_new_user) in [("Ada", true), ("Ada Lovelace", false)] {
        let sign_in_response::Outcome::Allowed(allowed) = outcome(app.try_sign_in(request(name)).await)
        else {
            panic!("not allowed")
        };
        let SignInRequest {
            user: told_user,
            account: told_account,
            profile,
            client,
            is_new_user: told_new,
            profile_omitted,
            app_data,
        } = service.rules.sign_in.last().message;
        assert!(profile_omitted.is_empty());
        assert_eq!((to_json(&profile.unwrap()), told_new), (profile_of(name), is_new_user));
        assert_eq!(app_data, None);
        assert_eq!(client, request(name).client);
        // The input equals the result of the sign-in, except for ids that did not exist yet.
        let id = |known: &str| if is_new_user { String::new() } else { known.to_owned() };
        let (user, account) = (allowed.user.unwrap(), allowed.account.unwrap());
        assert_eq!(told_user, Some(v1::User { id: id(&user.id), ..user }));
        assert_eq!(told_account, Some(v1::Account { id: id(&account.id), ..account }));
    }
}

#[tokio::test]
async fn an_account_has_no_id_until_it_is_linked() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "").await;
    let link_access_token = app.tokens("eve").await.access_token;
    for is_new in [true, false] {
        let linking = v1::SignInRequest { link_access_token: link_access_token.clone(), ..request("Ada") };
        let sign_in_response::Outcome::Allowed(allowed) = outcome(app.try_sign_in(linking).await) else {
            panic!("not allowed")
        };
        let told = service.rules.sign_in.last().message;
        assert_eq!((told.user.unwrap().id, told.is_new_user), (allowed.user.unwrap().id, false));
        let id = if is_new { String::new() } else { allowed.account.unwrap().id };
        assert_eq!(told.account.unwrap().id, id);
    }
}

#[tokio::test]
async fn who_tells_no_client_has_none() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "").await;
    app.sign_in("ada").await;
    assert_eq!(service.rules.sign_in.last().message.client, None);
}

#[tokio::test]
async fn a_token_of_each_trigger_is_told_with_what_belongs_to_it() {
    let service = CallbackServer::start().await;
    let config = format!("{}\nsession: {{update_allow: [theme]}}", service.section(""));
    let app = builder().config(&config).start().await;
    service.rules.jwt.answers(|_| claims(&json!({"tenant": "t1", "level": 1})));
    let mut tokens = None;
    for trigger in [Trigger::SignUp, Trigger::SignIn] {
        let sign_in_response::Outcome::Allowed(allowed) = outcome(app.try_sign_in(request("Ada")).await)
        else {
            panic!("not allowed")
        };
        let redeemed_by = Some(client("192.0.2.2"));
        let grant = allowed.grant.unwrap();
        let issue = IssueTokenRequest { grant, client: redeemed_by.clone(), ..Default::default() };
        let issued = app.issue_token(issue).await.unwrap();
        let JwtRequest {
            trigger: told,
            user,
            account,
            profile,
            session_id,
            claims,
            update,
            client,
            profile_omitted,
            app_data,
        } = service.rules.jwt.last().message;
        assert!(profile_omitted.is_empty());
        assert_eq!((told, client, app_data), (i32::from(trigger), redeemed_by, None));
        assert_eq!((user, account), (allowed.user, allowed.account));
        assert_eq!(to_json(&profile.unwrap()), profile_of("Ada"));
        let session = issued.session.clone().unwrap();
        assert_eq!(Some(session_id), session.id);
        assert_eq!((to_json(&claims.unwrap()), update), (json!({}), None));
        assert_eq!(to_json(&session.claims.unwrap()), json!({"tenant": "t1", "level": 1.0}));
        tokens = Some(issued);
    }
    let issued = tokens.unwrap();

    service.rules.jwt.answers(|_| claims(&json!({"level": null, "refreshed": true})));
    let update = Some(to_struct(&json!({"theme": "dark", "tenant": "other"})));
    let refresh = RefreshTokenRequest {
        refresh_token: issued.refresh_token,
        update,
        client: Some(client("192.0.2.3")),
        ..Default::default()
    };
    let refreshed = app.refresh_token(refresh).await.unwrap();
    let told = service.rules.jwt.last().message;
    assert_eq!(told.trigger, i32::from(Trigger::Update));
    assert_eq!((told.account, told.profile, told.client), (None, None, Some(client("192.0.2.3"))));
    let session = refreshed.session.unwrap();
    assert_eq!(Some(told.session_id), session.id);
    assert_eq!(told.user.unwrap().id, session.user.unwrap().id.unwrap());
    let before = json!({"tenant": "t1", "level": 1.0, "theme": "dark"});
    assert_eq!(to_json(&told.claims.unwrap()), before);
    assert_eq!(to_json(&told.update.unwrap()), json!({"theme": "dark"}));
    let after = json!({"tenant": "t1", "theme": "dark", "refreshed": true});
    assert_eq!(to_json(&session.claims.unwrap()), after);
}

#[tokio::test]
async fn a_session_is_told_with_its_user_and_claims() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "").await;
    service.rules.jwt.answers(|_| claims(&json!({"tenant": "t1"})));
    let issued = app.tokens("ada").await;
    let read = app.session(&issued.access_token).await.unwrap().session.unwrap();
    let SessionRequest { session, user, claims } = service.rules.session.last().message;
    let session = session.unwrap();
    assert_eq!(session, read, "nothing was added");
    let SessionUser { id, name, email, email_verified, image, role } = session.user.unwrap();
    let at_hand = v1::User {
        id: id.unwrap(),
        name,
        email,
        email_verified,
        image,
        role: role.unwrap(),
        ..Default::default()
    };
    assert_eq!(user, Some(at_hand));
    assert_eq!(to_json(&claims.unwrap()), json!({"tenant": "t1"}));
}

#[tokio::test]
async fn what_a_session_shows_is_shown_wherever_a_session_is() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "").await;
    service.rules.jwt.answers(|_| claims(&json!({"tenant": "t1", "internal": 1})));
    service.rules.session.answers(|asked| {
        let tenant = to_json(asked.claims.as_ref().unwrap())["tenant"].clone();
        shows(&json!({"greeting": format!("Hello, {}", tenant.as_str().unwrap()), "internal": null}))
    });
    let wanted = json!({"tenant": "t1", "greeting": "Hello, t1"});
    let issued = app.tokens("ada").await;
    let refreshed = app.refresh(&issued.refresh_token).await.unwrap();
    let read = app.session(&refreshed.access_token).await.unwrap();
    for session in [issued.session, refreshed.session, read.session] {
        assert_eq!(to_json(&session.unwrap().claims.unwrap()), wanted);
    }
    assert_eq!(service.rules.session.calls(), 3);
}

#[tokio::test]
async fn a_redirect_passes_the_built_in_rule_before_and_after_the_service() {
    let service = CallbackServer::start().await;
    let config = format!("{}\nbase_urls: ['https://app.example.com']", service.section(""));
    let app = builder().config(&config).start().await;
    for (asked, told) in
        [("/orders", "https://app.example.com/orders"), ("https://evil.example/", "https://app.example.com")]
    {
        app.resolve(asked).await.unwrap();
        let RedirectRequest { url, base_url } = service.rules.redirect.last().message;
        assert_eq!((url.as_str(), base_url.as_str()), (told, "https://app.example.com"));
    }
    for (answer, url, disposition) in [
        ("/home", "https://app.example.com/home", Disposition::Relative),
        ("https://app.example.com/x", "https://app.example.com/x", Disposition::SameOrigin),
        ("https://evil.example/", "https://app.example.com", Disposition::Fallback),
        ("javascript:alert(1)", "https://app.example.com", Disposition::Fallback),
    ] {
        service.rules.redirect.answers(|_| RedirectResponse { url: answer.to_owned() });
        let resolved = app.resolve("/orders").await.unwrap();
        assert_eq!(resolved, (url.to_owned(), disposition), "{answer}");
    }
}

#[tokio::test]
async fn ids_of_the_call_are_passed_on() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "").await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let mut request = tonic::Request::new(profile("ada"));
    request.metadata_mut().insert("x-request-id", "the-id".parse().unwrap());
    request.metadata_mut().insert("traceparent", trace.parse().unwrap());
    app.try_sign_in(request).await.unwrap();
    let metadata = service.rules.sign_in.last().metadata;
    let told = |name: &str| metadata.get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(told("x-request-id").as_deref(), Some("the-id"));
    assert_eq!(told("traceparent").as_deref(), Some(trace));
    assert!(told("user-agent").unwrap().starts_with("gatepass/"));
    assert_eq!(told("authorization"), None);

    // If a call has no request id, Gatepass creates one; there is no trace.
    app.sign_in("ada").await;
    let metadata = service.rules.sign_in.last().metadata;
    assert!(metadata.get("x-request-id").unwrap().to_str().unwrap().parse::<uuid::Uuid>().is_ok());
    assert!(metadata.get("traceparent").is_none());
}

#[tokio::test]
async fn only_what_is_listed_is_asked() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "callbacks: [jwt]").await;
    let issued = app.tokens("ada").await;
    app.session(&issued.access_token).await.unwrap();
    app.resolve("/x").await.unwrap();
    assert_eq!((service.rules.jwt.calls(), service.rules.calls()), (1, 1));
}
