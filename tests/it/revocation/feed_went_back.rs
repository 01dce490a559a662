//! A feed that has gone back, since a failover lost its last commits or a backup was restored; and a feed with an
//! unreadable row. Of two replicas on one database, one learns of the other's changes only from the feed.

use gatepass::grpc::proto::v1::{IssueTokenResponse, RevokeSessionRequest, User};
use gatepass::model::Clock as _;

use crate::support::databases::Backend;
use crate::support::replica::ids;
use crate::support::{TestApp, builder_on, eventually, reason};

crate::on_all!(
    entries_written_in_the_place_of_lost_ones_become_known,
    what_a_restored_database_says_of_a_user_holds,
    an_unreadable_user_does_not_hold_back_the_others,
);

async fn revoke(app: &TestApp, tokens: &IssueTokenResponse) {
    let [session_id, _] = ids(tokens);
    app.admin.clone().revoke_session(RevokeSessionRequest { session_id }).await.unwrap();
}

async fn until_refused(app: &TestApp, tokens: &IssueTokenResponse) {
    eventually("the end is known", || async { app.session(&tokens.access_token).await.is_err() }).await;
    assert_eq!(reason(app.session(&tokens.access_token).await), "SESSION_REVOKED");
}

/// Deletes all feed rows after this sequence number, as if the database had never had them.
async fn lose_all_after(place: i64, app: &TestApp) {
    app.execute(&format!("DELETE FROM revocations WHERE seq > {place}")).await;
    app.execute(&format!("UPDATE revocation_counter SET seq = {place}")).await;
}

async fn entries_written_in_the_place_of_lost_ones_become_known(backend: Backend) {
    let one = builder_on(backend).await.start().await;
    let other = one.replica(|yaml| yaml).await;
    let mut known = Vec::new();
    // The later feed is as long as before, shorter, or longer.
    for (round, [before, kept, after]) in [[3, 2, 1], [3, 1, 1], [1, 0, 4]].into_iter().enumerate() {
        lose_all_after(0, &one).await;
        for number in 0..before {
            known.push(one.tokens(&format!("before-{round}-{number}")).await);
            revoke(&one, known.last().unwrap()).await;
        }
        until_refused(&other, known.last().unwrap()).await;
        lose_all_after(kept, &one).await;
        for number in 0..after {
            known.push(one.tokens(&format!("after-{round}-{number}")).await);
            revoke(&one, known.last().unwrap()).await;
        }
        for tokens in &known {
            until_refused(&other, tokens).await;
        }
    }
}

async fn what_a_restored_database_says_of_a_user_holds(backend: Backend) {
    let one = builder_on(backend).await.start().await;
    let other = one.replica(|yaml| yaml).await;
    let tokens = one.tokens("ada").await;
    let [_, id] = ids(&tokens);
    for role in ["helper", "admin"] {
        one.update(User { id: id.clone(), role: role.to_owned(), ..Default::default() }, &["role"])
            .await
            .unwrap();
    }
    let has = |role: &'static str| {
        let (other, token) = (&other, &tokens.access_token);
        move || async move {
            let session = other.session(token).await.unwrap().session.unwrap();
            session.user.unwrap().role() == role
        }
    };
    eventually("the change is known", has("admin")).await;
    one.execute("UPDATE users SET role = 'user', version = 1").await;
    lose_all_after(0, &one).await;
    eventually("the change is undone", has("user")).await;
    let lesser = User { id, role: "guest".to_owned(), ..Default::default() };
    one.update(lesser, &["role"]).await.unwrap();
    eventually("a change of a lower version is known", has("guest")).await;
}

async fn an_unreadable_user_does_not_hold_back_the_others(backend: Backend) {
    let one = builder_on(backend).await.start().await;
    let other = one.replica(|yaml| yaml).await;
    let (ada, bob) = (one.tokens("ada").await, one.tokens("bob").await);
    let [_, id] = ids(&ada);
    let (row, until) = (one.place.database.id(&id), one.clock.now().millis() + 3_600_000);
    one.execute(&format!("UPDATE users SET email = 'none' WHERE id = {row}")).await;
    one.execute("UPDATE revocation_counter SET seq = 1").await;
    one.execute(&format!("INSERT INTO revocations VALUES (1, 'USER_CHANGED', {row}, NULL, NULL, {until})"))
        .await;
    revoke(&one, &bob).await;
    until_refused(&other, &bob).await;
    assert_eq!(reason(other.session(&ada.access_token).await), "TOKEN_STALE");
    one.execute(&format!("UPDATE users SET email = NULL, email_key = NULL WHERE id = {row}")).await;
    one.update(User { id, role: "admin".to_owned(), ..Default::default() }, &["role"]).await.unwrap();
    eventually("it is known again", || async { other.session(&ada.access_token).await.is_ok() }).await;
}
