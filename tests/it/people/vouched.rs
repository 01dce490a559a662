//! Profiles that callers vouch for are cleaned by the same rule as those of providers.

use gatepass::grpc::proto::v1::ProfileCredential;
use prost_types::Struct;
use serde_json::{Value, json};

use super::bends::checks_what_policies_see;
use crate::support::callback_service::to_struct;
use crate::support::{TestApp, allowed, app, builder, credential, fields};

fn person(id: &str) -> ProfileCredential {
    ProfileCredential {
        provider: "github".to_owned(),
        provider_account_id: id.to_owned(),
        ..Default::default()
    }
}

async fn sign_in(app: &TestApp, profile: ProfileCredential) -> gatepass::grpc::proto::v1::User {
    allowed(app.try_sign_in(credential(profile)).await).user.unwrap()
}

#[tokio::test]
async fn attributes_that_can_not_be_used_are_left_out_and_counted() {
    let app = builder().callbacks(checks_what_policies_see()).start().await;
    let long = |size: usize| "x".repeat(size);
    let data = format!("data:image/png;base64,{}", long(6000));
    for (number, (email, name, image, kept)) in [
        ("jdoe", "Ada", "https://a.example/a.png", (None, Some("Ada"), Some("https://a.example/a.png"))),
        ("Ada@Example.com", "A\tda", "javascript:x", (Some("ada@example.com"), Some("A da"), None)),
        ("a@b@c.example", "\n", &data, (None, None, None)),
        ("", "", "", (None, None, None)),
        (
            &long(300),
            &long(600),
            &format!("https://a.example/{}", long(2048)),
            (None, Some(&long(512)), None),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let profile = ProfileCredential {
            email: Some(email.to_owned()),
            email_verified: true,
            name: Some(name.to_owned()),
            image: Some(image.to_owned()),
            ..person(&format!("person-{number}"))
        };
        let user = sign_in(&app, profile).await;
        let (wanted_email, name, image) = kept;
        assert_eq!(
            (user.email.as_deref(), user.name.as_deref(), user.image.as_deref()),
            (wanted_email, name, image)
        );
        assert_eq!(user.email_verified, wanted_email.is_some());
    }
    let metrics = app.metrics().await.text;
    for (attribute, count) in [("email", 3), ("name", 1), ("image", 3)] {
        let line = format!(
            "gatepass_profile_attributes_dropped_total{{provider=\"other\",attribute=\"{attribute}\"}} {count}\n"
        );
        assert!(metrics.contains(&line), "{line}{metrics}");
    }
}

#[tokio::test]
async fn members_of_a_raw_profile_never_stand_for_attributes() {
    let app = builder().callbacks(checks_what_policies_see()).start().await;
    let values =
        [json!(null), json!(true), json!(-1.5), json!([]), json!({"a": "b"}), json!("x".repeat(40_000))];
    for member in ["sub", "email", "email_verified", "name", "picture", "groups"] {
        for (number, value) in values.iter().enumerate() {
            let raw: Option<Struct> = Some(to_struct(&json!({member: value})));
            let profile = ProfileCredential { raw, ..person(&format!("{member}-{number}")) };
            let user = sign_in(&app, profile).await;
            assert_eq!((user.email, user.name, user.image), (None, None, None), "{member} {value}");
        }
    }
}

#[tokio::test]
async fn the_id_of_an_account_stays_strict() {
    let app = app().await;
    for id in ["", "a\nb", &"x".repeat(256)] {
        let refused = app.try_sign_in(credential(person(id))).await;
        assert_eq!(fields(refused), ["credential.profile.provider_account_id"]);
    }
}

#[tokio::test]
async fn a_raw_profile_of_any_size_is_seen_and_its_rest_is_told() {
    let app = builder()
        .callbacks(crate::support::hooks::on_jwt(|input| {
            let profile = input.profile.expect("a profile");
            let seen = json!({"kept": profile.get("small").is_some(), "omitted": input.profile_omitted});
            Ok(crate::support::hooks::claims(json!({"seen": seen})))
        }))
        .start()
        .await;
    let raw = json!({"large": "x".repeat(40_000), "small": "y"});
    let signed_in = allowed(
        app.try_sign_in(credential(ProfileCredential { raw: Some(to_struct(&raw)), ..person("ada") })).await,
    );
    let issued = app.issue(&signed_in.grant.unwrap()).await.unwrap();
    let claims = crate::support::callback_service::to_json(&issued.session.unwrap().claims.unwrap());
    let wanted: Value = json!({"seen": {"kept": true, "omitted": ["large"]}});
    assert_eq!(claims, wanted);
}
