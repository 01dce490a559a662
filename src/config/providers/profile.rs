//! `profile`: an expression for each of our fields. A field that is not written has the default of the type.

use super::kind::Type;
use crate::callbacks::{ProfileRules, Program, Subject};
use crate::config::read::Section;

/// The standard claims (`OpenID` Connect Core section 5.1).
const CLAIMS: [(&str, &str); 5] = [
    ("id", "profile.sub"),
    ("email", "profile.?email"),
    ("email_verified", VERIFIED),
    ("name", "profile.?name"),
    ("image", "profile.?picture"),
];

/// A claim that is true, and not one that is called so.
const VERIFIED: &str = "profile.?email_verified.orValue(false) == true";

/// The rules of a provider of this type.
pub(super) fn read(section: &mut Section, kind: Option<Type>) -> Option<ProfileRules> {
    match kind {
        Some(Type::Oidc) => section.section("profile", |fields| rules(fields, &CLAIMS)),
        Some(Type::GitHub | Type::OAuth2) => section.section("profile", |fields| rules(fields, &[])),
        // Of what type it is can't be told: nor what would be missing.
        None => section.take("profile").and(None),
    }
}

fn rules(fields: &mut Section, defaults: &[(&str, &str)]) -> Option<ProfileRules> {
    let default = |name: &str| {
        let (_, source) = defaults.iter().find(|(field, _)| *field == name)?;
        Program::compile(Subject::Profile, source).ok()
    };
    let read = |fields: &mut Section, name: &'static str| match fields.take(name) {
        Some(setting) => setting.program(Subject::Profile),
        None => default(name),
    };
    let id = read(fields, "id");
    let (email, email_verified) = match fields.take("email") {
        // The default tells of the default's e-mail whether that is verified.
        Some(setting) => {
            let verified = fields.read("email_verified", |setting| setting.program(Subject::Profile));
            (setting.program(Subject::Profile), verified)
        }
        None => (default("email"), read(fields, "email_verified")),
    };
    let (name, image) = (read(fields, "name"), read(fields, "image"));
    if id.is_none() && fields.cx.sound(&fields.path) {
        fields.cx.fault(
            &fields.path,
            "has no id; give an expression for the person's id there, \"profile.id\", and others for email, \
             email_verified, name and image",
        );
    }
    Some(ProfileRules { id: id?, email, email_verified, name, image })
}
