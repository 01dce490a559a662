//! The presets of providers: how each one reads the response in the provider's own documentation, and which e-mails it
//! accepts as verified. A preset is a file in `src/config/providers/presets/`, and its test is one in
//! `tests/it/oauth/presets/`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use gatepass::config::{self, Provider};
use gatepass::oauth::{ProfileFields, ProviderKind};
use serde_json::{Map, Value, json};

/// Returns the files of a folder by their names without the extension.
fn files(folder: &str) -> BTreeMap<String, PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path)).collect()
}

/// Returns the name of each preset, its configured provider, and the content of its file.
fn presets() -> Vec<(String, Provider, Value)> {
    let named = |(name, path): (String, PathBuf)| {
        let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let provider = configured(&format!("id: {name}, {}", file["configuration"].as_str().unwrap()));
        (name, provider, file)
    };
    files("tests/it/oauth/presets").into_iter().map(named).collect()
}

/// Returns the configurations on a page, with existing files instead of those that they name.
fn shown(page: &str, certificate: &str) -> Vec<String> {
    let page = std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let blocks = page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let key = "tests/it/support/keys/es256.pem";
    let blocks = blocks.map(|block| {
        block
            .replace("/run/secrets/AuthKey_ABC123DEFG.p8", key)
            .replace("/run/secrets/corp.pem", key)
            .replace("/run/secrets/corp}", "tests/it/support/keys/es256.pem}")
            .replace("/etc/gatepass/corp-ca.pem", certificate)
    });
    blocks.collect()
}

fn configured(keys: &str) -> Provider {
    let variable = ("GATEPASS_PROVIDERS".into(), format!("[{{{keys}}}]").into());
    let mut config = config::load(None, [variable]).unwrap_or_else(|faults| panic!("{keys}\n{faults}"));
    config.providers.remove(0)
}

fn read(provider: &Provider, told: &Map<String, Value>) -> ProfileFields {
    provider.settings.profile.read(told).unwrap_or_else(|fault| panic!("{}: {fault}", provider.settings.id))
}

#[test]
fn every_preset_is_tested_on_what_its_documentation_shows() {
    let written: Vec<_> = files("src/config/providers/presets").into_keys().collect();
    let tested: Vec<_> = presets().into_iter().map(|(name, ..)| name).collect();
    assert_eq!(written, tested);
    for (name, provider, file) in presets() {
        assert!(file["documentation"].as_str().unwrap().starts_with("https://"), "{name}");
        assert!(!file["cases"].as_array().unwrap().is_empty(), "{name}");
        for case in file["cases"].as_array().unwrap() {
            let fields = read(&provider, case["told"].as_object().unwrap());
            let fields = json!({
                "id": fields.id,
                "email": fields.email,
                "email_verified": fields.email_verified,
                "name": fields.name,
                "image": fields.image,
            });
            assert_eq!(fields, case["fields"], "{name}");
        }
    }
}

/// Returns the pointer of a claim, which is a name or a pointer itself.
fn pointer(claim: &str) -> String {
    if claim.starts_with('/') { claim.to_owned() } else { format!("/{claim}") }
}

/// Sets the claim of a pointer, or removes it. What the pointer leads to must exist.
fn set(told: &mut Map<String, Value>, pointer: &str, value: Option<Value>) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let mut whole = Value::Object(std::mem::take(told));
    let parent = whole.pointer_mut(parent).and_then(Value::as_object_mut).unwrap();
    match value {
        Some(value) => parent.insert(name.to_owned(), value),
        None => parent.remove(name),
    };
    let Value::Object(changed) = whole else { unreachable!("an object") };
    *told = changed;
}

#[test]
fn no_preset_takes_an_unverified_e_mail_for_a_verified_one() {
    let values = json!([
        null, false, true, "true", "false", "True", "TRUE", 0, 1, 2, -1, "1", "yes", "", [], [true], {}, {"verified": true}
    ]);
    let values = values.as_array().unwrap();
    let claims = ["email_verified", "verified", "xms_edov", "verified_email", "verified_primary_email"];
    for (name, provider, file) in presets() {
        // Claims that other providers use for a verified e-mail have no effect here.
        let mut told = file["cases"][0]["told"].as_object().unwrap().clone();
        told.insert("email".to_owned(), json!("mona@example.com"));
        told.extend(claims.map(|claim| (claim.to_owned(), json!(true))));
        match &file["verified_by"] {
            Value::Null => {
                for (claim, value) in
                    claims.iter().flat_map(|claim| values.iter().map(move |value| (claim, value)))
                {
                    told.insert((*claim).to_owned(), value.clone());
                    assert!(!read(&provider, &told).email_verified, "{name} {claim} {value}");
                }
            }
            by if by["present"].is_string() => {
                let own = by["present"].as_str().unwrap();
                assert!(read(&provider, &told).email_verified, "{name}");
                for nothing in [None, Some(json!("")), Some(json!(null))] {
                    set(&mut told, own, nothing.clone());
                    assert!(!read(&provider, &told).email_verified, "{name} {nothing:?}");
                }
            }
            by => {
                let own = pointer(by["claim"].as_str().unwrap());
                let believed = by["values"].as_array().unwrap();
                set(&mut told, &own, None);
                assert!(!read(&provider, &told).email_verified, "{name} without {own}");
                for value in values {
                    set(&mut told, &own, Some(value.clone()));
                    assert_eq!(
                        read(&provider, &told).email_verified,
                        believed.contains(value),
                        "{name} {value}"
                    );
                }
            }
        }
    }
}

