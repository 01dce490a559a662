//! Reads a profile by an expression for each field, over the claims of the provider. All expressions share one budget.
//! Only the id must be readable: another expression that fails leaves its field out.

use super::answer::{flag, id, text};
use super::inputs::{Inputs, Run};
use super::program::Program;
use crate::model::{Attribute, ClaimMap};
use crate::oauth::{ProfileFields, ReadProfile};

/// An expression for each field, compiled as [`Subject::Profile`](super::Subject); a field without one is never set.
#[derive(Debug, Clone)]
pub struct ProfileRules {
    /// Returns the person's id: a text, or a whole number.
    pub id: Program,
    /// Returns the e-mail address, or null.
    pub email: Option<Program>,
    /// Returns true if the provider verified the address.
    pub email_verified: Option<Program>,
    /// Returns the display name, or null.
    pub name: Option<Program>,
    /// Returns the URL of a picture, or null.
    pub image: Option<Program>,
}

impl ReadProfile for ProfileRules {
    fn read(&self, profile: &ClaimMap) -> Result<ProfileFields, String> {
        let others = [&self.email, &self.email_verified, &self.name, &self.image];
        let steps = others.into_iter().flatten().chain([&self.id]).map(Program::steps).sum();
        let run = Run::new(Inputs::Profile(profile), None, steps);
        // The id comes first: it must not pay for the others.
        let id = self.id.evaluate(&run, id).map_err(|cause| format!("profile.id: {cause}"))?;
        let mut unusable = Vec::new();
        let email_verified =
            told(&run, Attribute::EmailVerified, self.email_verified.as_ref(), flag, &mut unusable);
        let mut text_of = |attribute, program| told(&run, attribute, program, text, &mut unusable).flatten();
        Ok(ProfileFields {
            id,
            email: text_of(Attribute::Email, self.email.as_ref()),
            email_verified: email_verified.unwrap_or(false),
            name: text_of(Attribute::Name, self.name.as_ref()),
            image: text_of(Attribute::Image, self.image.as_ref()),
            unusable,
        })
    }
}

