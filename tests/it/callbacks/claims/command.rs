//! `gatepass claims proto|typescript`: the type of the declared claims, for applications.

use crate::support::program::run;

#[tokio::test]
async fn the_type_of_the_auth_js_example_is_what_its_configuration_declares() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/authjs");
    let arguments = ["--config", &format!("{example}/gatepass.yaml"), "claims", "typescript"];
    let folder = tempfile::tempdir().unwrap();
    let ended = run(folder.path(), &arguments, &[]).await;
    let wanted = std::fs::read_to_string(format!("{example}/claims.d.ts")).unwrap();
    assert_eq!((ended.code, ended.stdout, ended.stderr.as_str()), (Some(0), wanted, ""));
}

#[tokio::test]
async fn the_message_has_a_field_for_each_claim() {
    let folder = tempfile::tempdir().unwrap();
    let claims = [("GATEPASS_CLAIMS", "{plan: string, seats: 'int?'}")];
    let ended = run(folder.path(), &["claims", "proto"], &claims).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    for line in
        ["  string plan = 1 [json_name = \"plan\"];", "  optional double seats = 2 [json_name = \"seats\"];"]
    {
        assert!(ended.stdout.lines().any(|told| told == line), "{}", ended.stdout);
    }
}

#[tokio::test]
async fn without_declared_claims_there_is_no_type() {
    let folder = tempfile::tempdir().unwrap();
    for kind in ["proto", "typescript"] {
        let ended = run(folder.path(), &["claims", kind], &[]).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(64), ""));
        assert!(ended.stderr.starts_with("claims: no claim is declared; write"), "{}", ended.stderr);
    }
}
