use std::sync::Arc;

use super::super::super::fixture::{Always, settings};
use super::*;

fn profile(fields: Result<ProfileFields, String>) -> Result<Profile, ProviderFault> {
    let settings = Settings { profile: Arc::new(Always(fields)), ..settings() };
    let told = Told {
        settings: &settings,
        issuer: "https://idp.example".to_owned(),
        kind: AccountKind::OAuth,
        scope: None,
    };
    told.profile(&ClaimMap::new(), ClaimMap::new())
}

#[expect(clippy::unnecessary_wraps, reason = "every field of a profile may be missing")]
fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn ada() -> ProfileFields {
    ProfileFields {
        id: text("ada"),
        email: text("Ada@Example.com"),
        email_verified: true,
        ..Default::default()
    }
}

#[test]
fn an_email_is_canonical_and_verified_only_where_there_is_one() {
    let verified =
        |fields| profile(Ok(fields)).unwrap().verified_email().map(|email| email.as_str().to_owned());
    assert_eq!(verified(ada()), text("ada@example.com"));
    assert_eq!(verified(ProfileFields { email_verified: false, ..ada() }), None);
    for none in [None, text("")] {
        let profile = profile(Ok(ProfileFields { email: none, ..ada() })).unwrap();
        assert!(profile.email.is_none() && !profile.email_verified);
    }
}

#[test]
fn a_profile_without_an_id_or_with_an_invalid_email_is_unusable() {
    for fields in [
        Err("no such field".to_owned()),
        Ok(ProfileFields { id: None, ..ada() }),
        Ok(ProfileFields { id: text(""), ..ada() }),
        Ok(ProfileFields { id: text("a\nb"), ..ada() }),
        Ok(ProfileFields { id: text(&"x".repeat(256)), ..ada() }),
        Ok(ProfileFields { email: text("secret.example"), ..ada() }),
        Ok(ProfileFields { email: text("a@b@secret.example"), ..ada() }),
        Ok(ProfileFields { email: text(" ada@secret.example"), ..ada() }),
    ] {
        let fault = profile(fields.clone()).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Profile, "{fields:?}");
        assert!(!fault.cause.contains("secret.example"), "{fault}");
    }
}

#[test]
fn a_name_is_cut_between_characters_and_has_no_control_characters() {
    let name = |name: &str| profile(Ok(ProfileFields { name: text(name), ..ada() })).unwrap().name;
    assert_eq!(name("Ada\u{0} Love\r\nlace\u{9b}"), text("Ada Lovelace"));
    assert_eq!(name(&"x".repeat(600)), Some("x".repeat(512)));
    assert_eq!(name(&format!("{}é", "x".repeat(511))), Some("x".repeat(511)));
    for none in ["", " ", "\n"] {
        assert_eq!(name(none), None);
    }
}

#[test]
fn a_too_long_or_unprintable_image_is_dropped() {
    let image = |image: &str| profile(Ok(ProfileFields { image: text(image), ..ada() })).unwrap().image;
    let longest = format!("https://a.example/{}", "x".repeat(2048 - 18));
    assert_eq!(image(&longest), Some(longest.clone()));
    for none in ["", &format!("{longest}x"), "https://a.example/\n"] {
        assert_eq!(image(none), None);
    }
}
