//! Users follow the e-mail addresses, names and pictures that their providers tell, by the rules of each provider.

use gatepass::grpc::proto::v1::get_user_request::Key;
use gatepass::grpc::proto::v1::{GetUserRequest, ProfileCredential, SignInRequest, User};
use tonic::{Response, Status};

use crate::support::crowd::{at_once, patient_on};
use crate::support::databases::Backend;
use crate::support::{TestApp, allowed, app, builder, builder_on, credential};

fn told(provider: &str, id: &str, email: &str, email_verified: bool) -> SignInRequest {
    credential(ProfileCredential {
        provider: provider.to_owned(),
        provider_account_id: id.to_owned(),
        email: Some(email.to_owned()),
        email_verified,
        ..Default::default()
    })
}

async fn sign_in(app: &TestApp, request: SignInRequest) -> User {
    allowed(app.try_sign_in(request).await).user.unwrap()
}

async fn find(app: &TestApp, key: Key) -> Result<User, Status> {
    let found = app.admin.clone().get_user(GetUserRequest { key: Some(key) }).await;
    found.map(|answer: Response<_>| answer.into_inner().user.unwrap())
}

async fn find_by_email(app: &TestApp, email: &str) -> Result<User, Status> {
    find(app, Key::Email(email.to_owned())).await
}

fn address(user: &User) -> (Option<&str>, bool) {
    (user.email.as_deref(), user.email_verified)
}

crate::on_all!(
    a_verified_address_replaces_an_unverified_one,
    a_verified_address_of_another_user_empties_an_unverified_one,
    a_verified_address_follows_only_the_account_that_told_it,
    an_administrators_address_gives_way_to_a_verified_one_only,
    of_two_people_who_get_one_address_at_once_one_has_it,
    of_two_providers_that_tell_addresses_at_once_one_is_kept,
    an_administrator_in_between_wins_over_an_unverified_address,
);

async fn a_verified_address_replaces_an_unverified_one(backend: Backend) {
    let app = builder_on(backend).await.start().await;
    let (typo, right) = ("typo@corp.example", "ben@corp.example");
    let new = sign_in(&app, told("corp", "ben", typo, false)).await;
    assert_eq!(address(&new), (Some(typo), false));
    let known = sign_in(&app, told("corp", "ben", right, true)).await;
    assert_eq!((&known.id, address(&known)), (&new.id, (Some(right), true)));
    assert_eq!(find_by_email(&app, right).await.unwrap().id, new.id);
    let sql = "SELECT action, outcome, reason, email, provider FROM auth_logs ORDER BY rowid";
    let wanted = [
        ["SIGN_UP", "SUCCESS", "", typo, "corp"],
        ["SIGN_IN", "SUCCESS", "", right, "corp"],
        ["USER_UPDATED", "SUCCESS", "EMAIL_FOLLOWED", typo, "corp"],
    ];
    assert_eq!(app.query(sql).await, wanted);
    // Nothing changes any more, so nothing is logged.
    let same = sign_in(&app, told("corp", "ben", right, true)).await;
    assert_eq!(same.etag, known.etag);
    assert_eq!(app.log().await.last().unwrap(), "SIGN_IN SUCCESS");
}

async fn a_verified_address_of_another_user_empties_an_unverified_one(backend: Backend) {
    let app = builder_on(backend).await.start().await;
    let ada = "ada@example.com";
    sign_in(&app, told("github", "ada", ada, true)).await;
    let eve = sign_in(&app, told("github", "eve", "eve@example.com", false)).await;
    let emptied = sign_in(&app, told("github", "eve", ada, true)).await;
    assert_eq!((emptied.id, emptied.email), (eve.id, None));
    let rows = app.query("SELECT reason, email FROM auth_logs WHERE action = 'USER_UPDATED'").await;
    assert_eq!(rows, [["EMAIL_FOLLOWED", "eve@example.com"]]);
    let again = sign_in(&app, told("github", "eve", ada, true)).await;
    assert_eq!(address(&again), (None, false));
    // A verified address stays.
    sign_in(&app, told("github", "bob", "bob@example.com", true)).await;
    let bob = sign_in(&app, told("github", "bob", ada, true)).await;
    assert_eq!(address(&bob), (Some("bob@example.com"), true));
}