#[test]
fn every_preset_opens_with_its_documentation() {
    for (name, path) in files("src/config/providers/presets") {
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.starts_with("# https://"), "{name}");
    }
}

#[test]
fn a_preset_is_all_that_a_provider_needs_to_be_told_besides_who_we_are() {
    for (name, provider, _) in presets() {
        let settings = &provider.settings;
        assert_eq!(settings.id.as_str(), name);
        assert!(!provider.link_by_verified_email && provider.redirect_uris.is_empty(), "{name}");
        match &settings.kind {
            ProviderKind::Oidc { issuer, .. } => {
                assert!(issuer.starts_with("https://"), "{name}");
                assert!(settings.scopes.iter().any(|scope| scope == "openid"), "{name}");
                assert!(settings.scopes.iter().any(|scope| scope.contains("email")), "{name}");
            }
            ProviderKind::OAuth2 { .. } | ProviderKind::GitHub { .. } => {
                assert!(settings.authorization_url.is_some() && settings.token_url.is_some(), "{name}");
            }
        }
    }
}

#[test]
fn what_the_page_shows_is_a_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let [certificate, file] = ["ca.pem", "g.yaml"].map(|name| folder.path().join(name));
    let key = rcgen::KeyPair::generate().unwrap();
    let authority = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
    std::fs::write(&certificate, authority.pem()).unwrap();
    let shown = shown("docs/providers.md", certificate.to_str().unwrap());
    assert!(shown.len() > 5);
    for yaml in shown {
        std::fs::write(&file, &yaml).unwrap();
        let secrets = yaml.split("{env: ").skip(1).map(|rest| rest.split('}').next().unwrap());
        let secrets = secrets.map(|name| (name.into(), "s3cret".into()));
        let config = config::load(Some(&file), secrets).unwrap_or_else(|faults| panic!("{yaml}\n{faults}"));
        assert!(!config.providers.is_empty(), "{yaml}");
    }
}

/// Returns the presets that are compiled in: those that the schema of the configuration knows.
fn compiled() -> Vec<String> {
    let schema = config::schema();
    let names = &schema["properties"]["providers"]["items"]["properties"]["preset"]["enum"];
    let names = names.as_array().unwrap_or_else(|| panic!("{names}"));
    names.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_page_has_a_true_row_for_each_preset_that_is_compiled_in() {
    let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/providers.md");
    let page = std::fs::read_to_string(page).unwrap();
    let table = page.split_once("| Preset | `type` | `scopes` |").unwrap().1.split_once("\n\n").unwrap().0;
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")).map(|line| {
        let cells: Vec<&str> = line.trim_end_matches(" |").split(" | ").collect();
        assert_eq!(cells.len(), 7, "{line}");
        cells
    });
    let rows: BTreeMap<&str, Vec<&str>> = rows.map(|cells| (cells[0].trim_end_matches('`'), cells)).collect();
    let compiled = compiled();
    assert!(compiled.len() >= 32, "{compiled:?}");
    assert_eq!(rows.keys().copied().collect::<Vec<_>>(), compiled);
    for (name, provider, file) in presets() {
        let cells = &rows[name.as_str()];
        let kind = match provider.settings.kind {
            ProviderKind::Oidc { .. } => "oidc",
            ProviderKind::OAuth2 { .. } => "oauth2",
            ProviderKind::GitHub { .. } => "github",
        };
        let scopes: Vec<String> = provider.settings.scopes.iter().map(|scope| format!("`{scope}`")).collect();
        let scopes = if scopes.is_empty() { "none".to_owned() } else { scopes.join(" ") };
        assert_eq!((cells[1], cells[2]), (kind, scopes.as_str()), "{name}");
        assert_eq!(cells[5].starts_with("never"), file["verified_by"].is_null(), "{name}: {}", cells[5]);
        let source = file["documentation"].as_str().unwrap();
        let source = source.split([' ', ',', ';']).next().unwrap();
        assert!(cells[6].contains(&format!("]({source})")), "{name}: {}", cells[6]);
    }
}
