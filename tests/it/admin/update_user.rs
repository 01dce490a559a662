//! `UpdateUser`: an administrator's change takes effect immediately, also for issued tokens.

use std::time::Duration;

use gatepass::grpc::proto::v1::{
    DenialReason, GetUserRequest, SessionUser, UpdateUserRequest, User, get_user_request,
};
use gatepass::model::Timestamp;
use prost_types::FieldMask;
use serde_json::json;
use tonic::Code;

use crate::support::crowd::{at_once, patient};
use crate::support::hooks::{claims, on_jwt};
use crate::support::strategy::also_with_references;
use crate::support::{
    NOBODY, START, TestApp, app, builder, denied, fields, profile, proto_time, reason, refusal,
};

const DAY_MILLIS: u64 = 86_400_000;
const DAY: Duration = Duration::from_millis(DAY_MILLIS);
const LATER: Timestamp = Timestamp(START.0 + 86_400_000);

fn user(id: &str) -> User {
    User { id: id.to_owned(), ..Default::default() }
}

async fn ada(app: &TestApp) -> User {
    app.sign_in("ada").await.user.unwrap()
}

/// Builds a user with a new value in every field, and its bans.
fn renewed(id: &str) -> User {
    User {
        id: id.to_owned(),
        name: Some("Countess".to_owned()),
        image: Some("https://example.com/countess.png".to_owned()),
        email: Some("Countess@Example.com".to_owned()),
        role: "editor".to_owned(),
        banned: true,
        ban_reason: Some("spam".to_owned()),
        ban_expires_at: Some(proto_time(LATER)),
        ..Default::default()
    }
}

#[tokio::test]
async fn only_the_fields_of_the_mask_change() {
    let app = app().await;
    app.clock.advance(Duration::from_secs(1));
    let changed = Some(proto_time(START.plus(Duration::from_secs(1))));
    for (who, mask) in [
        ("a", &["name"][..]),
        ("b", &["image"]),
        ("c", &["email"]),
        ("d", &["role"]),
        ("e", &["banned"]),
        ("f", &["banned", "ban_reason"]),
        ("g", &["ban_expires_at", "banned"]),
        ("h", &["name", "role", "name"]),
    ] {
        let before = app.sign_in(who).await.user.unwrap();
        let new = renewed(&before.id);
        let after = app.update(new.clone(), mask).await.unwrap();
        let mut wanted = User { etag: after.etag.clone(), updated_at: changed, ..before.clone() };
        for field in mask {
            match *field {
                "name" => wanted.name.clone_from(&new.name),
                "image" => wanted.image.clone_from(&new.image),
                "email" => {
                    wanted.email = Some("countess@example.com".to_owned());
                    wanted.email_verified = false;
                }
                "role" => wanted.role.clone_from(&new.role),
                "banned" => wanted.banned = true,
                "ban_reason" => wanted.ban_reason.clone_from(&new.ban_reason),
                "ban_expires_at" => wanted.ban_expires_at = new.ban_expires_at,
                other => panic!("{other}"),
            }
        }
        assert_eq!(after, wanted, "{mask:?}");
        assert_ne!(after.etag, before.etag, "{mask:?}");
        assert_eq!(app.user(&before.id).await.unwrap(), after, "{mask:?}");
    }
}

#[tokio::test]
async fn a_field_of_the_mask_that_is_unset_is_cleared() {
    let app = app().await;
    let before = ada(&app).await;
    let after = app.update(user(&before.id), &["name", "image", "email"]).await.unwrap();
    assert_eq!((after.name, after.image, after.email, after.email_verified), (None, None, None, false));
}

#[tokio::test]
async fn what_changes_nothing_writes_nothing() {
    let app = app().await;
    let before = ada(&app).await;
    app.clock.advance(DAY);
    let mask = ["name", "image", "email", "role", "banned", "ban_reason", "ban_expires_at"];
    assert_eq!(app.update(before.clone(), &mask).await.unwrap(), before);
    assert_eq!(app.log().await, ["SIGN_UP SUCCESS"]);
}

