//! Whole configurations, from text and variables to values or faults.

use super::load::{assemble, named};
use super::*;
use crate::jose::Algorithm;
use crate::keys::KeyFile;
use crate::model::{BaseUrls, DeniedUrl};
use secrecy::ExposeSecret;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

const SECRET: &str = "a-secret-of-more-than-thirty-two-bytes";
const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn read(yaml: &[u8], env: &[(&str, &str)]) -> Result<Config, Faults> {
    let env = env.iter().map(|&(name, value)| (name.to_owned(), value.into())).collect();
    assemble(Some(("g.yaml".to_owned(), Ok(yaml.to_vec().into()))), env)
}

#[track_caller]
pub(super) fn accepted(yaml: &str, env: &[(&str, &str)]) -> Config {
    read(yaml.as_bytes(), env).unwrap_or_else(|faults| panic!("{yaml}\n{env:?}\n{faults}"))
}

#[track_caller]
fn refused(yaml: &str, env: &[(&str, &str)]) -> String {
    read(yaml.as_bytes(), env).expect_err(yaml).to_string()
}

/// Checks that each YAML is rejected with exactly this report.
#[track_caller]
pub(super) fn all_refused(cases: &[(&str, &str)]) {
    for (yaml, report) in cases {
        assert_eq!(refused(yaml, &[]), *report, "{yaml}");
    }
}

#[test]
fn nothing_written_is_every_default() {
    for config in [load(None, []).unwrap(), accepted("", &[]), accepted("# only this\n---\nserver:\n", &[])] {
        let text = format!("{config:?}");
        for wanted in [
            "grpc_addr: 127.0.0.1:50051, http_addr: 127.0.0.1:8080, admin_addr: 127.0.0.1:8081, tls: None, plaintext: false, \
             reflection: true, request_timeout: 5s, shutdown_grace: 20s, max_message_bytes: 65536, \
             max_header_bytes: 16384, max_concurrent_streams: 200, max_connections: 10000",
            "max_connections: 10, acquire_timeout: 2s, migrate_on_start: true",
            "secrets: None, issuer: \"http://localhost:8080\", base_urls: BaseUrls { default: Base(\"http://localhost:3000\"), \
             others: [], suffixes: [], schemes: [] }",
            "algorithm: Es256, audiences: [\"gatepass\"], access_ttl: 900s, key_rotation: 7776000s, \
             clock_leeway: 10s, signing_keys: [], user_claims: {Name, Email, EmailVerified, Picture, Role}",
            "idle_ttl: 2592000s, max_age: 7776000s, refresh_retry_window: 10s, late_retry: Revoke, \
             max_staleness: 1s, stale_limit: 30s, update_allow: []",
            "allowed_email_domains: [], require_verified_email: false, allow_sign_up: true, default_role: \"user\", \
             denied_url: DeniedUrl { before: \"http://localhost:3000/auth/error?error=\", fragment: \"\" }, \
             banned_url: DeniedUrl { before: \"http://localhost:3000/auth/error?error=\", fragment: \"\" }",
            "cel: CelRules { sign_in: None, jwt: [], session: [], redirect: None }",
            "callers: [], auth_log: AuthLog { retention: 34560000s, exclude: [TokenRefreshed] }",
            "log_format: None, log_level: Info, metrics: true",
        ] {
            assert!(text.contains(wanted), "{wanted}\n{text}");
        }
        assert_eq!(config.database.url.expose_secret(), "sqlite://gatepass.db?mode=rwc");
        assert_eq!(config.server.sign_in_timeout(), Duration::from_secs(10));
        assert!(config.open_on_loopback());
    }
}

#[test]
fn defaults_that_depend_on_a_setting_follow_it() {
    let config = accepted("sign_in: {denied_url: /no}\nsession: {max_age: 1h, max_staleness: 1m}", &[]);
    assert_eq!(config.sign_in.banned_url, DeniedUrl::parse(&config.base_urls, "/no").unwrap());
    assert_eq!(config.session.idle_ttl, Duration::from_hours(1));
    assert_eq!(config.session.stale_limit, Duration::from_mins(1));
}

