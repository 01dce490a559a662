//! Failures of the network between a Gatepass and its database.

use std::time::{Duration, Instant};

use tonic_health::pb::health_check_response::ServingStatus;

use super::Scene;
use crate::support::load::{Load, METHODS, STALE_LIMIT, STORED, measured};
use crate::support::servers::Kind;
use crate::support::soak::soak;

crate::on_servers! {
    of crate::support::servers::Kind:
    a_wire_that_is_slow,
    a_wire_that_is_too_slow,
    a_wire_that_is_silent,
    a_wire_that_is_cut,
    a_wire_that_lost_its_connections_without_a_word,
}

/// Each statement takes 100 ms longer, which the deadlines of the calls allow.
async fn a_wire_that_is_slow(kind: Kind) {
    let fails = async |scene: &mut Scene| {
        scene.wire.delay(Duration::from_millis(50));
        scene.load.until("slow answers", |load| load.tallies().answered(&METHODS)).await;
        assert!(!scene.load.tallies().refused(&["GetSession"]), "{}", scene.load.tallies());
        scene.wire.heal();
    };
    Scene::of(kind).await.again_and_again(100, "was slow", fails).await;
}

/// Each statement takes 0.4 s longer, which is too slow for calls with many statements. News of revocations still
/// arrives, so sessions stay readable.
async fn a_wire_that_is_too_slow(kind: Kind) {
    let fails = async |scene: &mut Scene| {
        scene.wire.delay(Duration::from_millis(200));
        let begun = Instant::now();
        let stale = |load: &Load| load.tallies().refused(&STORED) && begun.elapsed() > 2 * STALE_LIMIT;
        scene.load.until("nothing is stored any more", stale).await;
        assert!(!scene.load.tallies().refused(&["GetSession"]), "{}", scene.load.tallies());
        assert_eq!(scene.health("gatepass.v1.AuthService").await, ServingStatus::Serving);
        scene.wire.heal();
    };
    Scene::of(kind).await.again_and_again(20, "was too slow", fails).await;
}

async fn a_wire_that_is_silent(kind: Kind) {
    let fails = async |scene: &mut Scene| {
        scene.wire.silence();
        scene.goes_stale().await;
        scene.wire.heal();
    };
    Scene::of(kind).await.again_and_again(25, "was silent", fails).await;
}

/// Fast callers cause no storm of connections: a single task tries to reach the database, at most twice a second.
async fn a_wire_that_is_cut(kind: Kind) {
    let fails = async |scene: &mut Scene| {
        let before = scene.wire.attempts();
        scene.wire.cut();
        scene.goes_stale().await;
        let (noticed, begun) = (scene.wire.attempts(), Instant::now());
        scene.load.until("a while", |_| begun.elapsed() > 2 * STALE_LIMIT).await;
        let (attempts, while_cut) = (scene.wire.attempts() - noticed, begun.elapsed());
        measured(&format!(
            "{kind:?}: {} attempts to connect until it was stale, {attempts} in the next {while_cut:?}",
            noticed - before
        ));
        assert!(
            attempts > 0 && attempts as u128 <= while_cut.as_millis() / 500 + 1,
            "{attempts} in {while_cut:?}"
        );
        scene.wire.heal();
    };
    Scene::of(kind).await.again_and_again(15, "was cut off", fails).await;
}

/// The database is available all the time. The test measures the detection time, which has no documented limit. Some
/// kinds of calls recover later, since the server keeps the locks of lost connections for a while.
async fn a_wire_that_lost_its_connections_without_a_word(kind: Kind) {
    let mut scene = Scene::of(kind).await;
    for _ in 0..soak(1, 12) {
        // Otherwise the connections of many rounds would use up the server's limit.
        scene.wire.reset_stranded();
        scene.wire.strand();
        scene.load.until("somebody notices", |load| load.tallies().refused(&["SignIn"])).await;
        scene.recovers("lost its connections").await;
    }
    scene.ends().await;
}
