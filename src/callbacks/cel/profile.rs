//! Reads a profile by an expression for each field, over the claims of the provider. All expressions share one budget,
//! and a failure names only the field.

use super::answer::{flag, id, text};
use super::budget::Budget;
use super::inputs::{Inputs, Run};
use super::program::Program;
use crate::model::ClaimMap;
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
        let run = Run { inputs: Inputs::Profile(profile), now: None, budget: Budget::new() };
        let failed = |field: &str, cause: &str| format!("profile.{field}: {cause}");
        let told = |field: &str, program: Option<&Program>| match program {
            Some(program) => program.evaluate(&run, text).map_err(|cause| failed(field, &cause)),
            None => Ok(None),
        };
        let email_verified = match &self.email_verified {
            Some(program) => {
                program.evaluate(&run, flag).map_err(|cause| failed("email_verified", &cause))?
            }
            None => false,
        };
        Ok(ProfileFields {
            id: self.id.evaluate(&run, id).map_err(|cause| failed("id", &cause))?,
            email: told("email", self.email.as_ref())?,
            email_verified,
            name: told("name", self.name.as_ref())?,
            image: told("image", self.image.as_ref())?,
        })
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
            ("profile.v", "null", "profile.email_verified: must return true, false or null, not string"),
            ("false", "profile.n", "profile.name: must return text or null, not int"),
            (
                "profile.sub > 1",
                "null",
                "profile.email_verified: found no matching overload for '_>_' applied to '(string, int)'",
            ),
        ] {
            let told = rules(email_verified, name).read(&claims(json!("s3cret"))).unwrap_err();
            assert!(!told.contains("s3cret"));
            assert_eq!(told, wanted);
        }
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