#[test]
fn a_whole_configuration_is_read() {
    let yaml = format!(
        "server: {{grpc_addr: '0.0.0.0:50051', plaintext: true}}
database: {{url: 'sqlite:///var/lib/gatepass.db', max_connections: 4, migrate_on_start: false}}
secrets: [{SECRET}]
issuer: https://auth.example.com
base_urls: [https://app.example.com, 'https://*.example.com']
tokens: {{algorithm: EdDSA, audiences: [api, web], signing_keys: [a.pem, {{file: b.pem}}, {{file: c.pem, algorithm: RS256}}], user_claims: []}}
session: {{strategy: database, late_retry: recover, refresh_retry_window: 0s, update_allow: [theme]}}
sign_in: {{allowed_email_domains: [example.com], denied_url: 'https://app.example.com/no'}}
providers: []
callers:
  - id: web
    credential: {{key_sha256: {HASH}}}
    allow: [sign_in, sign_in.assert, session.read]
    assert_providers: [github]
  - id: ops
    group: people
    credential:
      - key_sha256: {}
      - key_sha256: {}
    allow: [admin.read]
auth_log: {{exclude: []}}
telemetry: {{log_format: json, log_level: warn, metrics: false}}
",
        "A".repeat(64),
        "b".repeat(64)
    );
    let config = accepted(&yaml, &[]);
    assert!(!config.server.reflection && !config.open_on_loopback());
    assert_eq!(config.secrets.as_ref().unwrap()[0].expose_secret(), SECRET);
    let file = |path: &str, algorithm| KeyFile { path: path.into(), algorithm };
    let files = [file("a.pem", None), file("b.pem", None), file("c.pem", Some(Algorithm::Rs256))];
    assert_eq!(config.tokens.signing_keys, files);
    assert!(config.tokens.user_claims.is_empty() && config.auth_log.exclude.is_empty());
    let [web, ops] = config.callers.as_slice() else { panic!() };
    assert_eq!((web.group.as_str(), ops.group.as_str()), ("web", "people"));
    assert_eq!((web.key_sha256[0][..2].to_vec(), ops.key_sha256.len()), (vec![0x9f, 0x86], 2));
    assert_eq!(web.assert_providers.as_ref().unwrap()[0].as_str(), "github");
}

#[test]
fn a_variable_overrides_the_file_in_every_form() {
    let file = "issuer: https://file.example\nserver:\n  http_addr: 127.0.0.1:1\ntokens: {audiences: [x]}";
    let callers = format!("[{{id: web, credential: {{key_sha256: {HASH}}}, allow: [session.read]}}]");
    let config = accepted(
        file,
        &[
            ("GATEPASS_ISSUER", "https://env.example"),
            ("GATEPASS_SERVER__HTTP_ADDR", "[::1]:8080"),
            ("GATEPASS_SERVER__REFLECTION", "false"),
            ("GATEPASS_SERVER__MAX_CONNECTIONS", "12"),
            ("GATEPASS_SERVER__REQUEST_TIMEOUT", "750ms"),
            ("GATEPASS_TOKENS__AUDIENCES", "a, b"),
            ("GATEPASS_BASE_URLS", "[https://a.example, 'https://b.example']"),
            ("GATEPASS_AUTH_LOG__EXCLUDE", ""),
            ("GATEPASS_SECRETS", "{env: OLD}, a-secret-of-more-than-thirty-two-bytes"),
            ("OLD", "another-secret-of-more-than-thirty-two-bytes"),
            ("GATEPASS_DATABASE__URL", "{env: DB}"),
            ("DB", "sqlite::memory:"),
            ("GATEPASS_CALLERS", &callers),
            ("GATEPASS_PROVIDERS", "[]"),
        ],
    );
    assert_eq!(config.issuer, "https://env.example");
    assert_eq!(config.server.http_addr.to_string(), "[::1]:8080");
    assert!(!config.server.reflection);
    assert_eq!((config.server.max_connections, config.server.request_timeout.as_millis()), (12, 750));
    assert_eq!(config.tokens.audiences, ["a", "b"]);
    let bases = ["https://a.example", "https://b.example"].map(str::to_owned);
    assert_eq!(config.base_urls, BaseUrls::parse(&bases).unwrap());
    assert!(config.auth_log.exclude.is_empty());
    let secrets: Vec<_> = config.secrets.iter().flatten().map(ExposeSecret::expose_secret).collect();
    assert_eq!(secrets, ["another-secret-of-more-than-thirty-two-bytes", SECRET]);
    assert_eq!(config.database.url.expose_secret(), "sqlite::memory:");
    assert_eq!(config.callers[0].id, "web");
}

#[test]
fn the_variables_of_kubernetes_are_ignored() {
    accepted(
        "",
        &[
            ("GATEPASS_PORT", "tcp://10.0.0.1:50051"),
            ("GATEPASS_SERVICE_HOST", "10.0.0.1"),
            ("GATEPASS_SERVICE_PORT_GRPC", "50051"),
            ("GATEPASS_PORT_50051_TCP", "tcp://10.0.0.1:50051"),
            ("GATEPASS_CONFIG", "g.yaml"),
            ("GATEPASS_HTTP__SERVICE_HOST", "10.0.0.1"),
        ],
    );
}

#[test]
fn a_wrong_variable_is_named() {
    for (name, value, report) in [
        ("SERVER__GRPC_ADR", "x", "server.grpc_adr: unknown key; did you mean \"grpc_addr\"?"),
        ("SEVER__GRPC_ADDR", "x", "sever.grpc_addr: unknown section; did you mean \"server\"?"),
        ("SERVER__PLAINTEXT", "yes", "server.plaintext: must be true or false"),
        (
            "SERVER__MAX_CONNECTIONS",
            "many",
            "server.max_connections: must be a whole number from 1 to 1000000",
        ),
        (
            "TOKENS__ACCESS_TTL",
            "15",
            "tokens.access_ttl: a duration needs its unit; write \"15s\" for seconds",
        ),
        ("TOKENS__AUDIENCES", "[a", "tokens.audiences: begins with \"[\" and is not YAML for a list"),
        (
            "SERVER__TLS__CERT",
            "x",
            "server.tls: has no key; give the PEM file of the certificate's private key",
        ),
        ("SERVER__GRPC_ADDR__PORT", "1", "server.grpc_addr: must be text, not a section of keys"),
    ] {
        let name = format!("GATEPASS_{name}");
        assert_eq!(refused("", &[(&name, value)]), format!("{name}: {report}"));
    }
    assert_eq!(
        refused("server: {grpc_addr: '127.0.0.1:1'}", &[("GATEPASS_SERVER__GRPC_ADDR__PORT", "1")]),
        "GATEPASS_SERVER__GRPC_ADDR__PORT: server.grpc_addr.port: is set inside a value that is not a section of keys"
    );
}

#[test]
fn a_non_utf8_variable_is_reported_if_it_is_a_setting_or_referenced() {
    use std::os::unix::ffi::OsStringExt as _;
    let loaded = |name: &[u8], file: &str| {
        let env = [(name, &b"postgres://u:p\xe9ss@h/db"[..])];
        let env =
            env.map(|(name, value)| (OsString::from_vec(name.to_vec()), OsString::from_vec(value.to_vec())));
        let file = Some(("g.yaml".to_owned(), Ok(file.as_bytes().to_vec().into())));
        assemble(file, named(env)).map(drop).map_err(|faults| faults.to_string())
    };
    for (name, file, report) in [
        (&b"GATEPASS_DATABASE__URL"[..], "", "GATEPASS_DATABASE__URL: database.url: is not UTF-8 text"),
        (b"GATEPASS_SERVER__NONSENSE", "", "GATEPASS_SERVER__NONSENSE: server.nonsense: is not UTF-8 text"),
        (b"GATEPASS_ISSUER", "", "GATEPASS_ISSUER: issuer: is not UTF-8 text"),
        (
            b"GATEPASS_SEVER__NONSENSE",
            "",
            "GATEPASS_SEVER__NONSENSE: sever.nonsense: unknown section; did you mean \"server\"?",
        ),
        (b"GATEPASS_SERVER__\xff", "", "GATEPASS_SERVER__\u{fffd}: server.\u{fffd}: is not UTF-8 text"),
        (
            b"S",
            "secrets: [{env: S}]",
            "g.yaml:1: secrets[0]: the variable S is not text; write the secret in base64 or hex",
        ),
    ] {
        assert_eq!(loaded(name, file), Err(report.to_owned()));
    }
    for name in ["PATH", "GATEPASS_PORT", "GATEPASS_HTTP__SERVICE_HOST"] {
        assert_eq!(loaded(name.as_bytes(), ""), Ok(()), "{name}");
    }
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    all_refused(&[
        (
            "issuer: https://a.example\nserver:\n  # why\n  grpc_adr: 1",
            "g.yaml:4: server.grpc_adr: unknown key; did you mean \"grpc_addr\"?",
        ),
        ("sever: {}", "g.yaml:1: sever: unknown key; did you mean \"server\"?"),
        (
            "database:\n  colour:\n    - red",
            "g.yaml:2: database.colour: unknown key; write one of url, max_connections, acquire_timeout, migrate_on_start",
        ),
        (
            "5: x",
            "g.yaml:1: 5: unknown key; write one of authjs, tokens, outbound, providers, server, database, secrets, issuer, redirect_schemes, base_urls, session, sign_in, callbacks, callers, claims, auth_log, telemetry",
        ),
    ]);
}

#[test]
fn a_fault_of_a_type_says_what_to_write() {
    all_refused(&[
        ("server: 5", "g.yaml:1: server: must be a section of keys, not a number"),
        ("- a", "g.yaml:1: must be a section of keys, not a list"),
        ("issuer:", "g.yaml:1: issuer: has no value; give text, or leave the key out"),
        ("issuer: ''", "g.yaml:1: issuer: must not be empty"),
        ("issuer: [a]", "g.yaml:1: issuer: must be text, not a list"),
        (
            "sign_in: {default_role: 1}",
            "g.yaml:1: sign_in.default_role: must be text, not a number; put it in quotes",
        ),
        (
            "base_urls: http://a.example",
            "g.yaml:1: base_urls: must be a list, not text; begin it with \"- \"",
        ),
        ("base_urls: []", "g.yaml:1: base_urls: must have 1 to 64 entries, not 0"),
        ("base_urls: [a, b, a]", "g.yaml:1: base_urls[2]: given twice; keep one"),
        (
            "server: {plaintext: 'true'}",
            "g.yaml:1: server.plaintext: must be true or false (without quotes), not text",
        ),
        (
            "server: {plaintext: yes}",
            "g.yaml:1: server.plaintext: must be true or false (without quotes), not text",
        ),
        (
            "server: {max_connections: '5'}",
            "g.yaml:1: server.max_connections: must be a number (without quotes), not text",
        ),
        (
            "server: {max_connections: 1.5}",
            "g.yaml:1: server.max_connections: must be a whole number from 1 to 1000000",
        ),
        (
            "server: {max_message_bytes: 4194305}",
            "g.yaml:1: server.max_message_bytes: must be a whole number from 1024 to 4194304",
        ),
        (
            "server: {http_addr: 'localhost:80'}",
            "g.yaml:1: server.http_addr: must be an IP address and a port; write \"127.0.0.1:80\" (IPv6: \"[::1]:80\")",
        ),
        (
            "server: {http_addr: ':80'}",
            "g.yaml:1: server.http_addr: must be an IP address and a port; write \"0.0.0.0:80\" (IPv6: \"[::1]:80\")",
        ),
        (
            "tokens: {access_ttl: 15}",
            "g.yaml:1: tokens.access_ttl: a duration needs its unit; write \"15s\" for seconds",
        ),
        (
            "tokens: {access_ttl: 1h30m}",
            "g.yaml:1: tokens.access_ttl: must be a number with one unit of ms, s, m, h, d; write \"500ms\", \"15m\" or \"90d\"",
        ),
        ("tokens: {access_ttl: 61m}", "g.yaml:1: tokens.access_ttl: must be from 1s to 1h"),
        (
            "tokens: {access_ttl: 1500ms}",
            "g.yaml:1: tokens.access_ttl: must be whole seconds, as the dates of a JWT are",
        ),
        (
            "tokens: {algorithm: es256}",
            "g.yaml:1: tokens.algorithm: must be one of ES256, EdDSA, ES384, PS256, RS256; did you mean \"ES256\"?",
        ),
        (
            "tokens: {algorithm: HS256}",
            "g.yaml:1: tokens.algorithm: must be one of ES256, EdDSA, ES384, PS256, RS256; did you mean \"ES256\"?",
        ),
        (
            "tokens:\n  audiences:\n    - ok\n    - a b",
            "g.yaml:4: tokens.audiences[1]: must have at most 255 bytes and no white space",
        ),
        (
            "auth_log: {exclude: [SIGN_INN]}",
            "g.yaml:1: auth_log.exclude[0]: must be one of SIGN_IN, SIGN_UP, SIGN_IN_DENIED, ACCOUNT_LINKED, TOKEN_ISSUED, TOKEN_DENIED, TOKEN_REFRESHED, TOKEN_REPLAYED, REFRESH_REUSED, SIGN_OUT, SESSION_REVOKED, USER_CREATED, USER_UPDATED, USER_BANNED, USER_UNBANNED, USER_DELETED, KEY_ROTATED, CALLER_DENIED; did you mean \"SIGN_IN\"?",
        ),
        (
            "session: {update_allow: [sub]}",
            "g.yaml:1: session.update_allow[0]: is a claim that only Gatepass sets",
        ),
        (
            "session: {update_allow: [roles]}",
            "g.yaml:1: session.update_allow[0]: grants permissions, so no client may change it; set it in a jwt callback",
        ),
        (
            "sign_in: {denied_url: //evil.example}",
            "g.yaml:1: sign_in.denied_url: must be a path that begins with one \"/\", or an http or https URL",
        ),
        (
            "sign_in: {banned_url: 'javascript:x'}",
            "g.yaml:1: sign_in.banned_url: must be a path that begins with one \"/\", or an http or https URL",
        ),
        (
            "sign_in: {allowed_email_domains: []}",
            "g.yaml:1: sign_in.allowed_email_domains: must not be empty; leave the key out to allow every domain",
        ),
        (
            "database: {url: gatepass.db}",
            "g.yaml:1: database.url: must begin with sqlite://, postgres:// or mysql://; write \"sqlite://gatepass.db?mode=rwc\"",
        ),
    ]);
}

#[test]
fn unimplemented_settings_are_rejected() {
    all_refused(&[
        ("authjs: {secrets: [x]}", "g.yaml:1: authjs: not implemented in this version"),
        (
            "telemetry: {otlp_endpoint: x}",
            "g.yaml:1: telemetry.otlp_endpoint: not implemented in this version",
        ),
        (
            "callers: [{id: a, credential: [{jwt: {}}], allow: [sign_in]}]",
            "g.yaml:1: callers[0].credential[0].jwt: not implemented in this version",
        ),
    ]);
}

#[test]
fn a_database_server_is_named_whole_and_needs_secrets() {
    all_refused(&[
        (
            "database: {url: 'postgres://u:p@db/x'}",
            "secrets: must be set to the same value on every replica if the database is a server; \
             `openssl rand -base64 32` makes one",
        ),
        (
            "database: {url: 'mysql://u:p@db'}",
            "g.yaml:1: database.url: names no database; write \"mysql://USER:PASSWORD@HOST/DATABASE\"",
        ),
    ]);
    for scheme in ["postgres", "postgresql", "mysql", "mariadb"] {
        let yaml = format!("{{database: {{url: '{scheme}://u:p@db/x'}}, secrets: ['{}']}}", "s".repeat(32));
        assert!(!read(yaml.as_bytes(), &[]).unwrap().database.is_sqlite(), "{scheme}");
    }
}

#[test]
fn anything_but_a_single_yaml_document_is_rejected() {
    for (yaml, told) in [
        (&b"server: {}\nserver: {}"[..], "g.yaml:2: server: given twice (first at g.yaml:1); keep one"),
        (
            b"server:\n  plaintext: true\n  plaintext: true",
            "g.yaml:3: server.plaintext: given twice (first at g.yaml:2); keep one",
        ),
        (b"issuer: \xff", "g.yaml: is not UTF-8 text"),
        (
            b"issuer: https://a.example\n---\nissuer: https://b.example",
            "holds more than one YAML document; keep one",
        ),
        (
            b"issuer: !secret x",
            "g.yaml:1: YAML tags are not supported; put text that begins with \"!\" in quotes",
        ),
        (b"issuer: *x", "g.yaml:1: an alias without its anchor; put text that begins with \"*\" in quotes"),
        (b"a: &a {b: 1}\nserver:\n  <<: *a", "merge keys (<<) are not supported; write the keys out"),
        (b"[a]: 1", "g.yaml:1: ?: unknown key; write one of authjs"),
        (b"server: {", "g.yaml:"),
        (b"a: b: c", "g.yaml:1: is not valid YAML for a configuration: "),
    ] {
        let report = read(yaml, &[]).unwrap_err().to_string();
        assert!(
            report.contains(told) && report.lines().count() == 1,
            "{}\n{report}",
            String::from_utf8_lossy(yaml)
        );
    }
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..12 {
        let items = vec![format!("*a{}", n - 1); 9].join(", ");
        bomb = format!("{bomb}a{n}: &a{n} [{items}]\n");
    }
    for yaml in [bomb, format!("a: {}{}", "[".repeat(500), "]".repeat(500))] {
        let told = refused(&yaml, &[]);
        assert!(told.contains("is too large, too deep or has too many aliases"), "{told}");
    }
    let aliased = accepted("base_urls: &all [https://a.example]\ntokens:\n  audiences: *all", &[]);
    assert_eq!(aliased.tokens.audiences, ["https://a.example"]);
}

#[test]
fn a_file_that_is_not_there_is_named_and_variables_are_still_read() {
    let env = [("GATEPASS_SERVER__GRPC_ADR".into(), "x".into())];
    let report = load(Some(Path::new("/nowhere/gatepass.yaml")), env).unwrap_err().to_string();
    let (file, variable) = report.split_once('\n').unwrap();
    assert_eq!(file, "/nowhere/gatepass.yaml: cannot be read: entity not found");
    assert!(variable.starts_with("GATEPASS_SERVER__GRPC_ADR: server.grpc_adr: unknown key"));
}

#[test]
fn a_secret_is_a_literal_a_variable_or_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let (one, other) = ("1".repeat(32), "2".repeat(32));
    let lines = [file("a", format!("{one}\n").as_bytes()), file("b", format!("{other}\r\n").as_bytes())];
    let yaml = format!("secrets: [{{file: {}}}, {{file: {}}}, {{env: OLD}}]", lines[0], lines[1]);
    let config = accepted(&yaml, &[("OLD", SECRET)]);
    let secrets: Vec<_> = config.secrets.iter().flatten().map(ExposeSecret::expose_secret).collect();
    assert_eq!(secrets, [one.as_str(), other.as_str(), SECRET]);

    let (empty, binary) = (file("empty", b"\n"), file("binary", &[0xff; 32]));
    for (source, told) in [
        (format!("{{file: {empty}}}"), format!("the file {empty} is empty")),
        (
            format!("{{file: {binary}}}"),
            format!("the file {binary} is not text; write the secret in base64 or hex"),
        ),
        ("{file: /nowhere/s}".to_owned(), "the file /nowhere/s cannot be read: entity not found".to_owned()),
        (
            "{file: ./nowhere/s}".to_owned(),
            "the file ./nowhere/s cannot be read: entity not found".to_owned(),
        ),
        ("{file: src}".to_owned(), "the file src cannot be read: is a directory".to_owned()),
        ("{env: NONE}".to_owned(), "the variable NONE is not set".to_owned()),
        ("{env: _none_2}".to_owned(), "the variable _none_2 is not set".to_owned()),
        ("{env: BLANK}".to_owned(), "the variable BLANK is empty".to_owned()),
    ] {
        let report = refused(&format!("secrets:\n  - {source}"), &[("BLANK", "")]);
        assert_eq!(report, format!("g.yaml:2: secrets[0]: {told}"));
    }
}