/// Reads an attribute; one whose expression fails is absent, and noted as unusable.
fn told<T>(
    run: &Run<'_>,
    attribute: Attribute,
    program: Option<&Program>,
    read: impl FnOnce(cel::Value) -> Result<T, String>,
    unusable: &mut Vec<Attribute>,
) -> Option<T> {
    match program?.evaluate(run, read) {
        Ok(value) => Some(value),
        Err(cause) => {
            tracing::debug!(attribute = attribute.name(), cause, "an expression of a profile failed");
            unusable.push(attribute);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::inputs::Subject;
    use super::*;
    use serde_json::{Value, json};

    fn program(source: &str) -> Program {
        Program::compile(Subject::Profile, source).unwrap_or_else(|faults| panic!("{source}\n{faults:?}"))
    }

    /// Reads a profile with this expression for `id`.
    fn read(source: &str, profile: &Value) -> Result<Option<String>, String> {
        let rules =
            ProfileRules { id: program(source), email: None, email_verified: None, name: None, image: None };
        rules.read(profile.as_object().unwrap()).map(|fields| fields.id)
    }

    #[test]
    fn an_id_is_a_text_or_a_whole_number() {
        let profile = json!({"text": "a", "int": 583_231, "uint": u64::MAX, "empty": "", "nil": null, "real": 1.5, "list": ["s3cret"]});
        for (source, wanted) in [
            ("profile.text", Some("a")),
            ("profile.int", Some("583231")),
            ("profile.uint", Some("18446744073709551615")),
            ("profile.empty", None),
            ("profile.nil", None),
            ("profile.?nothing", None),
            ("profile.?text", Some("a")),
            ("profile[?'int']", Some("583231")),
            ("profile.text + ':' + string(profile.int)", Some("a:583231")),
        ] {
            assert_eq!(read(source, &profile).unwrap().as_deref(), wanted, "{source}");
        }
        for (source, wanted) in [
            ("profile.nothing", "profile.id: no such key: nothing"),
            ("profile.real", "profile.id: must return text, a whole number or null, not double"),
            ("profile.list", "profile.id: must return text, a whole number or null, not list"),
            ("profile.list[0] == 's3cret'", "profile.id: must return text, a whole number or null, not bool"),
            ("profile", "profile.id: must return text, a whole number or null, not map"),
        ] {
            assert_eq!(read(source, &profile).unwrap_err(), wanted, "{source}");
        }
    }

    #[test]
    fn only_true_is_true_and_other_fields_are_texts() {
        let rules = |email_verified, name| ProfileRules {
            id: program("profile.sub"),
            email: Some(program("profile.?email")),
            email_verified: Some(program(email_verified)),
            name: Some(program(name)),
            image: None,
        };
        let claims = |verified: Value| {
            let Value::Object(map) = json!({"sub": "1", "email": "a@b.c", "v": verified, "n": 7}) else {
                panic!()
            };
            map
        };
        for (source, value, verified) in [
            ("profile.?v", json!(true), true),
            ("profile.?v", json!(false), false),
            ("profile.?v", json!(null), false),
            ("profile.?w", json!(true), false),
            ("profile.?v.orValue(false) == true", json!("true"), false),
            ("profile.?v.orValue(false) == true", json!(1), false),
            ("profile.?v.orValue(false) == true", json!([true]), false),
            ("profile.?v.orValue(false) == true", json!({"a": true}), false),
            ("profile.?v.orValue(false) == true", json!(true), true),
        ] {
            let fields = rules(source, "null").read(&claims(value.clone()));
            let wanted = ProfileFields {
                id: Some("1".to_owned()),
                email: Some("a@b.c".to_owned()),
                email_verified: verified,
                ..ProfileFields::default()
            };
            assert_eq!(fields, Ok(wanted), "{source} {value}");
        }
        for (email_verified, name, wanted) in [
            ("profile.v", "null", Attribute::EmailVerified),
            ("false", "profile.n", Attribute::Name),
            ("profile.sub > 1", "null", Attribute::EmailVerified),
            ("profile.nothing", "null", Attribute::EmailVerified),
        ] {
            let fields = rules(email_verified, name).read(&claims(json!("true"))).unwrap();
            assert_eq!((fields.unusable, fields.email_verified), (vec![wanted], false));
            assert_eq!((fields.email.as_deref(), fields.name), (Some("a@b.c"), None));
        }
    }

    #[test]
    fn an_expression_that_costs_too_much_leaves_the_id_as_it_is() {
        let rules = ProfileRules {
            id: program("profile.sub"),
            email: Some(program("profile.l.map(x, profile.l.map(y, x + y)).size() > 0 ? profile.email : ''")),
            email_verified: Some(program("true")),
            name: Some(program("profile.?name")),
            image: None,
        };
        let claims = json!({"sub": "1", "email": "a@b.c", "name": "Ada", "l": vec!["x"; 600]});
        let fields = rules.read(claims.as_object().unwrap()).unwrap();
        assert_eq!(fields.id.as_deref(), Some("1"));
        assert_eq!((fields.email, fields.name), (None, None));
        assert_eq!(fields.unusable, [Attribute::Email, Attribute::Name]);
    }

    #[test]
    fn a_profile_is_all_that_there_is_and_costs_one_budget() {
        for source in ["now", "user.id", "account.id", "token"] {
            Program::compile(Subject::Profile, source).expect_err(source);
        }
        let many = json!({"l": vec!["x"; 600]});
        let told = read("string(profile.l.map(x, profile.l.map(y, x + y)).size())", &many).unwrap_err();
        assert_eq!(told, format!("profile.id: {}", super::super::budget::TOO_COSTLY));
    }
}
