//! Failures of the database server, and failures caused on it.

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
    a_frozen_server_does_not_keep_the_program_from_stopping,
}

async fn a_server_that_was_stopped(kind: Kind) {
    let fails = async |scene: &mut Scene| {
        scene.server.stop();
        scene.goes_stale().await;
        scene.server.start().await;
    };
    Scene::of(kind).await.again_and_again(30, "was stopped", fails).await;
}

async fn a_server_that_was_killed(kind: Kind) {
    let fails = async |scene: &mut Scene| {
        scene.server.kill();
        scene.goes_stale().await;
        scene.server.start().await;
    };
    Scene::of(kind).await.again_and_again(30, "was killed", fails).await;
}

async fn a_server_that_was_frozen(kind: Kind) {
    let fails = async |scene: &mut Scene| {
        scene.server.pause();
        scene.goes_stale().await;
        scene.server.resume();
    };
    Scene::of(kind).await.again_and_again(30, "was frozen", fails).await;
}

async fn a_frozen_server_does_not_keep_the_program_from_stopping(kind: Kind) {
    let scene = Scene::of(kind).await;
    scene.server.pause();
    scene.gatepass.stop().await;
}

/// The restart is short enough that sessions stay readable.
async fn a_server_that_was_restarted(kind: Kind) {
    let fails = async |scene: &mut Scene| {
        scene.server.stop();
        scene.server.start().await;
    };
    Scene::of(kind).await.again_and_again(120, "was restarted", fails).await;
}

/// The server answers queries, but its data about revocations may be old.
async fn a_server_that_only_reads(kind: Kind) {
    let fails = async |scene: &mut Scene| {
        scene.server.only_reads(true).await;
        scene.goes_stale().await;
        scene.server.only_reads(false).await;
    };
    Scene::of(kind).await.again_and_again(30, "only read", fails).await;
}

async fn a_server_that_takes_no_more_connections(kind: Kind) {
    let fails = async |scene: &mut Scene| {
        scene.wire.cut();
        let taken = take_all(&scene.server).await;
        scene.wire.heal();
        scene.goes_stale().await;
        for connection in taken {
            connection.close().await.unwrap();
        }
    };
    Scene::of(kind).await.again_and_again(20, "was out of connections", fails).await;
}

/// Takes every connection of a server.
async fn take_all(server: &PrivateServer) -> Vec<DatabaseConnection> {
    let mut taken = Vec::new();
    // The server may notice later that connections of Gatepass are gone.
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