#[test]
fn a_secret_is_in_no_fault_and_no_debug() {
    let config = accepted(&format!("secrets: [{SECRET}]"), &[]);
    assert!(!format!("{config:?}").contains("a-secret"));
    for (yaml, told) in [
        (
            "secrets: [a-secret-short]",
            "secrets[0]: must have 32 to 4096 bytes; `openssl rand -base64 32` makes one",
        ),
        (
            "secrets: [a-secret-of-more-than-thirty-two-bytes, a-secret-of-more-than-thirty-two-bytes]",
            "secrets[1]: is the same secret as one before it; keep one",
        ),
        (
            "secrets: a-secret-of-more-than-thirty-two-bytes",
            "secrets: must be a list, not text; begin it with \"- \"",
        ),
        (
            "secrets:\n  - a-secret: of-more",
            "secrets[0]: takes a literal (in quotes), {env: NAME} or {file: PATH}",
        ),
        (
            "secrets: [{env: X, file: a-secret}]",
            "secrets[0]: takes a literal (in quotes), or one of {env: NAME} and {file: PATH}",
        ),
        ("secrets: [*a-secret]", "an alias without its anchor; put text that begins with \"*\" in quotes"),
        ("secrets: [!a-secret x]", "YAML tags are not supported; put text that begins with \"!\" in quotes"),
        ("secrets: ['a-secret", "g.yaml:"),
        (
            "secrets: []",
            "secrets: must have 1 to 16 entries; leave the key out to have a secret generated and kept",
        ),
        (
            "secrets: [{env: a-secret}]",
            "secrets[0]: env takes the name of a variable that is set, not the secret",
        ),
        ("secrets: [{env: ''}]", "secrets[0]: env takes the name of a variable that is set, not the secret"),
        (
            "secrets: [{file: a-secret/of+more=}]",
            "secrets[0]: file takes the path of a file, not the secret; no such file can be read: entity not found",
        ),
        ("database: {url: 'postgres://u:a-secret@db'}", "database.url: names no database"),
        ("database: {url: 'postgres://u:a-secret@d b/x'}", "database.url: is not a URL"),
        (
            "callers: [{id: a, credential: {key_sha256: a-secret}, allow: [sign_in]}]",
            "callers[0].credential.key_sha256: must be 64 hex digits: the SHA-256 of the key, not the key",
        ),
        (
            "callers: [{id: a, credential: a-secret, allow: [sign_in]}]",
            "callers[0].credential: must be a section of keys, not text",
        ),
    ] {
        let faults = read(yaml.as_bytes(), &[]).unwrap_err();
        let report = faults.to_string();
        assert!(report.contains(told) && report.lines().count() == 1, "{yaml}\n{report}");
        assert!(!format!("{report}{faults:?}").contains("a-secret"), "{yaml}\n{report}");
    }
    for value in ["{a-secret", "[a-secret", "{a-secret: x}", "a-secret", "{file: [a-secret]}"] {
        let faults = read(b"", &[("GATEPASS_SECRETS", value)]).unwrap_err();
        assert!(!format!("{faults}{faults:?}").contains("a-secret"), "{value}\n{faults}");
    }
}

