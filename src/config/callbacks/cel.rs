//! `callbacks.cel`: an expression for `sign_in`, one for `redirect`, and one for each claim of `jwt` and `session`.

use crate::auth::Callback;
use crate::callbacks::{CelRules, Program, Subject};
use crate::config::entry::{Absent, AnyEntry, Entry, Expression, Keys, Kind, Shape, Shaped};
use crate::config::reader::{Section, Setting};
use crate::model::{ClaimFault, claims};

/// The maximum number of claims of `jwt`, and of `session`.
const MAX_CLAIMS: usize = 64;

pub(super) static CEL: Entry<Keys> = Entry {
    path: "callbacks.cel",
    kind: Keys,
    absent: Absent::Default("{}"),
    doc: "Callbacks as CEL expressions.",
};

static SIGN_IN: Entry<Expression> = Entry {
    path: "callbacks.cel.sign_in",
    kind: Expression(Subject::Callback(Callback::SignIn)),
    absent: Absent::Means("every sign-in is allowed"),
    doc: "The decision about a sign-in: true, false, or the URL that the user is sent to instead.",
};

static JWT: Entry<ByClaim> = Entry {
    path: "callbacks.cel.jwt",
    kind: ByClaim(Expression(Subject::Callback(Callback::Jwt))),
    absent: Absent::Means("no claims are added"),
    doc: "The claims that are added to tokens, an expression for each.",
};

static SESSION: Entry<ByClaim> = Entry {
    path: "callbacks.cel.session",
    kind: ByClaim(Expression(Subject::Callback(Callback::Session))),
    absent: Absent::Means("no claims are added"),
    doc: "The claims that are added to what GetSession returns, an expression for each.",
};

static REDIRECT: Entry<Expression> = Entry {
    path: "callbacks.cel.redirect",
    kind: Expression(Subject::Callback(Callback::Redirect)),
    absent: Absent::Means("the redirect rule decides"),
    doc: "The target of a redirect.",
};

pub(super) fn entries() -> Vec<AnyEntry> {
    vec![&CEL, &SIGN_IN, &JWT, &SESSION, &REDIRECT]
}

pub(super) fn read(section: &mut Section) -> CelRules {
    CelRules {
        sign_in: section.get(&SIGN_IN),
        jwt: section.get(&JWT).unwrap_or_default(),
        session: section.get(&SESSION).unwrap_or_default(),
        redirect: section.get(&REDIRECT),
    }
}

/// An expression for each claim.
struct ByClaim(Expression);

impl Shaped for ByClaim {
    fn shape(&self) -> Shape {
        Shape::Map { most: MAX_CLAIMS, value: Box::new(self.0.shape()) }
    }
}

impl Kind for ByClaim {
    type Value = Vec<(String, Program)>;

    fn read(&self, setting: Setting) -> Option<Self::Value> {
        let (cx, path) = (setting.cx, setting.path.clone());
        let entries = setting.entries()?;
        if entries.len() > MAX_CLAIMS {
            cx.fault(&path, format!("must have at most {MAX_CLAIMS} claims, not {}", entries.len()));
            return None;
        }
        let mut programs = Vec::with_capacity(entries.len());
        for (name, setting) in entries {
            match claims::check_name(&name) {
                Ok(()) => {}
                Err(ClaimFault::Reserved(_)) => {
                    setting.refuse::<()>("is a claim that only Gatepass sets; choose another name");
                }
                Err(fault) => drop(setting.refuse::<()>(fault.to_string())),
            }
            programs.extend(self.0.read(setting).map(|program| (name, program)));
        }
        Some(programs)
    }
}

#[cfg(test)]
mod tests {
    use crate::config::load::assemble;
    use crate::config::{Config, Faults};

    fn read(yaml: &str, env: &[(&str, &str)]) -> Result<Config, Faults> {
        let env = env.iter().map(|&(name, value)| (name.to_owned(), value.into())).collect();
        assemble(Some(("g.yaml".to_owned(), Ok(yaml.as_bytes().to_vec().into()))), env)
    }

    #[track_caller]
    fn refused(yaml: &str, env: &[(&str, &str)]) -> String {
        read(yaml, env).expect_err(yaml).to_string()
    }

