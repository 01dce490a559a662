//! The program, run as a user runs it.

use std::cell::OnceCell;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use gatepass::grpc::proto::v1::{
    GetSessionRequest, GetUserRequest, IssueTokenRequest, RefreshTokenRequest, ResolveRedirectRequest,
    SignOutRequest, get_session_request, sign_out_request,
};
use gatepass::model::{SystemClock, sha256};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::net::unix::pipe;
use tonic::Code;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

use crate::support::keys::make_foreign_key;
use crate::support::program::{Ended, Serving, gatepass, run};
use crate::support::refresh_tokens::another_successor;
use crate::support::{allowed, eventually, profile, refusal, with_key};

const SECRET: &str = "the first secret of a test and long enough";

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Runs a command of the program in an empty folder.
async fn command(arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    run(folder().path(), arguments, variables).await
}

/// Writes a configuration and checks it.
async fn check(yaml: &str) -> Ended {
    let folder = folder();
    fs::write(folder.path().join("g.yaml"), yaml).unwrap();
    run(folder.path(), &["config", "check", "--config", "g.yaml"], &[]).await
}

#[tokio::test]
async fn without_a_configuration_it_runs_and_keeps_what_it_made() {
    let folder = folder();
    let first = Serving::ready(folder.path(), &[], &[]).await;
    assert!(first.said("no callers configured"), "{:?}", first.log);
    assert_eq!(mode(&folder.path().join("gatepass.db.secret")), 0o600);
    assert!(folder.path().join("gatepass.db").is_file());
    let mut auth = first.auth().await;
    let grant = allowed(auth.sign_in(profile("ada")).await).grant.unwrap();
    let request = IssueTokenRequest { grant, ..Default::default() };
    let tokens = auth.issue_token(request).await.unwrap().into_inner();
    drop(auth);
    first.stop().await;

    let second = Serving::ready(folder.path(), &["serve"], &[]).await;
    let credential = Some(get_session_request::Credential::AccessToken(tokens.access_token));
    let request = GetSessionRequest { credential, ..Default::default() };
    second.auth().await.get_session(request).await.unwrap();
    let refresh = RefreshTokenRequest { refresh_token: tokens.refresh_token, ..Default::default() };
    second.auth().await.refresh_token(refresh).await.unwrap();
    assert!(!allowed(second.auth().await.sign_in(profile("ada")).await).is_new_user);
    second.stop().await;
}

#[tokio::test]
async fn what_it_keeps_is_for_its_owner_only() {
    let folder = folder();
    Serving::ready(folder.path(), &[], &[]).await.stop().await;
    let mut files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["gatepass.db", "gatepass.db.secret"], "nothing else is left behind");
}

#[tokio::test]
async fn it_tells_its_version_and_its_commands() {
    let version = command(&["--version"], &[]).await;
    assert_eq!((version.code, version.stdout.as_str()), (Some(0), "gatepass 0.1.0\n"));
    let help = command(&["--help"], &[]).await;
    assert_eq!(help.code, Some(0));
    for name in ["serve", "migrate", "keys", "callers", "config", "health", "--config"] {
        assert!(help.stdout.contains(name), "{name}");
    }
}