async fn a_verified_address_follows_only_the_account_that_told_it(backend: Backend) {
    let provider = |id: &str, sync: &str| {
        format!(
            "{{id: {id}, preset: google, client_id: a, client_secret: b, link_by_verified_email: true, sync: {sync}}}"
        )
    };
    let providers = [provider("follows", "{email: follow}"), provider("other", "{email: follow}")].join(", ");
    let app = builder_on(backend).await.config(&format!("providers: [{providers}]")).start().await;
    let (old, new) = ("old@corp.example", "new@corp.example");
    let first = sign_in(&app, told("follows", "1", old, true)).await;
    // The other account is linked by the address, and does not own it.
    assert_eq!(sign_in(&app, told("other", "2", old, true)).await.id, first.id);
    assert_eq!(address(&sign_in(&app, told("other", "2", "x@corp.example", true)).await), (Some(old), true));
    assert_eq!(address(&sign_in(&app, told("follows", "1", new, true)).await), (Some(new), true));
    assert_eq!(address(&sign_in(&app, told("follows", "1", old, false)).await), (Some(new), true));
    // By default a verified address stays.
    sign_in(&app, told("github", "1", "a@example.com", true)).await;
    let kept = sign_in(&app, told("github", "1", "b@example.com", true)).await;
    assert_eq!(address(&kept), (Some("a@example.com"), true));
    // A user of an older version has no source: the only account is it, and one of two is not.
    app.execute("UPDATE users SET email_source = NULL").await;
    assert_eq!(address(&sign_in(&app, told("follows", "1", old, true)).await), (Some(new), true));
    sign_in(&app, told("follows", "3", "three@corp.example", true)).await;
    app.execute("UPDATE users SET email_source = NULL").await;
    let followed = sign_in(&app, told("follows", "3", "four@corp.example", true)).await;
    assert_eq!(address(&followed), (Some("four@corp.example"), true));
}

async fn an_administrators_address_gives_way_to_a_verified_one_only(backend: Backend) {
    let app = builder_on(backend).await.start().await;
    let User { id, .. } = sign_in(&app, told("github", "ada", "ada@example.com", false)).await;
    let set = User { id: id.clone(), email: Some("set@example.com".to_owned()), ..Default::default() };
    app.update(set, &["email"]).await.unwrap();
    let source = app.query("SELECT email_source FROM users").await;
    assert_eq!(source, [["admin"]]);
    let unverified = sign_in(&app, told("github", "ada", "ada@example.com", false)).await;
    assert_eq!(address(&unverified), (Some("set@example.com"), false));
    let verified = sign_in(&app, told("github", "ada", "ada@example.com", true)).await;
    assert_eq!(address(&verified), (Some("ada@example.com"), true));
}

async fn of_two_people_who_get_one_address_at_once_one_has_it(backend: Backend) {
    let app = patient_on(backend).await.start().await;
    for round in 0..5 {
        let person = |number: usize| format!("{round}-{number}");
        for number in 0..2 {
            sign_in(&app, told("github", &person(number), &format!("{}@old.example", person(number)), false))
                .await;
        }
        let email = format!("both{round}@example.com");
        let users = at_once(2, |number| {
            let (mut auth, request) = (app.auth.clone(), told("github", &person(number), &email, true));
            async move { allowed(auth.sign_in(request).await).user.unwrap() }
        })
        .await;
        let mut addresses: Vec<_> = users.iter().map(|user| user.email.as_deref()).collect();
        addresses.sort_unstable();
        assert_eq!(addresses, [None, Some(email.as_str())]);
        let owner = find_by_email(&app, &email).await.unwrap();
        assert!(users.iter().any(|user| user.id == owner.id && user.email_verified));
    }
}

