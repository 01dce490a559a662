//! The one rule that cleans the attributes of a person, whether a provider, an ID token or a caller tells them. An
//! attribute that can't be used is left out; it never rejects a proven person.

use url::Url;

use crate::model::email::Email;
use crate::model::name_enum::name_enum;

/// The maximum size of a name in bytes; longer ones are cut.
const MAX_NAME: usize = 512;
/// The maximum size of a picture's URL in bytes; longer ones are dropped.
const MAX_IMAGE: usize = 2048;

name_enum!(
    /// An attribute of a person.
    Attribute {
        /// E-mail address.
        Email = "email",
        /// The flag of the e-mail address.
        EmailVerified = "email_verified",
        /// Display name.
        Name = "name",
        /// URL of a picture.
        Image = "image",
    }
);

/// The attributes of a person as told; an empty text counts as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToldAttributes {
    /// E-mail address.
    pub email: Option<String>,
    /// True if the address was verified.
    pub email_verified: bool,
    /// Display name.
    pub name: Option<String>,
    /// URL of a picture.
    pub image: Option<String>,
    /// The attributes that were told in a form that can't be read; their fields are not set.
    pub unusable: Vec<Attribute>,
}

/// The attributes of a person that are kept.
#[derive(Debug, Clone, Default)]
pub(super) struct CleanAttributes {
    pub(super) email: Option<Email>,
    pub(super) email_verified: bool,
    pub(super) name: Option<String>,
    pub(super) image: Option<String>,
    /// The attributes that were told and are not kept.
    pub(super) dropped: Vec<Attribute>,
}

impl ToldAttributes {
    /// Keeps the usable attributes.
    pub(super) fn clean(self) -> CleanAttributes {
        let mut dropped = self.unusable;
        let email = keep(&mut dropped, Attribute::Email, self.email, |text| Email::parse(&text).ok());
        let name = keep(&mut dropped, Attribute::Name, self.name, |text| name(&text));
        let image = keep(&mut dropped, Attribute::Image, self.image, image);
        CleanAttributes {
            email_verified: self.email_verified && email.is_some(),
            email,
            name,
            image,
            dropped,
        }
    }
}

/// Keeps a text in its clean form, or drops it.
fn keep<T>(
    dropped: &mut Vec<Attribute>,
    attribute: Attribute,
    told: Option<String>,
    clean: impl FnOnce(String) -> Option<T>,
) -> Option<T> {
    let told = told.filter(|text| !text.is_empty())?;
    let kept = clean(told);
    if kept.is_none() {
        dropped.push(attribute);
    }
    kept
}

/// Replaces control characters by one space, and cuts a name at the maximum size.
fn name(told: &str) -> Option<String> {
    let name = if told.contains(char::is_control) {
        let parts = told.split(char::is_control).map(str::trim).filter(|part| !part.is_empty());
        &parts.collect::<Vec<_>>().join(" ")
    } else {
        told.trim()
    };
    let name = name[..name.floor_char_boundary(MAX_NAME)].trim_end();
    (!name.is_empty()).then(|| name.to_owned())
}

/// Accepts an http or https URL. Other schemes, such as `javascript:` and `data:`, could run or hold anything.
fn image(told: String) -> Option<String> {
    let bytes = told.as_bytes();
    let has_scheme = |scheme: &str| {
        bytes.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme.as_bytes()))
    };
    let is_usable = bytes.len() <= MAX_IMAGE
        && (has_scheme("https://") || has_scheme("http://"))
        && !told.contains(char::is_control)
        && Url::parse(&told).is_ok();
    is_usable.then_some(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "every attribute may be absent")]
    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn an_email_is_canonical_and_verified_only_where_there_is_one() {
        for (told, verified, kept, is_verified, dropped) in [
            (text("Ada@Example.com"), true, Some("ada@example.com"), true, false),
            (text("Ada@Example.com"), false, Some("ada@example.com"), false, false),
            (None, true, None, false, false),
            (text(""), true, None, false, false),
            (text("jdoe"), true, None, false, true),
            (text("a@b@example.com"), true, None, false, true),
            (text(" ada@example.com"), true, None, false, true),
            (text("a@example.com, b@example.com"), true, None, false, true),
        ] {
            let told = ToldAttributes { email: told, email_verified: verified, ..Default::default() };
            let clean = told.clone().clean();
            let email = clean.email.as_ref().map(Email::as_str);
            assert_eq!((email, clean.email_verified), (kept, is_verified), "{told:?}");
            assert_eq!(clean.dropped == [Attribute::Email], dropped, "{told:?}");
        }
    }

    #[test]
    fn a_name_is_cut_between_characters_and_has_no_control_characters() {
        let name = |name: &str| ToldAttributes { name: text(name), ..Default::default() }.clean().name;
        assert_eq!(name("Ada\u{0} Love\r\nlace\u{9b}"), text("Ada Love lace"));
        assert_eq!(name("Ada\tLovelace"), text("Ada Lovelace"));
        assert_eq!(name(" Ada  Lovelace "), text("Ada  Lovelace"));
        assert_eq!(name(&"x".repeat(600)), Some("x".repeat(512)));
        assert_eq!(name(&format!("{}é", "x".repeat(511))), Some("x".repeat(511)));
        assert_eq!(name(&format!("{} y", "x".repeat(511))), Some("x".repeat(511)));
        for none in ["", " ", "\n"] {
            assert_eq!(name(none), None);
        }
    }

    #[test]
    fn an_image_is_an_http_url_of_at_most_2048_bytes() {
        let image = |image: &str| ToldAttributes { image: text(image), ..Default::default() }.clean().image;
        let longest = format!("https://a.example/{}", "x".repeat(2048 - 18));
        for kept in ["https://a.example/a.png", "http://a.example", "HTTPS://a.example/é b.png", &longest] {
            assert_eq!(image(kept), text(kept));
        }
        for none in [
            "",
            &format!("{longest}x"),
            "https://a.example/\n",
            "javascript:alert(1)",
            "data:image/png;base64,AAAA",
            "/a.png",
            "a.png",
            "http:a.example",
            "https://",
            "https:\\\\a.example",
            " https://a.example",
            "ftp://a.example/a.png",
        ] {
            assert_eq!(image(none), None, "{none}");
        }
    }

    #[test]
    fn what_is_dropped_is_told_once() {
        let told = ToldAttributes {
            email: text("jdoe"),
            name: text("\n"),
            image: text("javascript:x"),
            unusable: vec![Attribute::EmailVerified],
            ..Default::default()
        };
        let dropped = [Attribute::EmailVerified, Attribute::Email, Attribute::Name, Attribute::Image];
        assert_eq!(told.clean().dropped, dropped);
        assert!(ToldAttributes { email: text(""), ..Default::default() }.clean().dropped.is_empty());
    }
}