#[test]
fn incomplete_callers_are_reported() {
    let credential = format!("credential: {{key_sha256: {HASH}}}");
    for (caller, told) in [
        (
            "{}".to_owned(),
            "g.yaml:1: callers[0]: has no id; give its name\ng.yaml:1: callers[0]: has no credential; give {key_sha256: HEX} (`gatepass callers key` makes one) or {mtls_san: NAME}\ng.yaml:1: callers[0]: has no allow; give a list of permissions",
        ),
        (
            format!("{{id: a b, {credential}, allow: [sign_in]}}"),
            "g.yaml:1: callers[0].id: must have 1 to 64 characters of A-Z a-z 0-9 . _ : / @ -",
        ),
        (
            format!("{{id: a, {credential}, allow: []}}"),
            "g.yaml:1: callers[0].allow: must have 1 to 6 entries, not 0",
        ),
        (
            format!("{{id: a, {credential}, allow: [sign_on]}}"),
            "g.yaml:1: callers[0].allow[0]: must be one of sign_in, sign_in.assert, session.read, revocation.watch, admin.read, admin.write; did you mean \"sign_in\"?",
        ),
        (
            format!("{{id: a, {credential}, allow: [sign_in], assert_providers: [github]}}"),
            "g.yaml:1: callers[0].assert_providers: has no effect without the permission sign_in.assert; allow that, or remove this",
        ),
        (
            format!("{{id: a, {credential}, allow: [sign_in.assert], assert_providers: [GitHub]}}"),
            "g.yaml:1: callers[0].assert_providers[0]: must match [a-z0-9][a-z0-9_-]{0,63}",
        ),
        (
            "{id: a, credential: [], allow: [sign_in]}".to_owned(),
            "g.yaml:1: callers[0].credential: must not be empty; give the caller a credential",
        ),
        (
            "{id: a, credential: {}, allow: [sign_in]}".to_owned(),
            "g.yaml:1: callers[0].credential: has neither key_sha256 nor mtls_san; give the SHA-256 of a key (`gatepass callers key` makes one), or a name in its client certificate",
        ),
        (
            format!(
                "{{id: a, credential: [{{key_sha256: {HASH}}}, {{key_sha256: {HASH}}}], allow: [sign_in]}}"
            ),
            "g.yaml:1: callers[0].credential: has the same credential twice; keep one",
        ),
        (
            format!("{{id: a, {credential}, allow: [sign_in]}}, {{id: a, {credential}, allow: [sign_in]}}"),
            "g.yaml:1: callers[1].id: another caller has this id; give each its own\ng.yaml:1: callers[1].credential: has a key of caller \"a\"; give each its own (`gatepass callers key`)",
        ),
    ] {
        assert_eq!(refused(&format!("callers: [{caller}]"), &[]), told, "{caller}");
    }
}

