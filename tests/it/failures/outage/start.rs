//! A Gatepass that starts while its database is unavailable: it waits, reports this, and is ready once the database is.

use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;

use super::{health, probe, variables};
use crate::support::program::Serving;
use crate::support::servers::{Kind, PrivateServer};
use crate::support::wire::Wire;
use crate::support::{allowed, profile, refusal};

crate::on_servers! {
    of crate::support::servers::Kind:
    it_waits_for_a_server_that_is_down,
    it_waits_for_a_server_that_does_not_answer,
    it_waits_for_a_server_that_cuts_its_connections,
}

/// Starts a Gatepass without its database, and checks it before and after the database becomes available.
async fn waits(url: &str, come: impl AsyncFnOnce()) {
    let folder = tempfile::tempdir().unwrap();
    let mut gatepass = Serving::start(folder.path(), &[], &variables(url)).await;
    gatepass.until("not ready yet").await;
    for service in ["", "gatepass.v1.AuthService", "gatepass.v1.AdminService"] {
        assert_eq!(health(&gatepass, service).await, ServingStatus::NotServing, "{service}");
    }
    assert!(probe(&gatepass, "/livez").await && !probe(&gatepass, "/readyz").await);
    assert!(probe(&gatepass, "/metrics").await);
    let wanted = (Code::Unavailable, "STORE_UNAVAILABLE".to_owned());
    assert_eq!(refusal(gatepass.auth().await.sign_in(profile("ada")).await), wanted);
    come().await;
    gatepass.until("ready").await;
    assert!(probe(&gatepass, "/readyz").await);
    allowed(gatepass.auth().await.sign_in(profile("ada")).await);
    let log = gatepass.stop().await;
    assert!(log.iter().all(|line| !line.contains("ERROR")), "{log:#?}");
}

async fn it_waits_for_a_server_that_is_down(kind: Kind) {
    let mut server = PrivateServer::of(kind).await;
    server.stop();
    waits(&server.url(), async || server.start().await).await;
}

async fn it_waits_for_a_server_that_does_not_answer(kind: Kind) {
    let server = PrivateServer::of(kind).await;
    server.pause();
    waits(&server.url(), async || server.resume()).await;
}

async fn it_waits_for_a_server_that_cuts_its_connections(kind: Kind) {
    let server = PrivateServer::of(kind).await;
    let wire = Wire::to(server.addr).await;
    wire.cut();
    waits(&server.url_at(wire.addr), async || wire.heal()).await;
}
