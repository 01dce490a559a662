//! A service that hangs, is slow, breaks off, is unavailable, and recovers.

use std::sync::Arc;
use std::time::Duration;

use gatepass::grpc::proto::callback::v1::RedirectResponse;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::{asking, told, unavailable};
use crate::support::callback_service::{CallbackServer, Reply, allow, claims, section_at, shows};
use crate::support::log::Log;
use crate::support::wire::Wire;
use crate::support::{TestApp, builder, eventually, profile, refusal};

/// Checks that all calls to the service fail and spend nothing, and that they succeed after `mend`.
async fn fails_and_spends_nothing(
    app: &TestApp,
    service: &mut CallbackServer,
    spoil: impl AsyncFnOnce(&mut CallbackServer),
    mend: impl AsyncFnOnce(&mut CallbackServer),
) {
    let grant = app.sign_in("ada").await.grant.unwrap();
    let tokens = app.tokens("ada").await;
    let (counts, log) = (app.counts().await, app.log().await);
    spoil(service).await;
    for told in told(app.each(&grant, &tokens).await) {
        assert_eq!(told, Some(unavailable()));
    }
    assert_eq!(app.counts().await, counts);
    let log = [log, vec!["SIGN_IN_DENIED FAILED CALLBACK_UNAVAILABLE".to_owned()]].concat();
    assert_eq!(app.log().await, log);
    mend(service).await;
    // The connections return eventually; each call tries to open one.
    eventually("a sign-in after the service came back", || async {
        app.clock.advance(Duration::from_secs(5));
        app.try_sign_in(profile("ada")).await.is_ok()
    })
    .await;
    let refresh = app.refresh(&tokens.refresh_token);
    let answers = tokio::join!(app.issue(&grant), refresh);
    answers.0.expect("the grant was not spent");
    answers.1.expect("the refresh token was not spent");
    app.session(&tokens.access_token).await.unwrap();
}

async fn answers_well(service: &mut CallbackServer) {
    service.rules.are_well();
}

#[tokio::test]
async fn a_service_that_hangs_fails_each_call_in_its_time() {
    let mut service = CallbackServer::start().await;
    let app = asking(&service, "timeout: 200ms").await;
    let hang = async |service: &mut CallbackServer| {
        service.rules.sign_in.hangs();
        service.rules.jwt.hangs();
        service.rules.session.hangs();
        service.rules.redirect.hangs();
    };
    fails_and_spends_nothing(&app, &mut service, hang, answers_well).await;
}

#[tokio::test]
async fn a_service_that_takes_ten_seconds_fails_each_call_in_its_time() {
    const DELAY: Duration = Duration::from_secs(10);
    let mut service = CallbackServer::start().await;
    let app = asking(&service, "timeout: 200ms").await;
    let slow = async |service: &mut CallbackServer| {
        service.rules.sign_in.does(|_| Reply::After(DELAY, allow()));
        service.rules.jwt.does(|_| Reply::After(DELAY, claims(&json!({}))));
        service.rules.session.does(|_| Reply::After(DELAY, shows(&json!({}))));
        service.rules.redirect.does(|asked| Reply::After(DELAY, RedirectResponse { url: asked.url.clone() }));
    };
    fails_and_spends_nothing(&app, &mut service, slow, answers_well).await;
}

#[tokio::test]
async fn a_service_that_is_away_fails_each_call_at_once() {
    let (log, _logging) = Log::begin();
    let mut service = CallbackServer::start().await;
    let app = asking(&service, "timeout: 1m").await;
    let stop = async |service: &mut CallbackServer| service.stop().await;
    let start = async |service: &mut CallbackServer| service.start_again().await;
    fails_and_spends_nothing(&app, &mut service, stop, start).await;
    let causes = log.lines("callback failed");
    assert!(
        causes
            .iter()
            .all(|line| line.contains("not reached") || line.contains("not answer the calls before"))
    );
    assert!(causes.len() >= 5, "{causes:?}");
}

#[tokio::test]
async fn an_answer_that_is_late_is_none() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "timeout: 100ms").await;
    let told = Arc::new(Notify::new());
    let when = Arc::clone(&told);
    service.rules.sign_in.does(move |_| Reply::When(Arc::clone(&when), allow()));
    assert_eq!(refusal(app.try_sign_in(profile("ada")).await), unavailable());
    told.notify_one();
    assert_eq!(app.counts().await, [0, 0, 0]);
    service.rules.sign_in.answers(|_| allow());
    app.sign_in("ada").await;
}

#[tokio::test]
async fn a_connection_reset_during_an_answer_fails_the_call_and_is_replaced() {
    let service = CallbackServer::start().await;
    let wire = Wire::to(service.addr).await;
    let app = builder().config(&section_at(wire.addr, "timeout: 1m")).start().await;
    app.sign_in("ada").await;
    service.rules.sign_in.hangs();
    let mut auth = app.auth.clone();
    let asking = tokio::spawn(async move { auth.sign_in(profile("ada")).await });
    service.rules.sign_in.until_calls(2).await;
    wire.reset();
    assert_eq!(refusal(asking.await.unwrap()), unavailable());
    service.rules.sign_in.answers(|_| allow());
    app.sign_in("ada").await;
}