#[test]
fn listening_beyond_loopback_requires_callers_tls_and_an_https_issuer() {
    let bare = |also: &str| {
        format!(
            "listens beyond loopback{also} without callers: anyone who reaches it could issue tokens; configure callers|\
             listens beyond loopback{also} without TLS; give server.tls a certificate, or set server.plaintext: true if a \
             proxy or mesh before it encrypts|\
             listens beyond loopback{also} with the default issuer; set issuer to the https URL that clients know it by"
        )
    };
    for (key, addr) in [
        ("grpc_addr", "0.0.0.0:1"),
        ("http_addr", "[::]:1"),
        ("admin_addr", "10.0.0.1:1"),
        ("http_addr", "[::ffff:127.0.0.1]:1"),
    ] {
        let wanted: Vec<_> =
            bare("").split('|').map(|told| format!("g.yaml:2: server.{key}: {told}")).collect();
        assert_eq!(refused(&format!("server:\n  {key}: '{addr}'"), &[]), wanted.join("\n"));
    }
    let env = [("GATEPASS_SERVER__GRPC_ADDR", "0.0.0.0:1"), ("GATEPASS_SERVER__ADMIN_ADDR", "0.0.0.0:2")];
    let also = bare(" (as does server.admin_addr)");
    let wanted: Vec<_> =
        also.split('|').map(|told| format!("GATEPASS_SERVER__GRPC_ADDR: server.grpc_addr: {told}")).collect();
    assert_eq!(refused("", &env), wanted.join("\n"));

    let callers = format!("callers: [{{id: a, credential: {{key_sha256: {HASH}}}, allow: [sign_in]}}]");
    let server = "server: {grpc_addr: '0.0.0.0:1', plaintext: true}";
    assert_eq!(
        refused(&format!("{server}\n{callers}\nissuer: http://auth.example.com"), &[]),
        "g.yaml:3: issuer: must be https, since server.grpc_addr listens beyond loopback"
    );
    accepted(&format!("{server}\n{callers}\nissuer: https://auth.example.com"), &[]);
    assert!(!accepted(&callers, &[]).open_on_loopback());
    assert!(accepted("server: {grpc_addr: '127.9.9.9:1', http_addr: '[::1]:1'}", &[]).open_on_loopback());
}

