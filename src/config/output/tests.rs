//! The documents generated from the entries, compared with the values that are read.

use super::*;
use crate::config::Config;
use crate::config::entries;
use crate::config::entry::{Absent, Described, Shape};
use crate::config::load::{assemble, read};
use crate::config::reader::{Context, Faults};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// A configuration with something of every section, and no secret.
const WHOLE: &str = "server:
  tls: {cert: a.crt, key: {file: a.key}, client_ca: ca.crt}
  reflection: false
database: {max_connections: 4}
issuer: https://auth.example.com
base_urls: [https://app.example.com, 'https://*.example.com']
tokens: {signing_keys: [a.pem, {file: b.pem, algorithm: RS256}], user_claims: []}
session: {max_age: 1h, update_allow: ['#colour', \"it's:odd\", '5', 'true', '-', 'a:']}
sign_in: {allowed_email_domains: [example.com], denied_url: /no}
callbacks:
  cel:
    sign_in: |
      profile.email_verified
        ? true : false
    jwt: {tenantId: \"'x'\", 'a.b': \"'5'\"}
  remote:
    url: https://rules.example
    callbacks: [session, redirect]
    timeout: {session: 100ms}
    on_failure: allow
    tls: {ca: ca.crt, cert: tls.crt, key: tls.key, domain_name: rules.internal}
    session_cache_ttl: 5s
providers:
  - {id: google, client_id: a}
  - {id: okta, client_id: a, domain: x.okta.com, link_by_verified_email: true}
  - {id: github, client_id: a, token_endpoint_auth_method: none, enterprise_url: 'https://git.example'}
  - id: forge
    type: oauth2
    client_id: '5'
    authorization_url: https://f.example/a
    token_url: https://f.example/t
    userinfo_url: https://f.example/u
    profile: {id: profile.id}
    authorization_params: {prompt: 'yes'}
callers:
  - {id: a, credential: {mtls_san: web}, allow: [sign_in.assert], assert_providers: [github]}
  - {id: b, credential: [{mtls_san: shop}, {mtls_san: api}], allow: [sign_in]}
auth_log: {exclude: []}
telemetry: {log_format: json}
";

fn load(yaml: &str) -> Result<Config, Faults> {
    load_with(yaml, &[])
}

fn load_with(yaml: &str, env: &[(&str, &str)]) -> Result<Config, Faults> {
    assemble(Some(("g.yaml".to_owned(), Ok(yaml.as_bytes().to_vec().into()))), variables(env))
}

fn variables(env: &[(&str, &str)]) -> BTreeMap<String, OsString> {
    env.iter().map(|&(name, value)| (name.to_owned(), value.into())).collect()
}

/// Checks that printed YAML is read back as the same configuration and prints the same; returns the print.
#[track_caller]
fn prints_itself(config: &Config) -> String {
    let printed = config.print();
    let again = load(&printed).unwrap_or_else(|faults| panic!("{printed}\n{faults}"));
    assert_eq!(format!("{again:?}"), format!("{config:?}"), "{printed}");
    assert_eq!(again.print(), printed);
    printed
}

#[test]
fn every_setting_that_is_read_is_listed_and_every_listed_one_is_read() {
    let listed: BTreeSet<_> = entries::all().into_iter().map(Described::path).collect();
    assert_eq!(listed.len(), entries::all().len(), "each has a path of its own");
    let cx = Context::new(BTreeMap::new());
    let both = "[{preset: keycloak}, {preset: github}]";
    let yaml = format!(
        "server: {{tls: {{}}}}\ncallbacks: {{remote: {{tls: {{}}}}}}\ntokens: {{signing_keys: [{{}}]}}\n\
         callers: [{{credential: {{}}}}]\nproviders: {both}"
    );
    read(Some((String::new(), Ok(yaml.into_bytes().into()))), &cx);
    let asked = cx.asked.take();
    assert_eq!(asked, listed);
}

#[test]
fn every_setting_is_documented_in_whole_sentences() {
    for entry in entries::all() {
        let (path, doc) = (entry.path(), entry.doc());
        assert!(doc.starts_with(|c: char| c.is_uppercase()) && doc.ends_with('.'), "{path}: {doc}");
        assert!(!doc.contains('|') && !doc.contains('\n') && !doc.contains("  "), "{path}: {doc}");
        if let Absent::Default(_) = entry.absent() {
            assert!(entry.default().is_some(), "{path}");
        }
    }
}

#[test]
fn the_example_is_the_default_configuration() {
    let example = example();
    let read = load(&example).unwrap_or_else(|faults| panic!("{example}\n{faults}"));
    let default = load("").unwrap();
    assert_eq!(format!("{read:?}"), format!("{default:?}"));
    assert_eq!(read.print(), default.print());
    for entry in entries::all() {
        let key = format!("{}:", entry.key());
        let is_key = |line: &str| line.trim_start_matches(['#', ' ']).starts_with(&key);
        assert!(example.lines().any(is_key), "{}\n{example}", entry.path());
    }
}

#[test]
fn the_comments_of_the_example_are_valid_yaml() {
    let lines = example().lines().map(shown).collect::<Vec<_>>().join("\n");
    let faults = load(&lines).unwrap_err().to_string();
    assert!(!faults.contains("YAML") && !faults.contains("unknown key"), "{lines}\n{faults}");
}

/// Returns a line of the example without its comment sign, if it holds a setting. It returns nothing for a list that is
/// empty by default, since its items follow.
fn shown(line: &str) -> String {
    let setting = line.strip_prefix("# ").filter(|rest| {
        let key = rest.trim_start().split(':').next().unwrap_or_default();
        key == "-" || key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    });
    let empty = ["signing_keys: []", "providers: []", "callers: []"].contains(&line.trim());
    if empty { String::new() } else { setting.unwrap_or(line).to_owned() }
}

#[test]
fn the_reference_has_a_row_for_each_setting() {
    let reference = reference();
    for entry in entries::all() {
        let is_fixed = matches!((entry.shape(), entry.absent()), (Shape::Section, Absent::Default(_)));
        let rows = reference.lines().filter(|line| line.starts_with(&format!("| `{}` |", entry.path())));
        assert_eq!(rows.count(), usize::from(!is_fixed), "{}", entry.path());
    }
    for row in [
        "| `session.idle_ttl` | duration, 1s to 3650d | `30d` | ",
        "| `server.max_message_bytes` | number of bytes, 1024 to 4194304 | `65536` | ",
        "| `secrets` | list of 1 to 16: secret: text, `{env: NAME}` or `{file: PATH}` | one is generated and kept beside \
         the database | ",
        "| `callers[].id` | 1 to 64 characters of A-Z a-z 0-9 . _ : / @ - | required | ",
    ] {
        assert!(reference.lines().any(|line| line.starts_with(row)), "{row}\n{reference}");
    }
}

#[test]
fn the_readme_has_the_same_defaults() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    for entry in entries::all() {
        let path = entry.path();
        let (Absent::Default(default), false) = (entry.absent(), matches!(entry.shape(), Shape::Section))
        else {
            continue;
        };
        if path.starts_with("providers") || path == "callers" {
            continue;
        }
        let row = readme.lines().find(|line| line.starts_with(&format!("| `{path}` |")));
        let told = row.unwrap_or_else(|| panic!("{path}")).split('|').nth(2).unwrap().trim();
        let in_words = ["none: Gatepass makes its own", "all five"].contains(&told);
        assert!(in_words || told == format!("`{default}`"), "{path}: {told}, {default}");
    }
}

#[test]
fn a_configuration_prints_itself() {
    prints_itself(&load("").unwrap());
    let whole = load(WHOLE).unwrap_or_else(|faults| panic!("{faults}"));
    let printed = prints_itself(&whole);
    for wanted in ["  max_age: 1h\n", "  idle_ttl: 1h\n", "banned_url: /no\n", "issuer: https://x.okta.com\n"]
    {
        assert!(printed.contains(wanted), "{wanted}\n{printed}");
    }
}

#[test]
fn typed_claims_and_apps_print_themselves() {
    let yaml = "claims: {plan: string, seats: 'int?', 'a.b': 'list<map<bool>>', tier: {enum?: ['5', pro]}}\n\
                redirect_schemes: [com.example.app]";
    let printed = prints_itself(&load(yaml).unwrap_or_else(|faults| panic!("{faults}")));
    assert!(printed.contains("com.example.app"), "{printed}");
}

#[test]
fn variables_are_printed_as_references() {
    let callers = format!("[{{id: web, credential: {{key_sha256: {HASH}}}, allow: [session.read]}}]");
    let config = load_with(
        "tokens: {audiences: [x]}",
        &[
            ("GATEPASS_SERVER__REFLECTION", "false"),
            ("GATEPASS_SERVER__MAX_CONNECTIONS", "12"),
            ("GATEPASS_SERVER__REQUEST_TIMEOUT", "750ms"),
            ("GATEPASS_SERVER__TLS", "{cert: a, key: {file: b}}"),
            ("GATEPASS_TOKENS__AUDIENCES", "a, b"),
            ("GATEPASS_TOKENS__SIGNING_KEYS", "a.pem, b.pem"),
            ("GATEPASS_BASE_URLS", "[https://a.example, 'https://b.example']"),
            ("GATEPASS_AUTH_LOG__EXCLUDE", ""),
            ("GATEPASS_CALLBACKS__REMOTE__URL", "http://127.0.0.1:1"),
            ("GATEPASS_CALLBACKS__REMOTE__CALLBACKS", "session"),
            ("GATEPASS_CALLBACKS__REMOTE__TIMEOUT", "{session: 50ms}"),
            ("GATEPASS_CALLERS", &callers),
        ],
    );
    prints_itself(&config.unwrap_or_else(|faults| panic!("{faults}")));
}

#[test]
fn no_secret_is_printed() {
    let long = "a-secret-of-more-than-thirty-two-bytes";
    let yaml = format!(
        "secrets: [{long}, {{env: OLD}}]
database: {{url: 'postgres://u:a-secret@db/x'}}
callbacks: {{remote: {{url: 'https://rules.example', callbacks: [jwt], credential: a-secret}}}}
providers:
  - {{id: google, client_id: a, client_secret: a-secret}}
  - {{id: gitlab, client_id: a, client_secret: {{env: GITLAB}}}}
"
    );
    let old = "a-secret-of-old-with-more-than-thirty-two-bytes";
    let env = [("OLD", old), ("GITLAB", "a-secret"), ("GATEPASS_PROVIDER", "a-secret")];
    let printed = load_with(&yaml, &env).unwrap_or_else(|faults| panic!("{faults}")).print();
    assert!(!printed.contains("a-secret"), "{printed}");
    assert!(printed.contains("env: OLD") && printed.contains("env: GITLAB"), "{printed}");
    // The hidden value is missing, and is therefore reported where it is needed.
    let faults = load_with(&printed, &env).unwrap_err().to_string();
    let places: Vec<_> = faults.lines().map(|line| line.split(": ").nth(1).unwrap()).collect();
    let wanted = ["database.url", "secrets[0]", "callbacks.remote.credential", "providers[0].client_secret"];
    assert_eq!(places, wanted, "{faults}\n{printed}");

    let by_variable = [
        ("GATEPASS_SECRETS", long),
        ("GATEPASS_DATABASE__URL", "postgres://u:a-secret@db/x"),
        ("GATEPASS_PROVIDERS", "[{id: google, client_id: a, client_secret: a-secret}]"),
        ("GATEPASS_CALLBACKS__REMOTE", "{url: 'https://a.example', callbacks: [jwt], credential: a-secret}"),
    ];
    let printed = load_with("", &by_variable).unwrap_or_else(|faults| panic!("{faults}")).print();
    assert!(!printed.contains("a-secret") && printed.contains("client_secret: # hidden"), "{printed}");
}

#[test]
fn the_schema_accepts_the_same_values_as_the_reader() {
    let schema = schema();
    for (yaml, sound) in [
        ("", true),
        ("server:", true),
        ("server: {grpc_addr: '127.0.0.1:1', plaintext: true, max_connections: 5}", true),
        ("server: {grpc_adr: '127.0.0.1:1'}", false),
        ("sever: {}", false),
        ("server: 5", false),
        ("server: {plaintext: 'true'}", false),
        ("server: {max_connections: '5'}", false),
        ("server: {max_connections: 0}", false),
        ("server: {max_message_bytes: 4194305}", false),
        ("server: {request_timeout: 5}", false),
        ("server: {request_timeout: 5 s}", false),
        ("server: {request_timeout: 500ms}", true),
        ("server: {http_addr: localhost}", false),
        ("server: {tls: {cert: a, key: {file: b}}}", true),
        ("server: {tls: {cert: a}}", false),
        ("server: {tls: {}}", false),
        ("issuer: ''", false),
        ("issuer: [a]", false),
        ("issuer: auth.example.com", false),
        ("secrets: [a-secret-of-more-than-thirty-two-bytes]", true),
        ("secrets: []", false),
        ("secrets: [{env: X, file: y}]", false),
        ("base_urls: http://a.example", false),
        ("base_urls: []", false),
        ("base_urls: ['https://a.example', 'https://a.example']", false),
        ("tokens: {algorithm: HS256}", false),
        ("tokens: {audiences: [a b]}", false),
        ("tokens: {signing_keys: [a.pem, {file: b.pem, algorithm: RS256}]}", true),
        ("tokens: {signing_keys: [{algorithm: RS256}]}", false),
        ("session: {strategy: database, max_age: 1h}", true),
        ("auth_log: {exclude: [SIGN_INN]}", false),
        ("callbacks: {cel: {jwt: {plan: user.role}}}", true),
        ("callbacks: {cel: {jwt: {plan: 5}}}", false),
        (
            "callbacks: {remote: {url: 'https://a.example', callbacks: [session], timeout: {session: 1s}}}",
            true,
        ),
        ("callbacks: {remote: {url: 'https://a.example', callbacks: [session], on_failure: deny}}", true),
        (
            "callbacks: {remote: {url: 'https://a.example', callbacks: [session], timeout: {sesion: 1s}}}",
            false,
        ),
        ("callbacks: {remote: {url: 'https://a.example', callbacks: [session, session]}}", false),
        ("callbacks: {remote: {url: 'https://a.example'}}", false),
        ("providers: [{id: google, client_id: a, client_secret: s}]", true),
        ("providers: [{id: Google, preset: google, client_id: a}]", false),
        ("providers: [{id: google}]", false),
        ("providers: {}", false),
        (&format!("callers: [{{id: a, credential: {{key_sha256: {HASH}}}, allow: [sign_in]}}]"), true),
        (&format!("callers: [{{id: a, credential: [{{key_sha256: {HASH}}}], allow: [sign_in]}}]"), true),
        ("callers: [{id: a, credential: {key_sha256: abc}, allow: [sign_in]}]", false),
        ("callers: [{id: a, credential: [], allow: [sign_in]}]", false),
        (&format!("callers: [{{id: a, credential: {{key_sha256: {HASH}}}, allow: [sign_on]}}]"), false),
        (WHOLE, true),
    ] {
        let value: Option<Value> = serde_saphyr::from_str(yaml).unwrap();
        let fits = fits(&schema, &value.unwrap_or(Value::Null));
        assert_eq!(fits, sound, "{yaml}");
        assert_eq!(load(yaml).is_ok(), sound, "{yaml}: {:?}", load(yaml).err());
    }
}

/// Returns true if a value matches a schema, for the few keywords that this schema uses.
fn fits(schema: &Value, value: &Value) -> bool {
    let Value::Object(keywords) = schema else { panic!("{schema}") };
    keywords.iter().all(|(keyword, told)| match keyword.as_str() {
        "$schema" | "title" | "description" | "default" | "writeOnly" => true,
        "type" => told
            .as_array()
            .map_or_else(|| is_of(told, value), |kinds| kinds.iter().any(|kind| is_of(kind, value))),
        "enum" => told.as_array().unwrap().contains(value),
        "anyOf" => told.as_array().unwrap().iter().any(|schema| fits(schema, value)),
        "minimum" => value.as_u64().is_none_or(|value| value >= told.as_u64().unwrap()),
        "maximum" => value.as_u64().is_none_or(|value| value <= told.as_u64().unwrap()),
        "minLength" => {
            value.as_str().is_none_or(|text| text.chars().count() as u64 >= told.as_u64().unwrap())
        }
        "pattern" => {
            let pattern = regex::Regex::new(told.as_str().unwrap()).unwrap();
            value.as_str().is_none_or(|text| pattern.is_match(text))
        }
        "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= told.as_u64().unwrap()),
        "maxItems" => value.as_array().is_none_or(|items| items.len() as u64 <= told.as_u64().unwrap()),
        "uniqueItems" => value.as_array().is_none_or(|items| {
            told == false || (1..items.len()).all(|at| !items[..at].contains(&items[at]))
        }),
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| fits(told, item))),
        "maxProperties" => value.as_object().is_none_or(|keys| keys.len() as u64 <= told.as_u64().unwrap()),
        "required" => value.as_object().is_none_or(|keys| {
            told.as_array().unwrap().iter().all(|key| keys.contains_key(key.as_str().unwrap()))
        }),
        "properties" => value.as_object().is_none_or(|keys| {
            keys.iter().all(|(key, value)| told.get(key).is_none_or(|schema| fits(schema, value)))
        }),
        "additionalProperties" => value.as_object().is_none_or(|keys| {
            let known = |key: &str| keywords.get("properties").is_some_and(|known| known.get(key).is_some());
            let mut others = keys.iter().filter(|(key, _)| !known(key));
            if told == false { others.next().is_none() } else { others.all(|(_, value)| fits(told, value)) }
        }),
        other => panic!("{other}"),
    })
}

fn is_of(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "null" => value.is_null(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64(),
        other => panic!("{other}"),
    }
}
