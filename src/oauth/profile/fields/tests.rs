use std::sync::Arc;

use super::super::super::fixture::{Always, settings};
use super::*;
use crate::model::{Attribute, Email};

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
fn a_profile_without_an_id_is_unusable() {
    for fields in [
        Err("no such field".to_owned()),
        Ok(ProfileFields { id: None, ..ada() }),
        Ok(ProfileFields { id: text(""), ..ada() }),
        Ok(ProfileFields { id: text("a\nb"), ..ada() }),
        Ok(ProfileFields { id: text(&"x".repeat(256)), ..ada() }),
    ] {
        assert_eq!(profile(fields.clone()).unwrap_err().kind, FaultKind::Profile, "{fields:?}");
    }
}

#[test]
fn an_attribute_that_can_not_be_used_is_left_out() {
    for email in ["secret.example", "a@b@secret.example", " ada@secret.example"] {
        let profile = profile(Ok(ProfileFields { email: text(email), ..ada() })).unwrap();
        assert!(profile.email.is_none() && !profile.email_verified);
        assert_eq!(profile.dropped, [Attribute::Email]);
    }
    let unreadable = ProfileFields { unusable: vec![Attribute::Image], ..ada() };
    let profile = profile(Ok(unreadable)).unwrap();
    assert_eq!(profile.verified_email().map(Email::as_str), Some("ada@example.com"));
    assert_eq!(profile.dropped, [Attribute::Image]);
}
