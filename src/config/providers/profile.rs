//! `profile`: an expression for each profile field. A field that is not written has the default of the type.

use super::kind::Type;
use crate::callbacks::{ProfileRules, Program, Subject};
use crate::config::entry::{Absent, AnyEntry, Described as _, Entry, Expression, Keys};
use crate::config::reader::Section;

static PROFILE: Entry<Keys> = Entry {
    path: "providers[].profile",
    kind: Keys,
    absent: Absent::Means(
        "of `oidc` the standard claims, of `github` those of the preset; required of `oauth2`",
    ),
    doc: "A CEL expression for each field of a user, over the provider's claims (`profile`).",
};

static ID: Entry<Expression> = Entry {
    path: "providers[].profile.id",
    kind: Expression(Subject::Profile),
    absent: Absent::Means("of `oidc` `profile.sub`"),
    doc: "The id of the person: text or a whole number that identifies them permanently.",
};

static EMAIL: Entry<Expression> = Entry {
    path: "providers[].profile.email",
    kind: Expression(Subject::Profile),
    absent: Absent::Means("of `oidc` `profile.?email`"),
    doc: "The e-mail address.",
};

static EMAIL_VERIFIED: Entry<Expression> = Entry {
    path: "providers[].profile.email_verified",
    kind: Expression(Subject::Profile),
    absent: Absent::Means("of `oidc` whether the claim `email_verified` is true, unless `email` is written"),
    doc: "True if the provider verified the e-mail address.",
};

static NAME: Entry<Expression> = Entry {
    path: "providers[].profile.name",
    kind: Expression(Subject::Profile),
    absent: Absent::Means("of `oidc` `profile.?name`"),
    doc: "The display name.",
};

static IMAGE: Entry<Expression> = Entry {
    path: "providers[].profile.image",
    kind: Expression(Subject::Profile),
    absent: Absent::Means("of `oidc` `profile.?picture`"),
    doc: "The address of a picture.",
};

pub(super) fn entries() -> Vec<AnyEntry> {
    vec![&PROFILE, &ID, &EMAIL, &EMAIL_VERIFIED, &NAME, &IMAGE]
}

/// The standard claims (`OpenID` Connect Core section 5.1).
const CLAIMS: [(&str, &str); 5] = [
    ("id", "profile.sub"),
    ("email", "profile.?email"),
    ("email_verified", VERIFIED),
    ("name", "profile.?name"),
    ("image", "profile.?picture"),
];

/// The claim, if it is the boolean true; the text `true` does not count.
const VERIFIED: &str = "profile.?email_verified.orValue(false) == true";

/// Returns the rules of a provider of this type.
pub(super) fn read(section: &mut Section, kind: Option<Type>) -> Option<ProfileRules> {
    let defaults: &[_] = match kind {
        Some(Type::Oidc) => &CLAIMS,
        Some(Type::GitHub | Type::OAuth2) => &[],
        // The type is unknown, so a missing field can't be reported.
        None => return section.take(&PROFILE).and(None),
    };
    section.section(&PROFILE, |fields| rules(fields, defaults))
}

fn rules(fields: &mut Section, defaults: &[(&str, &str)]) -> Option<ProfileRules> {
    let default = |name: &str| {
        let (_, source) = defaults.iter().find(|(field, _)| *field == name)?;
        Program::compile(Subject::Profile, source).ok()
    };
    let read = |fields: &mut Section, entry: &'static Entry<Expression>| {
        let written = fields.has(entry.key());
        let value = fields.get(entry);
        if written { value } else { default(entry.key()) }
    };
    let id = read(fields, &ID);
    let own_email = fields.has(EMAIL.key());
    let email = read(fields, &EMAIL);
    // The default of `email_verified` refers to the default e-mail address only.
    let email_verified = if own_email { fields.get(&EMAIL_VERIFIED) } else { read(fields, &EMAIL_VERIFIED) };
    let (name, image) = (read(fields, &NAME), read(fields, &IMAGE));
    if id.is_none() && fields.cx.sound(&fields.path) {
        fields.cx.fault(
            &fields.path,
            "has no id; give an expression for the person's id there, \"profile.id\", and others for email, \
             email_verified, name and image",
        );
    }
    Some(ProfileRules { id: id?, email, email_verified, name, image })
}