#[test]
fn tls_is_files_and_lets_it_listen_beyond_loopback() {
    let rest = format!(
        "issuer: https://auth.example.com
callers:
  - {{id: web, credential: {{mtls_san: Web.Internal}}, allow: [session.read]}}
  - id: shop
    credential: [{{key_sha256: {HASH}}}, {{mtls_san: 'spiffe://example.org/shop'}}, {{mtls_san: shop}}]
    allow: [session.read]
"
    );
    let tls = "tls: {cert: a/tls.crt, key: {file: a/tls.key}, client_ca: ca.crt}";
    for addr in ["grpc_addr: '0.0.0.0:1'", "http_addr: '0.0.0.0:1'", "admin_addr: '0.0.0.0:1'"] {
        let config = accepted(&format!("server: {{{addr}, {tls}}}\n{rest}"), &[]);
        let files = config.server.tls.unwrap();
        assert_eq!((files.cert, files.key), ("a/tls.crt".into(), "a/tls.key".into()));
        assert_eq!(files.client_ca, Some("ca.crt".into()));
        let names = config.callers[1].mtls_san.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names, ["spiffe://example.org/shop", "shop"]);
        assert_eq!(config.callers[0].mtls_san[0].to_string(), "web.internal");
        assert_eq!((config.callers[0].key_sha256.len(), config.callers[1].key_sha256.len()), (0, 1));
    }
    let env = [("GATEPASS_SERVER__TLS__CERT", "a"), ("GATEPASS_SERVER__TLS__KEY", "b")];
    let config = accepted("", &env);
    assert_eq!(config.server.tls.unwrap().client_ca, None);
    accepted("", &[("GATEPASS_SERVER__TLS", "{cert: a, key: b}")]);
    let env = [("GATEPASS_SERVER__TLS__CERT__FILE", "a"), ("GATEPASS_SERVER__TLS__KEY__FILE", "b")];
    let files = accepted("server: {tls: {cert: c, key: {file: d}}}", &env[1..]).server.tls.unwrap();
    assert_eq!((files.cert, files.key), ("c".into(), "b".into()));
    let files = accepted("", &env).server.tls.unwrap();
    assert_eq!((files.cert, files.key), ("a".into(), "b".into()));
    accepted("server: {plaintext: true, tls: {cert: a, key: b}}", &[]);
}