#[tokio::test]
async fn a_forgotten_connection_costs_one_call_its_timeout() {
    let service = CallbackServer::start().await;
    let wire = Wire::to(service.addr).await;
    let config = section_at(wire.addr, "callbacks: [sign_in], timeout: 300ms");
    let app = builder().config(&config).start().await;
    app.sign_in("ada").await;
    assert_eq!((service.connections(), wire.attempts()), (1, 1));
    wire.strand();
    assert_eq!(refusal(app.try_sign_in(profile("ada")).await), unavailable());
    eventually("another connection", || async { wire.attempts() == 2 }).await;
    eventually("a sign-in by it", || async { app.try_sign_in(profile("ada")).await.is_ok() }).await;
}

#[tokio::test]
async fn a_service_that_flaps_fails_calls_only_while_it_is_away() {
    let mut service = CallbackServer::start().await;
    let app = asking(&service, "callbacks: [sign_in]").await;
    for _ in 0..5 {
        app.sign_in("ada").await;
        service.stop().await;
        assert_eq!(refusal(app.try_sign_in(profile("ada")).await), unavailable());
        service.start_again().await;
        // The call itself opens the connection.
        eventually("a sign-in", || async { app.try_sign_in(profile("ada")).await.is_ok() }).await;
    }
}

/// Runs an HTTP/2 server that receives one call, and closes the connection with a notice that it did not process it.
async fn goes_away(listener: &TcpListener) {
    const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    const GO_AWAY: [u8; 17] = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const HEADERS: u8 = 1;
    let (mut tcp, _) = listener.accept().await.unwrap();
    tcp.write_all(&SETTINGS).await.unwrap();
    tcp.read_exact(&mut [0; 24]).await.unwrap();
    loop {
        let mut head = [0; 9];
        tcp.read_exact(&mut head).await.unwrap();
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        tcp.read_exact(&mut vec![0; length]).await.unwrap();
        if head[3] == HEADERS {
            tcp.write_all(&GO_AWAY).await.unwrap();
            // Reading the rest prevents a reset for data that is still in flight.
            let _ = tcp.read_to_end(&mut Vec::new()).await;
            return;
        }
    }
}

#[tokio::test]
async fn a_call_that_the_service_did_not_take_goes_by_another_connection() {
    let service = CallbackServer::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = section_at(listener.local_addr().unwrap(), "callbacks: [sign_in], timeout: 1m");
    let serving = tokio::spawn(async move {
        goes_away(&listener).await;
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut server = TcpStream::connect(service.addr).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        }
    });
    let app = builder().config(&config).start().await;
    app.sign_in("ada").await;
    serving.abort();
}

#[tokio::test]
async fn gatepass_starts_and_is_healthy_without_the_service_and_finds_it_later() {
    let (log, _logging) = Log::begin();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let app = builder().config(&section_at(addr, "callbacks: [sign_in]")).start().await;
    assert_eq!(refusal(app.try_sign_in(profile("ada")).await), unavailable());
    let health = tonic_health::pb::health_client::HealthClient::new(app.channel.clone());
    for name in ["", "gatepass.v1.AuthService"] {
        let request = tonic_health::pb::HealthCheckRequest { service: name.to_owned() };
        let status = health.clone().check(request).await.unwrap().into_inner().status();
        assert_eq!(status, tonic_health::pb::health_check_response::ServingStatus::Serving, "{name:?}");
    }
    assert_eq!(app.resolve("/x").await.unwrap().url, "http://localhost:3000/x");
    assert_eq!(log.lines("callback service not reached").len(), 1);
}

#[tokio::test]
async fn the_connection_is_there_before_the_first_call() {
    let service = CallbackServer::start().await;
    let _app = asking(&service, "").await;
    eventually("a connection for each", || async { service.connections() == 4 }).await;
    assert_eq!(service.rules.calls(), 0);
}

#[tokio::test]
async fn what_hangs_holds_up_nothing_else() {
    let service = CallbackServer::start().await;
    let app = asking(&service, "callbacks: [sign_in, redirect], timeout: 1m").await;
    let issued = app.tokens("ada").await;
    service.rules.sign_in.hangs();
    let before = service.rules.sign_in.calls();
    let mut hung = JoinSet::new();
    for _ in 0..50 {
        let mut auth = app.auth.clone();
        hung.spawn(async move { auth.sign_in(profile("eve")).await });
    }
    service.rules.sign_in.until_calls(before + 50).await;
    app.session(&issued.access_token).await.unwrap();
    app.refresh(&issued.refresh_token).await.unwrap();
    app.resolve("/x").await.unwrap();
    assert_eq!(hung.len(), 50, "none of them has ended");
}