#[tokio::test]
async fn an_invalid_change_names_its_field_and_changes_nothing() {
    let app = app().await;
    let before = ada(&app).await;
    let id = before.id.as_str();
    let past = Some(proto_time(START));
    let nameless = |bad: &str| User { name: Some(bad.to_owned()), ..user(id) };
    for (what, user, mask, field) in [
        ("no mask", user(id), &[][..], "update_mask"),
        ("a star", user(id), &["*"], "update_mask"),
        ("an unknown field", user(id), &["nickname"], "update_mask"),
        ("an empty path", user(id), &[""], "update_mask"),
        ("a path with its message", user(id), &["user.name"], "update_mask"),
        ("a field of ours", user(id), &["id"], "update_mask"),
        ("a vouched field", user(id), &["email_verified"], "update_mask"),
        ("one bad among good", user(id), &["name", "etag"], "update_mask"),
        ("no id", user(""), &["name"], "user.id"),
        ("another id", user("ada"), &["name"], "user.id"),
        ("a control character", nameless("a\0b"), &["name"], "user.name"),
        ("a long name", nameless(&"x".repeat(513)), &["name"], "user.name"),
        ("a long image", User { image: Some("x".repeat(2049)), ..user(id) }, &["image"], "user.image"),
        ("no email", User { email: Some("ada".to_owned()), ..user(id) }, &["email"], "user.email"),
        ("no role", user(id), &["role"], "user.role"),
        ("a blank role", User { role: " ".to_owned(), ..user(id) }, &["role"], "user.role"),
        ("a long role", User { role: "x".repeat(65), ..user(id) }, &["role"], "user.role"),
        (
            "a reason without a ban",
            User { ban_reason: Some("spam".to_owned()), ..user(id) },
            &["ban_reason"],
            "user.ban_reason",
        ),
        (
            "an end without a ban",
            User { ban_expires_at: Some(proto_time(LATER)), ..user(id) },
            &["ban_expires_at"],
            "user.ban_expires_at",
        ),
        (
            "a ban that has run out",
            User { banned: true, ban_expires_at: past, ..user(id) },
            &["banned", "ban_expires_at"],
            "user.ban_expires_at",
        ),
        (
            "no time",
            User {
                banned: true,
                ban_expires_at: Some(prost_types::Timestamp { seconds: i64::MAX, nanos: -1 }),
                ..user(id)
            },
            &["banned", "ban_expires_at"],
            "user.ban_expires_at",
        ),
    ] {
        assert_eq!(fields(app.update(user, mask).await), [field], "{what}");
    }
    let nothing = UpdateUserRequest { user: None, update_mask: Some(FieldMask { paths: vec![] }) };
    assert_eq!(fields(app.admin.clone().update_user(nothing).await), ["user.id", "update_mask"]);
    assert_eq!(app.user(id).await.unwrap(), before);
    assert_eq!(app.log().await, ["SIGN_UP SUCCESS"]);
}

#[tokio::test]
async fn an_unknown_user_is_not_changed() {
    let app = app().await;
    let wanted = (Code::NotFound, "USER_NOT_FOUND".to_owned());
    assert_eq!(refusal(app.update(renewed(NOBODY), &["name"]).await), wanted);
}

#[tokio::test]
async fn an_etag_holds_for_the_version_it_was_read_with() {
    let app = app().await;
    let before = ada(&app).await;
    let named = |etag: &str, name: &str| User {
        etag: etag.to_owned(),
        name: Some(name.to_owned()),
        ..user(&before.id)
    };
    let after = app.update(named(&before.etag, "first"), &["name"]).await.unwrap();
    let wanted = (Code::Aborted, "ETAG_MISMATCH".to_owned());
    for etag in [before.etag.as_str(), "nonsense", "-1"] {
        assert_eq!(refusal(app.update(named(etag, "second"), &["name"]).await), wanted, "{etag}");
    }
    assert_eq!(app.user(&before.id).await.unwrap(), after);
    app.update(named(&after.etag, "third"), &["name"]).await.unwrap();
    app.update(named("", "fourth"), &["name"]).await.unwrap();
}