async fn of_two_providers_that_tell_addresses_at_once_one_is_kept(backend: Backend) {
    let linking = "providers: [{id: google, client_id: a, client_secret: b, link_by_verified_email: true}]";
    let app = patient_on(backend).await.config(linking).start().await;
    for round in 0..5 {
        let id = round.to_string();
        let email = |name: &str| format!("{name}{round}@example.com");
        let user = sign_in(&app, told("github", &id, &email("first"), true)).await;
        assert_eq!(sign_in(&app, told("google", &id, &email("first"), true)).await.id, user.id);
        let unset = User { id: user.id.clone(), ..Default::default() };
        app.update(unset, &["email"]).await.unwrap();
        let told_at_once = ["github", "google"].map(|provider| (provider, email(provider)));
        let users = at_once(2, |number| {
            let (provider, email) = &told_at_once[number];
            let (mut auth, request) = (app.auth.clone(), told(provider, &id, email, true));
            async move { allowed(auth.sign_in(request).await).user.unwrap() }
        })
        .await;
        let stored = find(&app, Key::UserId(user.id.clone())).await.unwrap();
        assert!(stored.email_verified && users.iter().all(|other| other.id == user.id));
        assert!(told_at_once.iter().any(|(_, email)| stored.email.as_deref() == Some(email)));
        let followed = "SELECT count(*) AS n FROM auth_logs WHERE reason = 'EMAIL_FOLLOWED'";
        assert_eq!(app.query(followed).await, [[(round + 1).to_string()]]);
    }
}

async fn an_administrator_in_between_wins_over_an_unverified_address(backend: Backend) {
    let app = patient_on(backend).await.start().await;
    for round in 0..5 {
        let id = round.to_string();
        let user = sign_in(&app, told("github", &id, &format!("old{round}@example.com"), false)).await;
        let set = format!("set{round}@example.com");
        at_once(2, |number| {
            let (mut auth, admin) = (app.auth.clone(), app.admin.clone());
            let request = told("github", &id, &format!("new{round}@example.com"), false);
            let change = User { id: user.id.clone(), email: Some(set.clone()), ..Default::default() };
            async move {
                if number == 0 {
                    allowed(auth.sign_in(request).await);
                } else {
                    let update_mask = Some(prost_types::FieldMask { paths: vec!["email".to_owned()] });
                    let request =
                        gatepass::grpc::proto::v1::UpdateUserRequest { user: Some(change), update_mask };
                    admin.clone().update_user(request).await.unwrap();
                }
            }
        })
        .await;
        let stored = find(&app, Key::UserId(user.id)).await.unwrap();
        assert_eq!(stored.email.as_deref(), Some(set.as_str()), "round {round}");
    }
}

#[tokio::test]
async fn a_name_or_a_picture_may_stay_the_first_one() {
    let sync = "providers: [{id: google, client_id: a, client_secret: b, sync: {name: first, image: first}}]";
    let app = builder().config(sync).start().await;
    let named = |provider: &str, name: Option<&str>, image: &str| {
        credential(ProfileCredential {
            provider: provider.to_owned(),
            provider_account_id: "1".to_owned(),
            name: name.map(str::to_owned),
            image: Some(image.to_owned()),
            ..Default::default()
        })
    };
    let (one, two) = ("https://a.example/1.png", "https://a.example/2.png");
    for (provider, wanted) in
        [("google", (Some("Ada"), Some(one))), ("github", (Some("Countess"), Some(two)))]
    {
        sign_in(&app, named(provider, None, one)).await;
        sign_in(&app, named(provider, Some("Ada"), two)).await;
        let user = sign_in(&app, named(provider, Some("Countess"), two)).await;
        assert_eq!((user.name.as_deref(), user.image.as_deref()), wanted, "{provider}");
    }
}

#[tokio::test]
async fn linking_changes_no_address() {
    let app = app().await;
    let token = app.tokens("ada").await.access_token;
    let set = app.query("SELECT id AS id FROM users").await;
    app.execute("UPDATE users SET email = NULL, email_key = NULL, email_verified = false").await;
    let link = SignInRequest { link_access_token: token, ..told("corp", "1", "ada@corp.example", true) };
    assert!(allowed(app.try_sign_in(link).await).linked);
    let after = app.query("SELECT id AS id, email FROM users").await;
    assert_eq!(after, [[set[0][0].as_str(), ""]]);
}
