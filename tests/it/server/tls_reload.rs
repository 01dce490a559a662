//! Certificates that are replaced while connections and calls are open.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use gatepass::grpc::layers::Request;
use gatepass::grpc::serve;
use gatepass::model::{OsEntropy, SystemClock};
use gatepass::net::Limits;
use gatepass::net::tls::Tls;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tower::{ServiceExt as _, service_fn};

use crate::support::program::{Ended, Serving, run};
use crate::support::tls::{Authority, SERVER, channel, check, files, presented};

const TLS: &str = "server: {tls: {cert: tls.crt, key: tls.key}}";
const NOT_LOADED: &str = "tls files not loaded, those before stay in use";

fn folder(yaml: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("g.yaml"), yaml).unwrap();
    folder
}

async fn program(folder: &Path) -> Serving {
    Serving::ready(folder, &["--config", "g.yaml"], &[]).await
}

async fn config_check(folder: &Path) -> Ended {
    run(folder, &["config", "check", "--config", "g.yaml"], &[]).await
}

#[tokio::test]
async fn a_call_in_flight_goes_on_while_new_connections_see_the_new_certificate() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let (old, new) = (authority.issue(&[SERVER]), authority.issue(&[SERVER]));
    old.write(folder.path());
    let (entered, release) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let service = service_fn({
        let (entered, release) = (Arc::clone(&entered), Arc::clone(&release));
        move |_: Request| {
            let (entered, release) = (Arc::clone(&entered), Arc::clone(&release));
            async move {
                entered.add_permits(1);
                release.acquire().await.unwrap().forget();
                Ok(http::Response::builder().header("answered", "yes").body(Body::empty()).unwrap())
            }
        }
    });
    let tls = Arc::new(Tls::load("server.tls", files(folder.path()), Arc::new(SystemClock)).unwrap());
    let following = tokio::spawn({
        let tls = Arc::clone(&tls);
        async move { tls.follow().await }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (entropy, shutdown) = (Arc::new(OsEntropy), CancellationToken::new());
    let serving =
        serve(listener, Some(Arc::clone(&tls)), Limits::default(), entropy, service, shutdown.clone());
    let serving = tokio::spawn(serving);

    let client = authority.client(None);
    let connection = channel(addr, &client).await;
    let call = async |connection: tonic::transport::Channel| {
        let request = http::Request::post("/a.B/C").header("content-type", "application/grpc");
        connection.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    };
    let in_flight = tokio::spawn({
        let connection = connection.clone();
        async move { call(connection).await }
    });
    entered.acquire().await.unwrap().forget();
    assert_eq!(presented(addr, &client).await, old.der());
    new.write(folder.path());
    tls.reload();
    while presented(addr, &client).await != new.der() {
        tokio::task::yield_now().await;
    }
    release.add_permits(2);
    assert_eq!(in_flight.await.unwrap().headers()["answered"], "yes");
    assert_eq!(call(connection).await.headers()["answered"], "yes", "the old connection takes new calls");
    shutdown.cancel();
    assert_eq!(serving.await.unwrap(), 0);
    following.abort();
}

#[tokio::test]
async fn sighup_has_a_new_certificate_loaded_at_once_and_cuts_nothing() {
    let (authority, folder) = (Authority::new(), folder(TLS));
    let (old, new) = (authority.issue(&[SERVER]), authority.issue_until(2090, &[SERVER, "also.test"]));
    old.write(folder.path());
    let mut program = program(folder.path()).await;
    let client = authority.client(None);
    let connection = channel(program.grpc, &client).await;
    let mut health = HealthClient::new(connection.clone());
    let mut watch = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    watch.message().await.unwrap().unwrap();
    assert_eq!(presented(program.grpc, &client).await, old.der());

    new.write(folder.path());
    program.signal("HUP").await;
    let told = program.until("certificate loaded").await;
    assert_eq!(told["not_after"], "2090-01-01T00:00:00Z");
    assert_eq!(told["names"], "gatepass.test also.test");
    assert_eq!(presented(program.grpc, &client).await, new.der());
    check(&connection).await.expect("the old connection goes on");
    program.signal("HUP").await;
    program.until("the tls files are those in use").await;
    program.signal("TERM").await;
    let end = loop {
        if let Err(end) = watch.message().await {
            break end;
        }
    };
    assert_eq!(
        end.metadata().get("gatepass-reason").unwrap(),
        "DRAINING",
        "the watch went on until the drain"
    );
    assert_eq!(program.ends().await.code(), Some(0));
    let log = program.log.join("\n");
    for secret in [&old, &new] {
        for line in secret.key.lines().filter(|line| !line.contains("PRIVATE KEY")) {
            assert!(!log.contains(line), "{log}");
        }
    }
}

#[tokio::test]
async fn what_does_not_fit_leaves_the_old_certificate_in_use() {
    let (authority, folder) = (Authority::new(), folder(TLS));
    let (old, new) = (authority.issue(&[SERVER]), authority.issue(&[SERVER]));
    old.write(folder.path());
    let mut program = program(folder.path()).await;
    let client = authority.client(None);

    // Only half of a new pair is written.
    fs::write(folder.path().join("tls.crt"), &new.cert).unwrap();
    let told = program.until(NOT_LOADED).await;
    assert!(told["fault"].as_str().unwrap().contains("is not the key of the first certificate"), "{told}");
    assert_eq!(presented(program.grpc, &client).await, old.der());
    fs::write(folder.path().join("tls.crt"), "-----BEGIN CERTIFICATE-----\nnot base64!\n").unwrap();
    let told = program.until(NOT_LOADED).await;
    assert_eq!(told["fault"], "server.tls.cert: tls.crt: is not whole PEM");
    fs::remove_file(folder.path().join("tls.crt")).unwrap();
    let told = program.until(NOT_LOADED).await;
    assert!(
        told["fault"].as_str().unwrap().starts_with("server.tls.cert: tls.crt: cannot be read"),
        "{told}"
    );
    assert_eq!(presented(program.grpc, &client).await, old.der());

    // Both halves exist now; the program loads them without a signal.
    new.write(folder.path());
    program.until("certificate loaded").await;
    assert_eq!(presented(program.grpc, &client).await, new.der());
    program.stop().await;
}

#[tokio::test]
async fn a_mounted_secret_that_changes_by_its_links_is_followed() {
    let yaml = "server: {tls: {cert: secret/tls.crt, key: secret/tls.key, client_ca: secret/ca.crt}}";
    let (authority, other, folder) = (Authority::new(), Authority::new(), folder(yaml));
    let secret = folder.path().join("secret");
    let version = |name: &str, authority: &Authority| {
        let version = secret.join(name);
        fs::create_dir_all(&version).unwrap();
        authority.issue(&[SERVER]).write(&version);
        fs::write(version.join("ca.crt"), &authority.pem).unwrap();
    };
    version("..1", &authority);
    symlink("..1", secret.join("..data")).unwrap();
    for file in ["tls.crt", "tls.key", "ca.crt"] {
        symlink(format!("..data/{file}"), secret.join(file)).unwrap();
    }
    let mut program = program(folder.path()).await;
    let before = authority.client(Some(&authority.issue(&["web"])));
    check(&channel(program.grpc, &before).await).await.unwrap();

    version("..2", &other);
    symlink("..2", secret.join("..tmp")).unwrap();
    fs::rename(secret.join("..tmp"), secret.join("..data")).unwrap();
    program.until("certificate loaded").await;
    let after = other.client(Some(&other.issue(&["web"])));
    check(&channel(program.grpc, &after).await).await.unwrap();
    let stranger = channel(program.grpc, &other.client(Some(&authority.issue(&["web"])))).await;
    check(&stranger).await.expect_err("the authority of clients was replaced too");
    program.stop().await;
}

#[tokio::test]
async fn a_certificate_out_of_its_time_is_warned_of_and_used() {
    let (authority, folder) = (Authority::new(), folder(TLS));
    authority.issue_until(2020, &[SERVER]).write(folder.path());
    assert_eq!(config_check(folder.path()).await.code, Some(0));
    let mut program = program(folder.path()).await;
    let warned = "the certificate is out of its time, clients will refuse it";
    assert!(program.said(warned), "{:?}", program.log);
    authority.issue(&[SERVER]).write(folder.path());
    program.until("certificate loaded").await;
    check(&channel(program.grpc, &authority.client(None)).await).await.unwrap();
    let log = program.stop().await;
    assert_eq!(log.iter().filter(|line| line.contains(warned)).count(), 1);
}

#[tokio::test]
async fn files_that_cannot_be_used_are_told_before_the_start() {
    let folder = folder("server: {tls: {cert: tls.crt, key: tls.key, client_ca: ca.crt}}");
    let (authority, at) = (Authority::new(), folder.path());
    let good = authority.issue(&[SERVER]);
    let whole = || {
        good.write(at);
        fs::write(at.join("ca.crt"), &authority.pem).unwrap();
    };
    whole();
    let sound = config_check(at).await;
    assert_eq!((sound.code, sound.stdout.as_str()), (Some(0), "the configuration is sound\n"));
    let other = authority.issue(&[SERVER]);
    let cut = &good.cert[..good.cert.len() / 2];
    let no_x509 = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (file, content, told) in [
        ("tls.crt", None, "cert: tls.crt: cannot be read: No such file"),
        ("tls.crt", Some(""), "cert: tls.crt: holds no certificate; give PEM"),
        ("tls.crt", Some(good.key.as_str()), "cert: tls.crt: holds no certificate; give PEM"),
        ("tls.crt", Some(cut), "cert: tls.crt: is not whole PEM"),
        ("tls.crt", Some(no_x509), "cert: tls.crt: its first certificate can't be used"),
        ("tls.crt", Some(&authority.pem), "key: tls.key: is not the key of the first certificate in tls.crt"),
        ("tls.key", None, "key: tls.key: cannot be read: No such file"),
        ("tls.key", Some(&good.cert), "key: tls.key: holds no private key; give it as PEM"),
        ("tls.key", Some(&other.key), "key: tls.key: is not the key of the first certificate in tls.crt"),
        ("ca.crt", None, "client_ca: ca.crt: cannot be read: No such file"),
        ("ca.crt", Some("\n"), "client_ca: ca.crt: holds no certificate"),
        ("ca.crt", Some(no_x509), "client_ca: ca.crt: its certificate number 1 can't be used"),
    ] {
        whole();
        match content {
            Some(content) => fs::write(at.join(file), content).unwrap(),
            None => fs::remove_file(at.join(file)).unwrap(),
        }
        for arguments in [&["config", "check", "--config", "g.yaml"][..], &["--config", "g.yaml"]] {
            let ended = run(at, arguments, &[]).await;
            let wanted = format!("server.tls.{told}");
            assert!(ended.code == Some(64) && ended.stderr.starts_with(&wanted), "{wanted}\n{ended:?}");
        }
    }
    assert!(!at.join("gatepass.db").exists(), "nothing was touched");
}