#[test]
fn tls_that_is_not_whole_is_refused() {
    all_refused(&[
        (
            "server:\n  tls: {}",
            "g.yaml:2: server.tls: has no cert; give the PEM file of the certificate, followed by its intermediates\n\
             g.yaml:2: server.tls: has no key; give the PEM file of the certificate's private key",
        ),
        (
            "server:\n  tls:\n    key: a",
            "g.yaml:2: server.tls: has no cert; give the PEM file of the certificate, followed by its intermediates",
        ),
        (
            "server: {tls: {cert: a}}",
            "g.yaml:1: server.tls: has no key; give the PEM file of the certificate's private key",
        ),
        (
            "server:\n  tls:\n    cert: a\n    key: |\n      -----BEGIN PRIVATE KEY-----\n    client_ca: 5",
            "g.yaml:4: server.tls.key: must be the path of a PEM file, not what is in it\n\
             g.yaml:6: server.tls.client_ca: must be text, not a number; put it in quotes",
        ),
        (
            "server: {tls: {cert: {file: ''}, key: {file: '-----BEGIN PRIVATE KEY-----'}}}",
            "g.yaml:1: server.tls.cert: must be the path of a PEM file\n\
             g.yaml:1: server.tls.key: must be the path of a PEM file, not what is in it",
        ),
        (
            "server: {tls: {cert: a, key: '', ca: x}}",
            "g.yaml:1: server.tls.key: must not be empty\n\
             g.yaml:1: server.tls.ca: unknown key; write one of cert, key, client_ca",
        ),
        ("server: {tls: true}", "g.yaml:1: server.tls: must be a section of keys, not true or false"),
    ]);
}

