//! The server fails, or is failed.

use sea_orm::DatabaseConnection;

use super::Scene;
use crate::support::servers::{Kind, PrivateServer};

crate::on_servers! {
    of crate::support::servers::Kind:
    a_server_that_was_stopped,
    a_server_that_was_killed,
    a_server_that_was_frozen,
    a_server_that_was_restarted,
    a_server_that_only_reads,
    a_server_that_takes_no_more_connections,
    a_server_that_is_frozen_keeps_nobody_from_stopping,
}

async fn a_server_that_was_stopped(kind: Kind) {
    let mut scene = Scene::of(kind).await;
    scene.server.stop();
    scene.goes_stale().await;
    scene.server.start().await;
    scene.recovers("was stopped").await;
    scene.ends().await;
}

async fn a_server_that_was_killed(kind: Kind) {
    let mut scene = Scene::of(kind).await;
    scene.server.kill();
    scene.goes_stale().await;
    scene.server.start().await;
    scene.recovers("was killed").await;
    scene.ends().await;
}

async fn a_server_that_was_frozen(kind: Kind) {
    let mut scene = Scene::of(kind).await;
    scene.server.pause();
    scene.goes_stale().await;
    scene.server.resume();
    scene.recovers("was frozen").await;
    scene.ends().await;
}

async fn a_server_that_is_frozen_keeps_nobody_from_stopping(kind: Kind) {
    let scene = Scene::of(kind).await;
    scene.server.pause();
    scene.gatepass.stop().await;
}

/// So short a while that sessions are read all the time.
async fn a_server_that_was_restarted(kind: Kind) {
    let mut scene = Scene::of(kind).await;
    scene.server.stop();
    scene.server.start().await;
    scene.recovers("was restarted").await;
    scene.ends().await;
}

/// It answers what it is asked, but what it knows of revocations may be of yesterday.
async fn a_server_that_only_reads(kind: Kind) {
    let mut scene = Scene::of(kind).await;
    scene.server.only_reads(true).await;
    scene.goes_stale().await;
    scene.server.only_reads(false).await;
    scene.recovers("only read").await;
    scene.ends().await;
}

async fn a_server_that_takes_no_more_connections(kind: Kind) {
    let mut scene = Scene::of(kind).await;
    scene.wire.cut();
    let taken = take_all(&scene.server).await;
    scene.wire.heal();
    scene.goes_stale().await;
    for connection in taken {
        connection.close().await.unwrap();
    }
    scene.recovers("was out of connections").await;
    scene.ends().await;
}

/// Takes every connection that a server has.
async fn take_all(server: &PrivateServer) -> Vec<DatabaseConnection> {
    let mut taken = Vec::new();
    // Those that Gatepass had may be noticed to be gone a little later.
    let mut refused = 0;
    while refused < 3 {
        match server.connect().await {
            Ok(connection) => taken.push(connection),
            Err(_) => refused += 1,
        }
    }
    assert!(!taken.is_empty());
    taken
}
