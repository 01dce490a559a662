//! `claims`: the types of the claims that callbacks add.

use super::entry::{Absent, Entry, Kind, List, Parsed, Shape, Shaped, Text};
use super::reader::{Setting, Value};
use crate::model::{ClaimFault, ClaimType, ClaimTypes, DeclaredClaim, claims};

/// The maximum number of declared claims.
const MAX_CLAIMS: usize = 64;

pub(super) static CLAIMS: Entry<Types> = Entry {
    path: "claims",
    kind: Types,
    absent: Absent::Default("{}"),
    doc: "The types of the claims that callbacks add: `string`, `bool`, `int`, `double`, `timestamp`, `list<…>`, `map<…>` or \
          `{enum: […]}`; with `?` (`int?`, `{enum?: […]}`) for one that may be missing. If none is declared, any claim may be \
          added.",
};

const VALUES: List<Text<String>> = List {
    least: 1,
    most: 64,
    item: Text { what: "1 to 128 bytes of printable text", pattern: None, parse: value },
    empty: None,
};

/// A type for each claim.
pub(super) struct Types;

impl Shaped for Types {
    fn shape(&self) -> Shape {
        let written = Shape::Text { what: "type of a claim", pattern: None };
        let values = Shape::Fields { names: vec!["enum", "enum?"], value: Box::new(VALUES.shape()) };
        Shape::Map { most: MAX_CLAIMS, value: Box::new(Shape::Either(Box::new(written), Box::new(values))) }
    }
}

impl Kind for Types {
    type Value = ClaimTypes;

    fn read(&self, setting: Setting) -> Option<ClaimTypes> {
        let (cx, path) = (setting.cx, setting.path.clone());
        let entries = setting.entries()?;
        if entries.len() > MAX_CLAIMS {
            cx.fault(&path, format!("must have at most {MAX_CLAIMS} claims, not {}", entries.len()));
            return None;
        }
        let read = entries.into_iter().map(|(name, setting)| declared(name, setting));
        // Every fault is found before the first one stops.
        let claims: Vec<_> = read.collect();
        claims.into_iter().collect::<Option<Vec<_>>>().map(ClaimTypes::new)
    }
}

fn declared(name: String, setting: Setting) -> Option<DeclaredClaim> {
    match claims::check_name(&name) {
        Ok(()) => {}
        Err(ClaimFault::Reserved(_)) => {
            return setting.refuse("is a claim that only Gatepass sets; choose another name");
        }
        Err(fault) => return setting.refuse(fault.to_string()),
    }
    let (cx, path) = (setting.cx, setting.path.clone());
    let (kind, optional) = claim_type(setting)?;
    let fits = match name.as_str() {
        "scope" => matches!(kind, ClaimType::String | ClaimType::Enum(_)),
        "roles" | "groups" | "entitlements" => matches!(kind, ClaimType::List(_)),
        _ => true,
    };
    if !fits {
        let wanted = if name == "scope" { "string" } else { "list<…>" };
        cx.fault(&path, format!("must be {wanted}, as RFC 9068 section 2.2.3 has it"));
        return None;
    }
    Some(DeclaredClaim { name, kind, optional })
}

fn claim_type(setting: Setting) -> Option<(ClaimType, bool)> {
    let setting = setting.flow_if("{", "{enum: […]}")?;
    if !matches!(setting.value, Value::Map(_)) {
        let text = setting.text()?;
        return ClaimType::parse(&text).map_err(|fault| setting.refuse::<()>(fault)).ok();
    }
    let (cx, path) = (setting.cx, setting.path.clone());
    let mut entries = setting.entries()?.into_iter();
    match (entries.next(), entries.next()) {
        (Some((key, values)), None) if key == "enum" || key == "enum?" => {
            VALUES.read(values).map(|values| (ClaimType::Enum(values), key.ends_with('?')))
        }
        _ => {
            cx.fault(&path, "must be a type, or {enum: […]} with the values of one");
            None
        }
    }
}

fn value(text: &str) -> Parsed<String> {
    if text.len() > 128 || text.chars().any(char::is_control) {
        return Err("must have at most 128 bytes and no control characters".into());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use crate::config::load::assemble;
    use crate::config::{Config, Faults};
    use crate::model::ClaimType;

    fn read(yaml: &str) -> Result<Config, Faults> {
        assemble(
            Some(("g.yaml".to_owned(), Ok(yaml.as_bytes().to_vec().into()))),
            std::collections::BTreeMap::new(),
        )
    }

    fn faults(yaml: &str) -> Vec<String> {
        read(yaml).unwrap_err().to_string().lines().map(str::to_owned).collect()
    }

    #[test]
    fn claims_are_declared_in_their_order() {
        let config = read(
            "claims: {z: string, a: 'list<int>?', tier: {enum: [free, pro]}, mood: {enum?: [good]}, groups: list<string>}",
        );
        let config = config.unwrap();
        let told: Vec<_> = config
            .claims
            .iter()
            .map(|claim| format!("{} {} {}", claim.name, claim.kind, claim.optional))
            .collect();
        let wanted =
            ["z string false", "a list<int> true", "tier one of free, pro false", "mood one of good true"];
        assert_eq!(told[..4], wanted);
        assert_eq!(config.claims.iter().last().unwrap().kind, ClaimType::List(Box::new(ClaimType::String)));
        assert!(read("").unwrap().claims.is_empty() && read("claims: {}").unwrap().claims.is_empty());
    }

    #[test]
    fn each_fault_is_told_with_what_to_write() {
        let yaml = "claims:
  a: strin
  sub: string
  scope: list<string>
  roles: string
  b: {enum: []}
  c: {enum: [x, x]}
  d: {of: [x]}
  e: 7
  f:
";
        let told = faults(yaml);
        for (line, wanted) in [
            (
                2,
                "claims.a: must be string, bool, int, double, timestamp, list<…>, map<…> or {enum: […]}, with a ? at its end if it may be missing; did you mean \"string\"?",
            ),
            (3, "claims.sub: is a claim that only Gatepass sets; choose another name"),
            (4, "claims.scope: must be string, as RFC 9068 section 2.2.3 has it"),
            (5, "claims.roles: must be list<…>, as RFC 9068 section 2.2.3 has it"),
            (6, "claims.b.enum: must have 1 to 64 entries, not 0"),
            (7, "claims.c.enum[1]: given twice; keep one"),
            (8, "claims.d: must be a type, or {enum: […]} with the values of one"),
            (9, "claims.e: must be text, not a number; put it in quotes"),
        ] {
            let wanted = format!("g.yaml:{line}: {wanted}");
            assert!(told.contains(&wanted), "{wanted}\n{told:#?}");
        }
        assert_eq!(told.len(), 9, "{told:#?}");
    }

    #[test]
    fn what_the_configuration_itself_sets_is_declared() {
        let yaml = "claims: {plan: string}
session: {update_allow: [plan, theme]}
callbacks:
  cel:
    jwt: {plan: \"'x'\", pla: \"'x'\"}
    session: {greeting: \"'x'\"}
";
        assert_eq!(
            faults(yaml),
            [
                "g.yaml:2: session.update_allow[1]: is not declared in claims; give its type there",
                "g.yaml:5: callbacks.cel.jwt.pla: is not declared in claims; did you mean \"plan\"?",
                "g.yaml:6: callbacks.cel.session.greeting: is not declared in claims; give its type there",
            ]
        );
    }
}