#[tokio::test]
async fn a_sign_in_that_changes_the_user_changes_the_etag() {
    let app = app().await;
    let before = ada(&app).await;
    app.update(User { name: Some("Countess".to_owned()), ..user(&before.id) }, &["name"]).await.unwrap();
    let seen = app.user(&before.id).await.unwrap();
    ada(&app).await;
    assert_eq!(reason(app.update(User { name: None, ..seen }, &["name"]).await), "ETAG_MISMATCH");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_changes_of_one_version_at_once_one_wins() {
    let app = patient().start().await;
    let before = ada(&app).await;
    let answers = at_once(20, |number| {
        let mut admin = app.admin.clone();
        let user = User { name: Some(format!("name {number}")), ..before.clone() };
        let update_mask = Some(FieldMask { paths: vec!["name".to_owned()] });
        async move { admin.update_user(UpdateUserRequest { user: Some(user), update_mask }).await }
    })
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 19));
    assert!(lost.into_iter().all(|answer| reason(answer) == "ETAG_MISMATCH"));
    let winner = won.into_iter().next().unwrap().unwrap().into_inner().user.unwrap();
    assert_eq!(app.user(&before.id).await.unwrap(), winner);
    assert_eq!(app.log().await, ["SIGN_UP SUCCESS", "USER_UPDATED SUCCESS"]);
}

#[tokio::test]
async fn a_ban_ends_every_session_at_once() {
    let app = app().await;
    let tokens = [app.tokens("ada").await, app.tokens("ada").await];
    let bystander = app.tokens("bob").await;
    let id = tokens[0].session.clone().unwrap().user.unwrap().id.unwrap();
    let banned = app.ban(&id).await;
    assert!(banned.banned);
    for issued in &tokens {
        let wanted = (Code::Unauthenticated, "USER_BANNED".to_owned());
        assert_eq!(refusal(app.session(&issued.access_token).await), wanted);
        assert_eq!(refusal(app.refresh(&issued.refresh_token).await), wanted);
    }
    assert_eq!(denied(app.try_sign_in(profile("ada")).await).reason(), DenialReason::UserBanned);
    app.session(&bystander.access_token).await.unwrap();
    app.refresh(&bystander.refresh_token).await.unwrap();
    let sql = "SELECT coalesce(end_reason, '') AS why, count(*) AS n FROM sessions GROUP BY why ORDER BY why";
    assert_eq!(app.query(sql).await, [["", "1"], ["BANNED", "2"]]);
    assert!(app.log().await.contains(&"USER_BANNED SUCCESS".to_owned()));
}

#[tokio::test]
async fn a_lifted_ban_brings_no_session_back() {
    let app = app().await;
    let issued = app.tokens("ada").await;
    let id = issued.session.unwrap().user.unwrap().id.unwrap();
    app.ban(&id).await;
    let unbanned = app.unban(&id).await;
    assert!(!unbanned.banned);
    let wanted = (Code::Unauthenticated, "SESSION_REVOKED".to_owned());
    assert_eq!(refusal(app.session(&issued.access_token).await), wanted);
    assert_eq!(refusal(app.refresh(&issued.refresh_token).await), wanted);
    let again = app.tokens("ada").await;
    app.session(&again.access_token).await.unwrap();
    app.refresh(&again.refresh_token).await.unwrap();
}

#[tokio::test]
async fn a_longer_ban_ends_what_was_opened_as_the_shorter_ran_out() {
    for longer in [Some(LATER), None] {
        let app = app().await;
        let issued = app.tokens("ada").await;
        let id = issued.session.unwrap().user.unwrap().id.unwrap();
        // The session looks as if it opened between two bans: the second was decided during the first.
        let soon = START.plus(Duration::from_mins(1)).millis();
        app.set("users", &format!("banned = TRUE, ban_expires_at = {soon}")).await;
        let longer = User { ban_expires_at: longer.map(proto_time), ..user(&id) };
        app.update(longer.clone(), &["ban_expires_at"]).await.unwrap();
        assert_eq!(reason(app.session(&issued.access_token).await), "USER_BANNED");
        assert_eq!(reason(app.refresh(&issued.refresh_token).await), "USER_BANNED");
        app.unban(&id).await;
        assert_eq!(reason(app.session(&issued.access_token).await), "SESSION_REVOKED");
        assert_eq!(reason(app.refresh(&issued.refresh_token).await), "SESSION_REVOKED");
    }
}

