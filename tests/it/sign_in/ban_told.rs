//! The ban of a denied sign-in: its end is always told, its reason only if the configuration says so.

use std::time::Duration;

use gatepass::grpc::proto::v1::{Ban, User};

use crate::support::{START, builder, profile};
use crate::support::{denied, proto_time};

#[tokio::test]
async fn a_banned_user_learns_the_end_and_if_allowed_the_reason() {
    for tell in [false, true] {
        let app = builder().config(&format!("sign_in: {{tell_ban_reason: {tell}}}")).start().await;
        let id = app.sign_in("ada").await.user.unwrap().id;
        let reason = tell.then(|| "spam".to_owned());
        for (expires_at, ban_reason) in
            [(Some(proto_time(START.plus(Duration::from_hours(1)))), Some("spam")), (None, Some("spam"))]
        {
            let ban = User {
                id: id.clone(),
                banned: true,
                ban_reason: ban_reason.map(str::to_owned),
                ban_expires_at: expires_at,
                ..Default::default()
            };
            app.update(ban, &["banned", "ban_reason", "ban_expires_at"]).await.unwrap();
            let told = denied(app.try_sign_in(profile("ada")).await);
            assert_eq!(told.reason().as_str_name(), "DENIAL_REASON_USER_BANNED");
            assert_eq!(told.ban, Some(Ban { reason: reason.clone(), expires_at }));
            assert_eq!(told.detail, None);
        }
    }
}

#[tokio::test]
async fn other_denials_tell_of_no_ban() {
    let app = builder().config("sign_in: {allow_sign_up: false, tell_ban_reason: true}").start().await;
    assert_eq!(denied(app.try_sign_in(profile("ada")).await).ban, None);
}
