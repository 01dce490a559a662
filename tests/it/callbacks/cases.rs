//! `gatepass callbacks test`: cases of a policy, and the recipes of `docs/callbacks.md`, which are such cases.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::support::program::{Ended, run};

const POLICY: &str = "sign_in: {allow_sign_up: false}
callbacks:
  cel:
    sign_in: \"user.name == 'bob' ? '/elsewhere' : user.role == 'admin' || int(profile.age) > 17\"
    jwt: {plan: \"user.role\"}
    session: {greeting: \"'Hello, ' + user.name\"}
    redirect: \"url == base_url ? '/start' : url\"
";

/// Runs the cases in these files against a policy.
async fn test(policy: &str, files: &[&str]) -> Ended {
    let folder = written(policy, files);
    let mut arguments = vec!["--config", "g.yaml", "callbacks", "test", "--input"];
    let names: Vec<String> = (1..=files.len()).map(|at| format!("{at}.json")).collect();
    arguments.extend(names.iter().map(String::as_str));
    let ended = run(folder.path(), &arguments, &[]).await;
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(left.len(), files.len() + 1, "it leaves nothing behind: {left:?}");
    ended
}

fn written(policy: &str, files: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("g.yaml"), policy).unwrap();
    for (at, file) in files.iter().enumerate() {
        fs::write(folder.path().join(format!("{}.json", at + 1)), file).unwrap();
    }
    folder
}

#[tokio::test]
async fn each_outcome_is_a_line_of_json() {
    for (case, outcome) in [
        (r#"{"callback": "sign_in", "input": {"user": {"role": "admin"}}}"#, r#"{"allow":true}"#),
        (r#"{"callback": "sign_in", "input": {"profile": {"age": "18"}}}"#, r#"{"allow":true}"#),
        (r#"{"callback": "sign_in", "input": {"profile": {"age": "17"}}}"#, r#"{"deny":"CALLBACK_DENIED"}"#),
        (r#"{"callback": "sign_in", "input": {"is_new_user": true}}"#, r#"{"deny":"SIGN_UP_CLOSED"}"#),
        (
            r#"{"callback": "sign_in", "input": {"profile": {"name": "bob"}}}"#,
            r#"{"redirect":"http://localhost:3000/elsewhere"}"#,
        ),
        (r#"{"callback": "sign_in"}"#, r#"{"error":"callbacks.cel.sign_in: no such key: age"}"#),
        (r#"{"callback": "jwt"}"#, r#"{"claims":{"plan":"user"}}"#),
        (
            r#"{"callback": "jwt", "input": {"trigger": "UPDATE", "token": {"a": 1}}}"#,
            r#"{"claims":{"a":1,"plan":"user"}}"#,
        ),
        (
            r#"{"callback": "session", "input": {"user": {"name": "Ada"}}}"#,
            r#"{"claims":{"greeting":"Hello, Ada"}}"#,
        ),
        (r#"{"callback": "redirect"}"#, r#"{"url":"http://localhost:3000/start"}"#),
        (r#"{"callback": "redirect", "input": {"url": "/x"}}"#, r#"{"url":"http://localhost:3000/x"}"#),
    ] {
        let ended = test(POLICY, &[case]).await;
        assert_eq!(
            (ended.code, ended.stdout, ended.stderr.as_str()),
            (Some(0), format!("{outcome}\n"), ""),
            "{case}"
        );
    }
}

#[tokio::test]
async fn what_was_expected_otherwise_is_told_and_the_code_says_so() {
    let good = r#"[
        {"name": "of age", "callback": "sign_in", "input": {"profile": {"age": "18"}}, "expect": {"allow": true}},
        {"callback": "sign_in", "input": {"profile": {"age": "x"}}, "expect": {"error": "int() cannot convert"}},
        {"callback": "redirect"}
    ]"#;
    let ended = test(POLICY, &[good]).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), "2 of 2 cases passed\n"));
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert_eq!(lines[0], r#"of age: {"allow":true}"#);
    assert_eq!(lines[2], r#"{"url":"http://localhost:3000/start"}"#);

    let bad = r#"[
        {"name": "too young", "callback": "sign_in", "input": {"profile": {"age": "18"}}, "expect": {"deny": "CALLBACK_DENIED"}},
        {"callback": "jwt", "expect": {"claims": {"plan": "user"}}},
        {"callback": "jwt", "expect": {"error": "costs"}},
        {"callback": "sign_in", "expect": {"error": "costs"}}
    ]"#;
    let ended = test(POLICY, &[good, bad]).await;
    assert_eq!(ended.code, Some(1));
    let wanted = r#"2.json: case 1: too young: expected {"deny":"CALLBACK_DENIED"}, not {"allow":true}
2.json: case 3: expected {"error":"costs"}, not {"claims":{"plan":"user"}}
2.json: case 4: expected {"error":"costs"}, not {"error":"callbacks.cel.sign_in: no such key: age"}
3 of 6 cases passed
"#;
    assert_eq!(ended.stderr, wanted);
}

#[tokio::test]
async fn a_file_that_is_no_case_is_told_so() {
    for (file, told) in [
        ("", "1.json: EOF while parsing a value at line 1 column 0"),
        ("[]", "1.json: contains no case"),
        ("{\n  \"callback\": }", "1.json: expected value at line 2 column 15"),
        ("{}", "1.json: case 1: missing field `callback`"),
        (
            r#"{"callback": "signIn"}"#,
            "1.json: case 1: unknown variant `signIn`, expected one of `sign_in`, `jwt`, `session`, `redirect`",
        ),
        (
            r#"{"callback": "jwt", "inputs": {}}"#,
            "1.json: case 1: unknown field `inputs`, expected one of `name`, `callback`, `input`, `expect`",
        ),
        (
            r#"[{"callback": "jwt"}, {"callback": "sign_in", "input": {"token": {}}}]"#,
            "1.json: case 2: input: unknown field `token`",
        ),
        (
            r#"{"callback": "sign_in", "input": {"user": {"emial": "x"}}}"#,
            "1.json: case 1: input.user: unknown field `emial`, expected one of `id`",
        ),
        (
            r#"{"callback": "sign_in", "input": {"user": {"email": "x"}}}"#,
            "1.json: case 1: input.user.email: must have exactly one @",
        ),
        (
            r#"{"callback": "sign_in", "input": {"user": {"id": "x"}}}"#,
            "1.json: case 1: input.user.id: must be a lower-case hyphenated UUID of version 7",
        ),
        (
            r#"{"callback": "sign_in", "input": {"account": {"provider": "GitHub"}}}"#,
            "1.json: case 1: input.account.provider: must match",
        ),
        (
            r#"{"callback": "sign_in", "input": {"now": "today"}}"#,
            "1.json: case 1: input: must be an RFC 3339 time such as \"2026-01-31T12:00:00Z\"",
        ),
        (
            r#"{"callback": "jwt", "input": {"trigger": "REFRESH"}}"#,
            "1.json: case 1: input.trigger: must be SIGN_IN, SIGN_UP or UPDATE",
        ),
        (
            r#"{"callback": "jwt", "input": {"trigger": "UPDATE", "profile": {}}}"#,
            "1.json: case 1: input: account, profile and app_data are not available at UPDATE",
        ),
        (
            r#"{"callback": "jwt", "input": {"update": {"a": 1}}}"#,
            "1.json: case 1: input: update is only available at UPDATE",
        ),
        (
            r#"{"callback": "redirect", "input": {"base_url": "https://evil.example"}}"#,
            "1.json: case 1: input.base_url: must be one of the configured base_urls, or empty",
        ),
        (
            r#"{"callback": "jwt", "expect": {"claim": {}}}"#,
            "1.json: case 1: expect: unknown key \"claim\"; write one of allow, deny",
        ),
    ] {
        let ended = test(POLICY, &[file]).await;
        assert_eq!(ended.code, Some(64), "{file}");
        assert!(
            ended.stderr.starts_with(told) && ended.stderr.lines().count() == 1,
            "{file}\n{}",
            ended.stderr
        );
    }
    let folder = written(POLICY, &[]);
    for arguments in [&["callbacks", "test"][..], &["callbacks"], &["callbacks", "test", "--input"]] {
        assert_eq!(run(folder.path(), arguments, &[]).await.code, Some(64), "{arguments:?}");
    }
    let ended = run(folder.path(), &["callbacks", "test", "--input", "none.json"], &[]).await;
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(64), "none.json: cannot be read: entity not found\n")
    );
}

#[tokio::test]
async fn a_faulty_configuration_is_told_before_any_case() {
    let ended =
        test("callbacks: {cel: {sign_in: 'usr.role'}}\nsesion: {}", &[r#"{"callback": "sign_in"}"#]).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(64), ""));
    assert_eq!(
        ended.stderr,
        "g.yaml:1: callbacks.cel.sign_in: column 1: unknown variable \"usr\"; did you mean \"user\"?\n\
         g.yaml:2: sesion: unknown key; did you mean \"session\"?\n"
    );
}

#[tokio::test]
async fn an_expression_that_does_not_compile_stops_the_start() {
    let policy = "callbacks:
  cel:
    sign_in: |
      true
        && usr.role == 'admin'
    jwt:
      exp: now
";
    let folder = written(policy, &[]);
    for arguments in [&["--config", "g.yaml", "serve"][..], &["--config", "g.yaml", "config", "check"]] {
        let ended = run(folder.path(), arguments, &[]).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(64), ""), "{arguments:?}");
        let wanted = "g.yaml:5: callbacks.cel.sign_in: column 6: unknown variable \"usr\"; did you mean \"user\"?\n\
                      g.yaml:7: callbacks.cel.jwt.exp: is a claim that only Gatepass sets; choose another name\n";
        assert_eq!(ended.stderr, wanted);
    }
}

/// Returns the fenced blocks after each heading of a page, in order: heading, language, text.
fn blocks(page: &str) -> Vec<(String, String, String)> {
    let (mut heading, mut blocks) = (String::new(), Vec::new());
    let mut open: Option<(String, Vec<&str>)> = None;
    for line in page.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => open = Some((language.to_owned(), Vec::new())),
            (None, None) => {
                if let Some(title) = line.strip_prefix("### ").or_else(|| line.strip_prefix("## ")) {
                    title.clone_into(&mut heading);
                }
            }
            (Some(_), Some(_)) => {
                let (language, lines) = open.take().unwrap();
                blocks.push((heading.clone(), language, lines.join("\n")));
            }
            (Some((_, lines)), None) => lines.push(line),
        }
    }
    blocks
}

#[tokio::test]
async fn every_recipe_of_the_docs_does_what_it_says() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/callbacks.md")).unwrap();
    let blocks = blocks(&page);
    let yaml: Vec<_> = blocks.iter().filter(|(_, language, _)| language == "yaml").collect();
    let json: Vec<_> = blocks.iter().filter(|(_, language, _)| language == "json").collect();
    assert!(yaml.len() > 12, "{} recipes", yaml.len());
    assert_eq!(yaml.len(), json.len(), "each configuration has its cases");
    for ((title, _, policy), (of, _, cases)) in yaml.into_iter().zip(json) {
        assert!(
            of == title || title == "The language" && of == "Test your policy",
            "{title}: the cases are of {of}"
        );
        let ended = test(policy, &[cases]).await;
        assert_eq!(ended.code, Some(0), "{title}\n{}{}", ended.stdout, ended.stderr);
        let count = cases.matches("\"callback\"").count();
        assert_eq!(ended.stderr, format!("{count} of {count} cases passed\n"), "{title}");
    }
}

#[tokio::test]
async fn the_page_names_every_function_and_every_variable() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/callbacks.md")).unwrap();
    for (expression, what) in
        [("nothing", "variable"), ("nothing()", "function"), ("x.nothing()", "function")]
    {
        let policy = format!("callbacks: {{cel: {{jwt: {{c: \"{expression}\"}}}}}}");
        let ended = test(&policy, &[r#"{"callback": "jwt"}"#]).await;
        let listed = ended.stderr.split("write one of ").nth(1).unwrap_or_else(|| panic!("{}", ended.stderr));
        for name in listed.lines().next().unwrap().split(", ") {
            assert!(
                page.contains(&format!("`{name}")) || page.contains(&format!(".{name}(")),
                "no {what} {name}"
            );
        }
    }
}