#[tokio::test]
async fn a_ban_tells_reason_and_end_while_it_lasts() {
    let app = app().await;
    let id = ada(&app).await.id;
    let mask = ["banned", "ban_reason", "ban_expires_at"];
    let banned = app.update(renewed(&id), &mask).await.unwrap();
    let told = |user: User| (user.banned, user.ban_reason, user.ban_expires_at);
    let wanted = (true, Some("spam".to_owned()), Some(proto_time(LATER)));
    assert_eq!(told(banned), wanted);
    app.clock.advance(Duration::from_millis(DAY_MILLIS - 1));
    assert_eq!(told(app.user(&id).await.unwrap()), wanted);
    app.clock.advance(Duration::from_millis(1));
    assert_eq!(told(app.user(&id).await.unwrap()), (false, None, None));
}

#[tokio::test]
async fn a_ban_that_ran_out_is_no_ban_to_a_change() {
    let app = app().await;
    let id = ada(&app).await.id;
    let mask = ["banned", "ban_reason", "ban_expires_at"];
    app.update(renewed(&id), &mask).await.unwrap();
    app.clock.advance(2 * DAY);
    let then = Some(proto_time(START.plus(3 * DAY)));
    let longer = User { ban_expires_at: then, ..user(&id) };
    assert_eq!(fields(app.update(longer, &["ban_expires_at"]).await), ["user.ban_expires_at"]);
    app.update(User { name: Some("Countess".to_owned()), ..user(&id) }, &["name", "banned"]).await.unwrap();
    let again = app.ban(&id).await;
    assert_eq!((again.banned, again.ban_reason, again.ban_expires_at), (true, None, None));
    assert_eq!(
        app.log().await,
        ["SIGN_UP SUCCESS", "USER_BANNED SUCCESS", "USER_UPDATED SUCCESS", "USER_BANNED SUCCESS"]
    );
}

#[tokio::test]
async fn a_ban_is_not_moved_into_the_past() {
    let app = app().await;
    let id = ada(&app).await.id;
    app.ban(&id).await;
    for end in [START, Timestamp(START.0 - 1)] {
        let past = User { ban_expires_at: Some(proto_time(end)), ..user(&id) };
        assert_eq!(fields(app.update(past, &["ban_expires_at"]).await), ["user.ban_expires_at"]);
    }
    assert!(app.user(&id).await.unwrap().banned);
    let later = User { ban_expires_at: Some(proto_time(LATER)), ..user(&id) };
    assert_eq!(app.update(later, &["ban_expires_at"]).await.unwrap().ban_expires_at, Some(proto_time(LATER)));
    assert_eq!(app.log().await, ["SIGN_UP SUCCESS", "USER_BANNED SUCCESS", "USER_UPDATED SUCCESS"]);
}

#[tokio::test]
async fn name_image_email_and_role_are_told_at_once() {
    let app = app().await;
    let issued = app.tokens("ada").await;
    let id = issued.session.unwrap().user.unwrap().id.unwrap();
    app.update(renewed(&id), &["name", "image", "email", "role"]).await.unwrap();
    let wanted = SessionUser {
        id: Some(id),
        name: Some("Countess".to_owned()),
        image: Some("https://example.com/countess.png".to_owned()),
        email: Some("countess@example.com".to_owned()),
        email_verified: false,
        role: Some("editor".to_owned()),
    };
    let read = app.session(&issued.access_token).await.unwrap();
    assert_eq!(read.session.unwrap().user, Some(wanted.clone()));
    let refreshed = app.refresh(&issued.refresh_token).await.unwrap();
    assert_eq!(refreshed.session.unwrap().user, Some(wanted));
}

#[tokio::test]
async fn a_token_of_an_old_role_is_stale_where_a_jwt_callback_may_have_used_it() {
    let hooks = on_jwt(|input| Ok(claims(json!({"may_edit": input.user.role == "editor"}))));
    let app = builder().callbacks(hooks).start().await;
    let issued = app.tokens("ada").await;
    let id = issued.session.unwrap().user.unwrap().id.unwrap();
    app.update(renewed(&id), &["name"]).await.unwrap();
    app.session(&issued.access_token).await.unwrap();
    app.update(renewed(&id), &["role"]).await.unwrap();
    let wanted = (Code::Unauthenticated, "TOKEN_STALE".to_owned());
    assert_eq!(refusal(app.session(&issued.access_token).await), wanted);
    let refreshed = app.refresh(&issued.refresh_token).await.unwrap();
    let session = app.session(&refreshed.access_token).await.unwrap().session.unwrap();
    assert_eq!(session.user.unwrap().role.as_deref(), Some("editor"));
    let may_edit = session.claims.unwrap().fields["may_edit"].kind.clone();
    assert_eq!(may_edit, Some(prost_types::value::Kind::BoolValue(true)));
}