#[tokio::test]
async fn what_it_does_not_know_is_a_usage_error() {
    for arguments in [
        &["sreve"][..],
        &["--verbose"],
        &["serve", "--port", "1"],
        &["serve", "extra"],
        &["keys"],
        &["keys", "revoke"],
        &["callers"],
        &["config"],
        &["--config"],
    ] {
        let ended = command(arguments, &[]).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(64), ""), "{arguments:?}");
        assert!(ended.stderr.contains("Usage") || ended.stderr.contains("--help"), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn keys_of_a_database_without_a_schema_are_not_changed() {
    for arguments in [&["keys", "rotate"][..], &["keys", "revoke", "some-key"]] {
        let ended = command(arguments, &[]).await;
        assert_eq!(ended.code, Some(1));
        assert_eq!(ended.stderr, "the database schema is outdated; run `gatepass migrate`\n");
    }
}

#[tokio::test]
async fn a_sound_configuration_is_said_to_be_so() {
    let ended = check("server: {reflection: false}\nissuer: https://auth.example.com\n").await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(ended.stdout, "the configuration is valid\n");
    assert_eq!(command(&["config", "check"], &[]).await.code, Some(0));
}

#[tokio::test]
async fn every_fault_of_a_configuration_is_told_at_once() {
    let ended = check(
        "server:\n  grpc_adr: 127.0.0.1:1\n  request_timeout: 5\nsecrets: [too short]\n\
         tokens: {access_ttl: 2h}\nsession:\n  idle_ttl: 90d\n  max_age: 30d\nproviders: [{id: github}]\n",
    )
    .await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(64), ""));
    for told in [
        "g.yaml:2: server.grpc_adr: unknown key",
        "g.yaml:3: server.request_timeout",
        "g.yaml:4: secrets[0]",
        "g.yaml:5: tokens.access_ttl",
        "g.yaml:7: session.idle_ttl",
        "g.yaml:9: providers",
    ] {
        assert!(ended.stderr.contains(told), "{told}\n{}", ended.stderr);
    }
    assert!(!ended.stderr.contains("too short"), "a secret is in no fault");
}

#[tokio::test]
async fn the_faults_of_every_file_are_told_at_once() {
    let folder = folder();
    let yaml = "server: {tls: {cert: /no.crt, key: /no.key}}
tokens: {signing_keys: [/no.pem, g.yaml]}
callbacks: {remote: {url: 'https://hooks.example.com', callbacks: [jwt], tls: {ca: /no.ca, cert: /my.crt, key: /my.key}}}
";
    fs::write(folder.path().join("g.yaml"), yaml).unwrap();
    for arguments in [&["config", "check"][..], &["serve"]] {
        let ended = run(folder.path(), arguments, &[("GATEPASS_CONFIG", "g.yaml")]).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(64), ""));
        let places: Vec<_> =
            ended.stderr.lines().map(|line| line.splitn(3, ": ").collect::<Vec<_>>()).collect();
        let places: Vec<_> = places.iter().map(|parts| (parts[0], parts[1])).collect();
        assert_eq!(
            places,
            [
                ("server.tls.cert", "/no.crt"),
                ("server.tls.key", "/no.key"),
                ("callbacks.remote.tls.ca", "/no.ca"),
                ("callbacks.remote.tls.cert", "/my.crt"),
                ("callbacks.remote.tls.key", "/my.key"),
                ("tokens.signing_keys", "/no.pem"),
                ("tokens.signing_keys", "g.yaml"),
            ],
            "{}",
            ended.stderr
        );
    }
}