    fn names(config: &Config) -> Vec<&str> {
        config.callbacks.cel.jwt.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn expressions_are_texts_by_callback_and_by_claim() {
        let yaml = "callbacks:
  cel:
    sign_in: profile.email_verified
    jwt:
      plan: |
        user.role == 'admin'
          ? 1 : 2
      team: >-
        profile.?team
        .orValue('x')
    session: {greeting: \"'Hello'\"}
    redirect: url
";
        let cel = read(yaml, &[]).unwrap().callbacks.cel;
        assert!(cel.sign_in.is_some() && cel.redirect.is_some());
        assert_eq!((cel.jwt.len(), cel.session.len()), (2, 1));
        let nothing = read("callbacks: {cel: {jwt: {}}}", &[]).unwrap().callbacks.cel;
        assert!(nothing.sign_in.is_none() && nothing.jwt.is_empty());
    }

    #[test]
    fn variables_set_one_or_all() {
        let yaml = "callbacks: {cel: {jwt: {a: '1', b: '2'}}}";
        let one = read(
            yaml,
            &[("GATEPASS_CALLBACKS__CEL__JWT__B", "user.role"), ("GATEPASS_CALLBACKS__CEL__JWT__C", "3")],
        );
        assert_eq!(names(&one.unwrap()), ["a", "b", "c"]);
        let all = read(yaml, &[("GATEPASS_CALLBACKS__CEL__JWT", "{plan: \"user.role\", D: '4'}")]).unwrap();
        assert_eq!(names(&all), ["plan", "D"]);
        let sign_in = read(yaml, &[("GATEPASS_CALLBACKS__CEL__SIGN_IN", "user.role == 'admin'")]).unwrap();
        assert!(sign_in.callbacks.cel.sign_in.is_some());
        for (name, value, report) in [
            ("SIGN_IN", "usr", "sign_in: column 1: unknown variable \"usr\"; did you mean \"user\"?"),
            (
                "SIGN_IN",
                "true\n&& usr",
                "sign_in: line 2, column 4: unknown variable \"usr\"; did you mean \"user\"?",
            ),
            ("SIGN_IN", "", "sign_in: must not be empty"),
            ("JWT", "user.role", "jwt: must be a section of keys, not text"),
            ("JWT", "{plan: usr}", "jwt.plan: column 1: unknown variable \"usr\"; did you mean \"user\"?"),
            ("JWT__SUB", "1", "jwt.sub: is a claim that only Gatepass sets; choose another name"),
        ] {
            let name = format!("GATEPASS_CALLBACKS__CEL__{name}");
            assert_eq!(refused("", &[(&name, value)]), format!("{name}: callbacks.cel.{report}"));
        }
    }

    #[test]
    fn a_variable_sets_the_claim_of_the_file_that_is_written_with_capitals() {
        let name = "GATEPASS_CALLBACKS__CEL__JWT__TENANTID";
        let loaded = |claims: &str, value: &str| {
            read(&format!("callbacks: {{cel: {{jwt: {{{claims}}}}}}}"), &[(name, value)])
        };
        assert_eq!(names(&loaded("tenantId: usr", "'gold'").unwrap()), ["tenantId"]);
        let both = loaded("tenantId: \"'basic'\", tenantid: usr", "'gold'").unwrap();
        assert_eq!(names(&both), ["tenantId", "tenantid"]);
        assert_eq!(names(&loaded("tenant_id: '1'", "'gold'").unwrap()), ["tenant_id", "tenantid"]);
        assert_eq!(
            loaded("tenantId: '1', tenantID: '2'", "'gold'").unwrap_err().to_string(),
            format!(
                "{name}: callbacks.cel.jwt.tenantid: is the name of several keys there, which differ only in case; keep \
                 one, or set the whole section"
            )
        );
    }

    #[test]
    fn faults_have_the_line_of_the_file_where_that_is_known() {
        let wrong = "unknown variable \"usr\"; did you mean \"user\"?";
        for (yaml, wanted) in [
            ("callbacks: {cel: {sign_in: usr}}", "g.yaml:1: callbacks.cel.sign_in: column 1: "),
            (
                "callbacks:\n  cel:\n    sign_in: \"true && usr\"",
                "g.yaml:3: callbacks.cel.sign_in: column 9: ",
            ),
            (
                "callbacks:\n  cel:\n    sign_in:\n      true && usr",
                "g.yaml:4: callbacks.cel.sign_in: column 9: ",
            ),
            ("callbacks:\n  cel:\n    sign_in: |\n      usr", "g.yaml:4: callbacks.cel.sign_in: column 1: "),
            (
                "callbacks:\n  cel:\n    sign_in: |\n\n      true\n        && usr",
                "g.yaml:6: callbacks.cel.sign_in: column 6: ",
            ),
            (
                "callbacks:\n  cel:\n    sign_in: |-\n      true &&\n\n      usr\n\n",
                "g.yaml:6: callbacks.cel.sign_in: column 1: ",
            ),
            // Folded lines, or an alias: the key's line, and the place in the text.
            (
                "callbacks:\n  cel:\n    sign_in: >-\n      true\n      && usr",
                "g.yaml:3: callbacks.cel.sign_in: column 9: ",
            ),
            (
                "callbacks:\n  cel:\n    sign_in: \"true &&\\n  usr\"",
                "g.yaml:3: callbacks.cel.sign_in: line 2, column 3: ",
            ),
            (
                "issuer: &x usr\ncallbacks:\n  cel: {sign_in: *x}",
                "g.yaml:3: callbacks.cel.sign_in: column 1: ",
            ),
            (
                "callbacks:\n  cel:\n    jwt:\n      a: '1'\n      b: |\n        usr",
                "g.yaml:6: callbacks.cel.jwt.b: column 1: ",
            ),
        ] {
            let report = refused(yaml, &[]);
            let found = report.lines().find(|line| line.contains("cel")).unwrap_or_default();
            assert_eq!(found, format!("{wanted}{wrong}"), "{yaml}");
        }
    }

    #[test]
    fn all_faults_are_reported_together_with_those_of_other_sections() {
        let yaml = "sesion: {}
callbacks:
  cel:
    sign_in: |
      usr.role == 'x'
        && user.nam == 'y'
    jwt:
      sub: user.id
      \"\": '1'
      a: 5
      a: '6'
      b: profile.?x +
    session:
      c: account.id
    redirects: url
session: {max_age: never}
";
        let report = refused(yaml, &[]);
        let wanted = [
            "g.yaml:1: sesion: unknown key; did you mean \"session\"?",
            "g.yaml:5: callbacks.cel.sign_in: column 1: unknown variable \"usr\"; did you mean \"user\"?",
            "g.yaml:6: callbacks.cel.sign_in: column 10: user has no field \"nam\"; did you mean \"name\"?",
            "g.yaml:8: callbacks.cel.jwt.sub: is a claim that only Gatepass sets; choose another name",
            "g.yaml:9: callbacks.cel.jwt.: a claim's name has 1 to 128 bytes and no control characters",
            "g.yaml:10: callbacks.cel.jwt.a: must be text, not a number; put it in quotes",
            "g.yaml:11: callbacks.cel.jwt.a: given twice; keep one",
            "g.yaml:12: callbacks.cel.jwt.b: column 13: is not valid CEL:",
            "g.yaml:14: callbacks.cel.session.c: column 1: unknown variable \"account\"; write one of session, user, token, now",
            "g.yaml:15: callbacks.cel.redirects: unknown key; did you mean \"redirect\"?",
            "g.yaml:16: session.max_age: must be",
        ];
        let found: Vec<_> = report.lines().collect();
        assert_eq!(found.len(), wanted.len(), "{report}");
        for (found, wanted) in found.into_iter().zip(wanted) {
            assert!(found.starts_with(wanted), "{found}\n{wanted}");
        }
    }

    #[test]
    fn an_expression_misread_by_yaml_is_reported() {
        for (yaml, wanted) in [
            (
                "callbacks:\n  cel:\n    sign_in: is_new_user ? 'a' : true",
                "g.yaml:3: is not valid YAML for a configuration: mapping values are not allowed in this context; put text \
                 with \": \" in it in quotes",
            ),
            (
                "callbacks:\n  cel:\n    sign_in: true",
                "g.yaml:3: callbacks.cel.sign_in: must be text, not true or false; put it in quotes",
            ),
            (
                "callbacks:\n  cel:\n    sign_in: !profile.x",
                "g.yaml:3: YAML tags are not supported; put text that begins with \"!\" in quotes",
            ),
        ] {
            assert_eq!(refused(yaml, &[]), wanted);
        }
    }

    #[test]
    fn the_number_of_claims_is_limited() {
        let claims: Vec<_> = (0..65).map(|n| format!("c{n}: '1'")).collect();
        let yaml = format!("callbacks: {{cel: {{session: {{{}}}}}}}", claims.join(", "));
        assert_eq!(
            refused(&yaml, &[]),
            "g.yaml:1: callbacks.cel.session: must have at most 64 claims, not 65"
        );
    }
}