#[test]
fn a_certificate_name_is_unique_and_needs_client_certificates() {
    let tls = "server: {tls: {cert: a, key: b, client_ca: c}}\n";
    let caller =
        |credential: &str| format!("{tls}callers: [{{id: a, credential: {credential}, allow: [sign_in]}}]");
    let spiffe = "must be a SPIFFE ID with a path, spiffe://example.org/web: a trust domain of a-z 0-9 . _ -, segments \
                  of A-Z a-z 0-9 . _ -, and no user, port, query or fragment";
    let dns =
        "must be a DNS name without a wildcard (web.internal), or a SPIFFE ID (spiffe://example.org/web)";
    for (credential, path, told) in [
        ("{mtls_san: '*.internal'}", ".mtls_san", dns),
        ("[{mtls_san: a b}]", "[0].mtls_san", dns),
        ("{mtls_san: 'https://example.org/web'}", ".mtls_san", spiffe),
        ("{mtls_san: 'spiffe://example.org:1/web'}", ".mtls_san", spiffe),
        ("{mtls_san: 5}", ".mtls_san", "must be text, not a number; put it in quotes"),
        ("[{mtls_san: Web}, {mtls_san: web}]", "", "has the same credential twice; keep one"),
        (
            &format!("{{mtls_san: web, key_sha256: {HASH}}}"),
            "",
            "has both key_sha256 and mtls_san; give each an entry of its own in a list",
        ),
    ] {
        let wanted = format!("g.yaml:2: callers[0].credential{path}: {told}");
        assert_eq!(refused(&caller(credential), &[]), wanted, "{credential}");
    }
    let two = format!(
        "{tls}callers:
  - {{id: a, credential: [{{mtls_san: web}}, {{mtls_san: shop}}], allow: [sign_in]}}
  - {{id: b, credential: [{{mtls_san: api}}, {{mtls_san: SHOP}}], allow: [sign_in]}}"
    );
    let wanted =
        "g.yaml:4: callers[1].credential: has a certificate's name of caller \"a\"; give each its own";
    assert_eq!(refused(&two, &[]), wanted);
    for server in ["", "server: {tls: {cert: a, key: b}}"] {
        let yaml = format!(
            "{server}
callers:
  - {{id: a, credential: {{key_sha256: {HASH}}}, allow: [sign_in]}}
  - {{id: b, credential: {{mtls_san: web}}, allow: [sign_in]}}"
        );
        let wanted = "g.yaml:4: callers[1].credential: has an mtls_san, but client certificates are not requested; set \
                      server.tls.client_ca to the PEM file of the authority that signs them";
        assert_eq!(refused(&yaml, &[]), wanted);
    }
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    all_refused(&[
        (
            "server: {http_addr: '127.0.0.1:50051'}",
            "g.yaml:1: server.http_addr: has the address of server.grpc_addr; give each its own port",
        ),
        (
            "server: {grpc_addr: '127.0.0.1:8080'}",
            "g.yaml:1: server.grpc_addr: has the address of server.http_addr; give each its own port",
        ),
        (
            "session: {idle_ttl: 2h, max_age: 1h}",
            "g.yaml:1: session.idle_ttl: must not be longer than session.max_age",
        ),
        (
            "session: {stale_limit: 1s, max_staleness: 2s}",
            "g.yaml:1: session.stale_limit: must not be shorter than session.max_staleness",
        ),
        (
            "tokens: {signing_keys: [a.pem, {algorithm: RS256}]}",
            "g.yaml:1: tokens.signing_keys[1]: has no file; give the path of a PEM file",
        ),
        (
            "tokens: {key_rotation: 30d, signing_keys: [a.pem]}",
            "g.yaml:1: tokens.key_rotation: has no effect beside tokens.signing_keys: Gatepass rotates only keys it made; keep one of the two",
        ),
    ]);
}

#[test]
fn every_fault_is_reported_in_one_go() {
    let yaml = "server:\n  grpc_addr: 0.0.0.0:1\n  plaintext: 1\n  colour: red\nissuer: nonsense\ncallers:\n  - id: a\n";
    let env = [("GATEPASS_TOKENS__ACCESS_TTL", "2h"), ("GATEPASS_SESION__MAX_AGE", "1h")];
    let report = refused(yaml, &env);
    let places: Vec<_> =
        report.lines().map(|line| line.splitn(3, ": ").take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        places,
        [
            "g.yaml:3 server.plaintext",
            "g.yaml:4 server.colour",
            "g.yaml:5 issuer",
            "g.yaml:7 callers[0]",
            "g.yaml:7 callers[0]",
            "GATEPASS_SESION__MAX_AGE sesion.max_age",
            "GATEPASS_TOKENS__ACCESS_TTL tokens.access_ttl",
        ],
        "no default stands in for what is at fault already:\n{report}"
    );
}