#[tokio::test]
async fn a_bad_configuration_is_refused_before_anything_is_touched() {
    let folder = folder();
    fs::write(folder.path().join("g.yaml"), "server: {nonsense: 1}").unwrap();
    for arguments in [&[][..], &["serve"], &["migrate"], &["keys", "list"], &["health"]] {
        let ended = run(folder.path(), arguments, &[("GATEPASS_CONFIG", "g.yaml")]).await;
        assert_eq!(ended.code, Some(64), "{arguments:?}");
        assert!(ended.stderr.contains("g.yaml:1: server.nonsense: unknown key"), "{}", ended.stderr);
        assert!(!ended.stderr.contains("listening"), "{}", ended.stderr);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let missing = command(&["--config", "nowhere.yaml"], &[]).await;
    assert_eq!(missing.code, Some(64));
    assert!(missing.stderr.contains("nowhere.yaml"), "{}", missing.stderr);
}

#[tokio::test]
async fn the_command_line_names_the_configuration_before_the_variable_does() {
    let folder = folder();
    fs::write(folder.path().join("good.yaml"), "issuer: https://auth.example.com").unwrap();
    let variables = [("GATEPASS_CONFIG", "bad.yaml")];
    let good = run(folder.path(), &["config", "check", "--config", "good.yaml"], &variables).await;
    assert_eq!(good.code, Some(0));
    assert_eq!(run(folder.path(), &["config", "check"], &variables).await.code, Some(64));
}

#[tokio::test]
async fn what_kubernetes_sets_for_a_service_of_this_name_is_ignored() {
    let variables = [
        ("GATEPASS_PORT", "tcp://10.0.0.1:50051"),
        ("GATEPASS_SERVICE_HOST", "10.0.0.1"),
        ("GATEPASS_SERVICE_PORT", "50051"),
        ("GATEPASS_PORT_50051_TCP_ADDR", "10.0.0.1"),
    ];
    let folder = folder();
    Serving::ready(folder.path(), &[], &variables).await.stop().await;
}

#[tokio::test]
async fn it_does_not_listen_beyond_loopback_without_callers_tls_and_an_issuer() {
    let folder = folder();
    for name in ["GRPC_ADDR", "HTTP_ADDR", "ADMIN_ADDR"] {
        let setting = format!("GATEPASS_SERVER__{name}");
        let ended = run(folder.path(), &["serve"], &[(&setting, "0.0.0.0:0")]).await;
        assert_eq!(ended.code, Some(64));
        for told in ["without callers", "without TLS", "with the default issuer"] {
            assert!(ended.stderr.contains(told), "{told}\n{}", ended.stderr);
        }
    }
    let http = [("GATEPASS_SERVER__GRPC_ADDR", "[::]:0"), ("GATEPASS_ISSUER", "http://auth.example.com")];
    let ended = run(folder.path(), &["serve"], &http).await;
    assert!(ended.code == Some(64) && ended.stderr.contains("must be https"), "{}", ended.stderr);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn migrate_makes_the_schema_that_a_server_may_be_told_to_wait_for() {
    let folder = folder();
    let wait = [("GATEPASS_DATABASE__MIGRATE_ON_START", "false")];
    let mut serving = Serving::start(folder.path(), &[], &wait).await;
    serving.until("database schema outdated; waiting for `gatepass migrate`").await;
    for _ in 0..2 {
        let migrated = run(folder.path(), &["migrate"], &[]).await;
        assert_eq!(
            (migrated.code, migrated.stdout.as_str()),
            (Some(0), "the database schema is up to date\n")
        );
    }
    serving.until("ready").await;
    serving.stop().await;
    let nowhere = [("GATEPASS_DATABASE__URL", "sqlite://nowhere/gatepass.db?mode=rwc")];
    let failed = run(folder.path(), &["migrate"], &nowhere).await;
    assert_eq!(failed.code, Some(1));
    assert!(failed.stderr.contains("database unavailable"), "{}", failed.stderr);
}

#[tokio::test]
async fn keys_list_tells_the_one_key_and_the_same_after_a_restart() {
    let folder = folder();
    let none = run(folder.path(), &["keys", "list"], &[]).await;
    assert_eq!((none.code, none.stdout.as_str()), (Some(0), ""));
    Serving::ready(folder.path(), &[], &[]).await.stop().await;
    let listed = run(folder.path(), &["keys", "list"], &[]).await;
    assert_eq!((listed.code, listed.stdout.lines().count()), (Some(0), 1), "{listed:?}");
    let words: Vec<_> = listed.stdout.split_whitespace().collect();
    assert_eq!(words[1..4], ["ES256", "signs", "since"]);
    let serving = Serving::ready(folder.path(), &[], &[]).await;
    assert_eq!(run(folder.path(), &["keys", "list"], &[]).await.stdout, listed.stdout);
    serving.stop().await;
}

#[tokio::test]
async fn keys_are_rotated_and_revoked_by_commands_while_it_serves() {
    let folder = folder();
    let mut serving = Serving::ready(folder.path(), &[], &[("GATEPASS_SECRETS", SECRET)]).await;
    let keys = async |arguments: &[&str], secrets: &str| {
        run(folder.path(), &[&["keys"], arguments].concat(), &[("GATEPASS_SECRETS", secrets)]).await
    };
    let first = keys(&["list"], SECRET).await.stdout.split(' ').next().unwrap().to_owned();
    let rotated = keys(&["rotate"], SECRET).await;
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    assert!(rotated.stdout.contains(" is published and signs from 20"), "{rotated:?}");
    let waiting = keys(&["rotate"], SECRET).await;
    assert_eq!(waiting.code, Some(0));
    assert!(waiting.stdout.ends_with("nothing was changed\n"), "{waiting:?}");
    let revoked = keys(&["revoke", &first], SECRET).await;
    let second = rotated.stdout.split(' ').next().unwrap();
    assert_eq!(
        revoked.stdout.lines().last(),
        Some(format!("{second} signs from now on").as_str()),
        "{revoked:?}"
    );
    // One key id in 64 begins with a hyphen.
    for other in ["other", "-other", "--other", "-h-other"] {
        let unknown = keys(&["revoke", other], SECRET).await;
        assert_eq!(unknown.code, Some(1));
        assert_eq!(
            unknown.stderr,
            format!("no signing key {other}; the existing keys are:\n{second}\n{first}\n")
        );
    }

    // A key that cannot be opened is reported once, whatever comes after it.
    let foreign = keys(&["rotate"], "another secret of a test and long enough").await;
    assert_eq!((foreign.code, foreign.stdout.as_str()), (Some(1), ""), "{foreign:?}");
    let url = format!("sqlite://{}/gatepass.db", folder.path().display());
    make_foreign_key(&url, &SystemClock).await;
    serving.until("failed to open signing key; add the secret that sealed it to `secrets`").await;
    let over = keys(&["revoke", second], SECRET).await;
    assert_eq!(over.code, Some(0), "{over:?}");
    let listed = keys(&["list"], SECRET).await;
    assert_eq!((listed.code, listed.stdout.lines().count()), (Some(1), 4), "{listed:?}");
    let states: Vec<_> = listed.stdout.lines().map(|line| line.split_whitespace().nth(2).unwrap()).collect();
    assert_eq!(states, ["next", "signs", "revoked", "revoked"]);
    let mut auth = serving.auth().await;
    let signing = listed.stdout.lines().nth(1).unwrap().split(' ').next().unwrap();
    loop {
        let grant = allowed(auth.sign_in(profile("ada")).await).grant.unwrap();
        let request = IssueTokenRequest { grant, ..Default::default() };
        let token = auth.issue_token(request).await.unwrap().into_inner().access_token;
        if crate::support::keys::kid(&token) == signing {
            break;
        }
    }
    drop(auth);
    let log = serving.stop().await;
    assert_eq!(log.iter().filter(|line| line.contains("failed to open signing key")).count(), 1, "{log:?}");
}

#[tokio::test]
async fn who_stops_reading_fails_nothing_and_a_full_disk_is_told() {
    let folder = folder();
    fs::write(folder.path().join("case.json"), r#"{"callback": "redirect", "input": {"url": "/"}}"#).unwrap();
    Serving::ready(folder.path(), &[], &[]).await.stop().await;
    let printed = async |arguments: &[&str], stdout: Stdio| {
        let mut command = gatepass(folder.path(), arguments, &[]);
        Ended::from(command.stdout(stdout).spawn().unwrap().wait_with_output().await.unwrap())
    };
    for arguments in [
        &["keys", "list"][..],
        &["keys", "rotate"],
        &["migrate"],
        &["config", "check"],
        &["callers", "key"],
        &["callbacks", "test", "--input", "case.json"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = printed(arguments, writer.into()).await;
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let ended = printed(arguments, full.into()).await;
        assert_eq!(ended.code, Some(1), "{arguments:?}");
        assert_eq!(ended.stderr, "cannot write to standard output: No space left on device (os error 28)\n");
    }
    assert_eq!(run(folder.path(), &["keys", "list"], &[]).await.stdout.lines().count(), 2, "it was rotated");
}

#[tokio::test]
async fn a_callers_key_works_where_its_hash_is_configured() {
    let made = command(&["callers", "key"], &[]).await;
    assert_eq!(made.code, Some(0));
    let word = |label| made.stdout.lines().find_map(|line| line.strip_prefix(label)).unwrap().trim();
    let (key, hash) = (word("key:"), word("key_sha256:"));
    assert_eq!(hash, hex::encode(sha256(key.as_bytes())));
    assert!(key.starts_with("gpk_"));
    assert_ne!(command(&["callers", "key"], &[]).await.stdout, made.stdout);

    let callers = format!(
        "[{{id: web, credential: {{key_sha256: {hash}}}, allow: [sign_in, sign_in.assert, session.read]}}]"
    );
    let folder = folder();
    let serving = Serving::ready(folder.path(), &[], &[("GATEPASS_CALLERS", &callers)]).await;
    assert!(!serving.said("no callers configured"));
    let mut auth = serving.auth().await;
    allowed(auth.sign_in(with_key(profile("ada"), key)).await);
    let unknown = (Code::Unauthenticated, "CALLER_UNKNOWN".to_owned());
    assert_eq!(refusal(auth.sign_in(profile("ada")).await), unknown);
    assert_eq!(refusal(auth.sign_in(with_key(profile("ada"), hash)).await), unknown);
    let admin = serving.admin().await.get_user(with_key(GetUserRequest::default(), key)).await;
    assert_eq!(refusal(admin), (Code::PermissionDenied, "CALLER_NOT_ALLOWED".to_owned()));
    drop(auth);
    serving.stop().await;
}

#[tokio::test]
async fn health_asks_the_one_that_serves() {
    let folder = folder();
    let serving = Serving::ready(folder.path(), &[], &[]).await;
    let admin = serving.admin.to_string();
    let asked = async || run(folder.path(), &["health"], &[("GATEPASS_SERVER__ADMIN_ADDR", &admin)]).await;
    let serves = asked().await;
    assert_eq!((serves.code, serves.stdout.as_str()), (Some(0), "serving\n"));
    serving.stop().await;
    let gone = asked().await;
    assert_eq!((gone.code, gone.stderr), (Some(1), format!("no response from {admin}\n")));
}

#[tokio::test]
async fn a_signal_drains_and_ends_it() {
    for signal in ["TERM", "INT"] {
        let folder = folder();
        let mut serving = Serving::ready(folder.path(), &[], &[]).await;
        let mut health = HealthClient::new(serving.channel().await);
        let mut watch = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
        assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
        let _silent = TcpStream::connect(serving.grpc).await.unwrap();
        serving.signal(signal).await;
        let end = loop {
            match watch.message().await {
                Ok(Some(change)) => assert_eq!(change.status(), ServingStatus::NotServing),
                Ok(None) => panic!("a watch ends with a status"),
                Err(end) => break end,
            }
        };
        assert_eq!(refusal(Err::<(), _>(end)), (Code::Unavailable, "DRAINING".to_owned()));
        assert_eq!(serving.ends().await.code(), Some(0), "{signal}");
        assert!(serving.said("draining"));
        assert!(TcpStream::connect(serving.grpc).await.is_err());
        let rest = ["gatepass.db-wal", "gatepass.db-shm"].map(|name| folder.path().join(name).exists());
        assert_eq!(rest, [false, false], "the database is closed");
    }
}

#[tokio::test]
async fn a_name_that_is_looked_up_without_end_does_not_hold_its_end() {
    let folder = folder();
    // The resolver reads names without a dot from this file, and a reader of a pipe waits for a writer.
    let aliases = folder.path().join("aliases");
    assert!(Command::new("mkfifo").arg(&aliases).status().unwrap().success());
    let remote = "{url: 'https://nobody', callbacks: [jwt]}";
    let variables = [("HOSTALIASES", aliases.to_str().unwrap()), ("GATEPASS_CALLBACKS__REMOTE", remote)];
    let serving = Serving::ready(folder.path(), &[], &variables).await;
    let writer = OnceCell::new();
    let looked_up =
        async || pipe::OpenOptions::new().open_sender(&aliases).is_ok_and(|pipe| writer.set(pipe).is_ok());
    eventually("the name is looked up", looked_up).await;
    serving.stop().await;
}

#[tokio::test]
async fn a_signal_ends_it_while_it_still_waits_for_the_database() {
    let folder = folder();
    let variables =
        [("GATEPASS_DATABASE__URL", "sqlite://missing/gatepass.db?mode=rwc"), ("GATEPASS_SECRETS", SECRET)];
    let mut serving = Serving::start(folder.path(), &[], &variables).await;
    serving.until("start-up step failed; retrying").await;
    serving.stop().await;
}

#[tokio::test]
async fn a_secret_that_opens_no_key_stops_the_start() {
    let folder = folder();
    Serving::ready(folder.path(), &[], &[("GATEPASS_SECRETS", SECRET)]).await.stop().await;
    let listed = run(folder.path(), &["keys", "list"], &[("GATEPASS_SECRETS", SECRET)]).await.stdout;
    let kid = listed.split_whitespace().next().unwrap();
    let other = [("GATEPASS_SECRETS", "another secret of a test and long enough")];
    for arguments in [&["serve"][..], &["keys", "list"]] {
        let ended = run(folder.path(), arguments, &other).await;
        assert_eq!(ended.code, Some(1), "{arguments:?}");
        assert!(ended.stderr.contains(&format!("signing key {kid}")), "{}", ended.stderr);
        assert!(ended.stderr.contains("restore the secret that sealed it in `secrets`"), "{}", ended.stderr);
    }
    let both = format!("['another secret of a test and long enough', '{SECRET}']");
    Serving::ready(folder.path(), &[], &[("GATEPASS_SECRETS", &both)]).await.stop().await;
}

#[tokio::test]
async fn a_kept_secret_that_others_may_read_stops_the_start() {
    let folder = folder();
    Serving::ready(folder.path(), &[], &[]).await.stop().await;
    let kept = folder.path().join("gatepass.db.secret");
    let secret = fs::read_to_string(&kept).unwrap();
    fs::set_permissions(&kept, fs::Permissions::from_mode(0o644)).unwrap();
    for arguments in [&["serve"][..], &["keys", "list"]] {
        let ended = run(folder.path(), arguments, &[]).await;
        assert_eq!(ended.code, Some(1));
        assert!(ended.stderr.contains("chmod 600 gatepass.db.secret"), "{}", ended.stderr);
        assert!(!ended.stderr.contains(secret.trim()), "a secret is in no message");
    }
    fs::set_permissions(&kept, fs::Permissions::from_mode(0o600)).unwrap();
    Serving::ready(folder.path(), &[], &[]).await.stop().await;
    fs::remove_file(&kept).unwrap();
    let lost = run(folder.path(), &["serve"], &[]).await;
    assert_eq!(lost.code, Some(1), "a new secret opens no old key");
}

/// Checks that the program waits for the folder of its database, and is ready once the folder exists.
async fn waits_for_its_folder(variables: &[(&str, &str)]) {
    let folder = folder();
    let mut all = vec![("GATEPASS_DATABASE__URL", "sqlite://data/gatepass.db?mode=rwc")];
    all.extend(variables);
    let mut serving = Serving::start(folder.path(), &[], &all).await;
    serving.until("start-up step failed; retrying").await;
    let mut health = HealthClient::new(serving.channel().await);
    let mut status = async |service: &str| {
        let asked = health.check(HealthCheckRequest { service: service.to_owned() }).await;
        asked.unwrap().into_inner().status()
    };
    for service in ["", "gatepass.v1.AuthService", "gatepass.v1.AdminService"] {
        assert_eq!(status(service).await, ServingStatus::NotServing, "{service}");
    }
    assert_eq!(status("liveness").await, ServingStatus::Serving);
    let admin = serving.admin.to_string();
    let asked = run(folder.path(), &["health"], &[("GATEPASS_SERVER__ADMIN_ADDR", &admin)]).await;
    assert_eq!((asked.code, asked.stderr.as_str()), (Some(1), "not serving\n"));
    let refused = serving.auth().await.sign_in(profile("ada")).await.unwrap_err();
    assert!(refused.get_error_details().retry_info().is_some());
    assert_eq!(refusal(Err::<(), _>(refused)), (Code::Unavailable, "STORE_UNAVAILABLE".to_owned()));

    fs::create_dir(folder.path().join("data")).unwrap();
    serving.until("ready").await;
    allowed(serving.auth().await.sign_in(profile("ada")).await);
    serving.stop().await;
}

#[tokio::test]
async fn it_waits_for_the_folder_of_the_database() {
    waits_for_its_folder(&[("GATEPASS_SECRETS", SECRET)]).await;
}

#[tokio::test]
async fn it_waits_for_the_folder_that_its_own_secret_goes_to() {
    waits_for_its_folder(&[]).await;
}

#[tokio::test]
async fn a_file_that_is_no_database_stops_the_start() {
    let folder = folder();
    fs::write(folder.path().join("gatepass.db"), "this is a letter to a friend\n".repeat(100)).unwrap();
    let ended = run(folder.path(), &["serve"], &[("GATEPASS_SECRETS", SECRET)]).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("not a database"), "{}", ended.stderr);
}

#[tokio::test]
async fn an_address_that_is_taken_is_named_with_its_setting() {
    let folder = folder();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let ended = run(folder.path(), &["serve"], &[("GATEPASS_SERVER__HTTP_ADDR", &addr)]).await;
    assert_eq!(ended.code, Some(1));
    let told = format!("server.http_addr: cannot listen on {addr}");
    assert!(ended.stderr.contains(&told), "{}", ended.stderr);
}

#[tokio::test]
async fn two_programs_can_serve_one_file() {
    let folder = folder();
    let variables = [("GATEPASS_DATABASE__ACQUIRE_TIMEOUT", "30s")];
    let (one, other) = tokio::join!(
        Serving::ready(folder.path(), &[], &variables),
        Serving::ready(folder.path(), &[], &variables),
    );
    let grant = allowed(one.auth().await.sign_in(profile("ada")).await).grant.unwrap();
    let request = IssueTokenRequest { grant, ..Default::default() };
    let tokens = other.auth().await.issue_token(request).await.unwrap().into_inner();
    let refresh = RefreshTokenRequest { refresh_token: tokens.refresh_token, ..Default::default() };
    one.auth().await.refresh_token(refresh).await.unwrap();
    let listed = run(folder.path(), &["keys", "list"], &[]).await;
    assert_eq!(listed.stdout.lines().count(), 1, "both sign with one key");
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn nothing_secret_is_in_the_log() {
    let folder = folder();
    let made = command(&["callers", "key"], &[]).await.stdout;
    let word = |label| made.lines().find_map(|line| line.strip_prefix(label)).unwrap().trim().to_owned();
    let (key, hash) = (word("key:"), word("key_sha256:"));
    let yaml = format!(
        "secrets: ['{SECRET}']\ntelemetry: {{log_level: trace}}\nauth_log: {{exclude: []}}\n\
         session: {{update_allow: [colour]}}\n\
         callers: [{{id: web, credential: {{key_sha256: {hash}}}, allow: [sign_in, sign_in.assert, session.read, \
         admin.read, admin.write]}}]\n"
    );
    fs::write(folder.path().join("g.yaml"), yaml).unwrap();
    let serving = Serving::ready(folder.path(), &["--config", "g.yaml"], &[]).await;
    let mut auth = serving.auth().await;
    let mut secrets =
        vec![SECRET.to_owned(), key.clone(), "ada@example.com".to_owned(), "example.com".to_owned()];

    let mut person = profile("ada");
    let wrong_caller = "gpk_nobody-has-this-key-0123456789";
    secrets.push(wrong_caller.to_owned());
    auth.sign_in(with_key(person.clone(), wrong_caller)).await.unwrap_err();
    person.request_id = "a-request-id-that-makes-it-repeatable".to_owned();
    secrets.push(person.request_id.clone());
    let signed = allowed(auth.sign_in(with_key(person, &key)).await);
    let grant = signed.grant.unwrap();
    let request = IssueTokenRequest { grant: grant.clone(), ..Default::default() };
    let issued = auth.issue_token(with_key(request.clone(), &key)).await.unwrap().into_inner();
    auth.issue_token(with_key(request, &key)).await.unwrap_err();
    let refresh = |token: &str| {
        let colour = [(
            "colour".to_owned(),
            prost_types::Value { kind: Some(prost_types::value::Kind::StringValue("mauve-1856".into())) },
        )];
        let update = Some(prost_types::Struct { fields: colour.into_iter().collect() });
        with_key(RefreshTokenRequest { refresh_token: token.to_owned(), update, ..Default::default() }, &key)
    };
    secrets.push("mauve-1856".to_owned());
    let first = auth.refresh_token(refresh(&issued.refresh_token)).await.unwrap().into_inner();
    auth.refresh_token(refresh(&issued.refresh_token)).await.unwrap();
    let second = auth.refresh_token(refresh(&first.refresh_token)).await.unwrap().into_inner();
    let session = |token: &str| {
        let credential = Some(get_session_request::Credential::AccessToken(token.to_owned()));
        with_key(GetSessionRequest { credential, ..Default::default() }, &key)
    };
    auth.get_session(session(&second.access_token)).await.unwrap();
    let mut forged = second.access_token.clone();
    forged.replace_range(forged.len() - 4.., "AAAA");
    auth.get_session(session(&forged)).await.unwrap_err();
    let secret_url = "https://evil.example/?code=a-code-that-nobody-may-see";
    secrets.push("a-code-that-nobody-may-see".to_owned());
    let redirect = ResolveRedirectRequest { url: secret_url.to_owned(), ..Default::default() };
    auth.resolve_redirect(with_key(redirect, &key)).await.unwrap();
    // A reused refresh token is logged.
    let reused = another_successor(&issued.refresh_token, SECRET);
    auth.refresh_token(refresh(&reused)).await.unwrap_err();
    let credential = Some(sign_out_request::Credential::RefreshToken(second.refresh_token.clone()));
    auth.sign_out(with_key(SignOutRequest { credential, ..Default::default() }, &key)).await.unwrap();
    let mut bad = profile("eve");
    bad.redirect_to = "\u{0}".repeat(10);
    let _ = auth.sign_in(with_key(bad, &key)).await;
    drop(auth);
    secrets.extend([issued.access_token, issued.refresh_token]);
    for token in [first, second] {
        secrets.extend([token.access_token, token.refresh_token]);
    }
    secrets.extend([grant, forged, reused]);
    let kept: Vec<_> = secrets.iter().flat_map(|secret| parts(secret)).collect();
    let log = serving.stop().await.join("\n");
    assert!(log.contains("refresh token reused"), "{log}");
    for secret in kept {
        assert!(!log.contains(secret), "{secret}\n{log}");
    }
}

/// Returns a secret, and those parts of a token that are as secret as the whole.
fn parts(secret: &str) -> Vec<&str> {
    let mut parts = vec![secret];
    parts.extend(secret.rsplit('.').next().filter(|last| last.len() >= 16));
    parts
}

#[tokio::test]
async fn a_client_that_speaks_to_the_wrong_port_is_told() {
    let folder = folder();
    let serving = Serving::ready(folder.path(), &[], &[]).await;
    let channel =
        Endpoint::from_shared(format!("http://{}", serving.admin)).unwrap().connect().await.unwrap();
    let mut auth = gatepass::grpc::proto::v1::auth_service_client::AuthServiceClient::new(channel);
    let status = auth.sign_in(profile("ada")).await.unwrap_err();
    assert_ne!(status.code(), Code::Ok);
    drop(auth);
    serving.stop().await;
}