#[tokio::test]
async fn a_changed_email_is_unverified_and_the_old_one_is_free() {
    let app = app().await;
    let ada = ada(&app).await;
    let after = app.update(renewed(&ada.id), &["email"]).await.unwrap();
    assert_eq!((after.email.as_deref(), after.email_verified), (Some("countess@example.com"), false));
    for gone in ["ada@example.com", "countess@example.com"] {
        let key = Some(get_user_request::Key::Email(gone.to_owned()));
        let answer = app.admin.clone().get_user(GetUserRequest { key }).await;
        assert_eq!(reason(answer), "USER_NOT_FOUND", "{gone}");
    }
    let mut other = profile("ada");
    if let Some(gatepass::grpc::proto::v1::sign_in_request::Credential::Profile(profile)) =
        &mut other.credential
    {
        profile.provider = "google".to_owned();
    }
    let other = crate::support::allowed(app.try_sign_in(other).await);
    assert!(other.is_new_user && other.user.unwrap().email_verified);
    // Ada's own sign-in still finds her user. Her verified address belongs to another user now, so she has none.
    let again = app.sign_in("ada").await.user.unwrap();
    assert_eq!((again.id, again.email, again.email_verified), (ada.id, None, false));
}

#[tokio::test]
async fn each_change_is_logged_as_what_it_is() {
    let app = app().await;
    let id = ada(&app).await.id;
    let unbanned = User { role: "admin".to_owned(), ..user(&id) };
    app.update(renewed(&id), &["role"]).await.unwrap();
    app.update(renewed(&id), &["banned"]).await.unwrap();
    app.update(renewed(&id), &["ban_reason"]).await.unwrap();
    app.update(unbanned, &["banned", "role"]).await.unwrap();
    app.update(renewed(&id), &["banned", "name"]).await.unwrap();
    let rows = app.query("SELECT action, user_id AS id, email, caller FROM auth_logs ORDER BY rowid").await;
    let hex = id.replace('-', "").to_uppercase();
    let wanted = [
        "SIGN_UP",
        "USER_UPDATED",
        "USER_BANNED",
        "USER_UPDATED",
        "USER_UNBANNED",
        "USER_UPDATED",
        "USER_BANNED",
        "USER_UPDATED",
    ];
    assert_eq!(rows, wanted.map(|action| [action, hex.as_str(), "ada@example.com", "local"]));
}

#[tokio::test]
async fn a_ban_and_a_new_role_outlive_a_restart() {
    let app = app().await;
    let [banned, unbanned, promoted] = [app.tokens("a").await, app.tokens("b").await, app.tokens("c").await];
    let id = |issued: &gatepass::grpc::proto::v1::IssueTokenResponse| {
        issued.session.clone().unwrap().user.unwrap().id.unwrap()
    };
    app.ban(&id(&banned)).await;
    app.ban(&id(&unbanned)).await;
    app.unban(&id(&unbanned)).await;
    app.update(renewed(&id(&promoted)), &["role"]).await.unwrap();
    let app = app.restart(|yaml| yaml).await;
    assert_eq!(reason(app.session(&banned.access_token).await), "USER_BANNED");
    assert_eq!(reason(app.refresh(&banned.refresh_token).await), "USER_BANNED");
    assert_eq!(reason(app.session(&unbanned.access_token).await), "SESSION_REVOKED");
    assert_eq!(reason(app.refresh(&unbanned.refresh_token).await), "SESSION_REVOKED");
    let read = app.session(&promoted.access_token).await.unwrap().session.unwrap();
    assert_eq!(read.user.unwrap().role.as_deref(), Some("editor"));
}

also_with_references!(
    a_ban_ends_every_session_at_once,
    a_lifted_ban_brings_no_session_back,
    name_image_email_and_role_are_told_at_once,
    a_token_of_an_old_role_is_stale_where_a_jwt_callback_may_have_used_it,
    a_ban_and_a_new_role_outlive_a_restart,
);
