//! A crash loses nothing that was acknowledged. The test repeatedly kills the program or its database under load.
//! Afterwards every answered sign-in, rotation and end of a session exists, no token works twice, and the database is
//! consistent.

use std::path::Path;
use std::time::Duration;

use gatepass::model::{OsEntropy, random};

use crate::support::databases::{Backend, TestDatabase};
use crate::support::invariants;
use crate::support::load::ledger::Told;
use crate::support::load::{self, Load, METHODS};
use crate::support::program::Serving;
use crate::support::servers::{Kind, PrivateServer};
use crate::support::soak::soak;

/// The number of crashes.
const CRASHES: usize = 4;

/// Starts the program with this database.
async fn start(folder: &Path, url: &str) -> Serving {
    let mut variables = vec![("GATEPASS_DATABASE__URL", url)];
    variables.extend(load::VARIABLES);
    Serving::ready(folder, &[], &variables).await
}

/// Waits until there is enough to check, and then for a random time.
async fn some_time(load: &mut Load) {
    load.until("something to look for", Load::is_telling).await;
    let [moment] = random(&OsEntropy);
    tokio::time::sleep(Duration::from_millis(moment.into())).await;
}

/// Checks everything that was answered with another program.
async fn check(told: &Told, folder: &Path, url: &str) {
    let other = start(folder, url).await;
    told.check(&other.channel().await).await;
    other.kill().await;
}

crate::on_all!(a_kill_under_load_loses_nothing_that_was_answered);

/// The program is killed, and its database continues.
async fn a_kill_under_load_loses_nothing_that_was_answered(backend: Backend) {
    let (database, folder) = (TestDatabase::empty(backend).await, tempfile::tempdir().unwrap());
    let mut all = Told::default();
    for round in 0..soak(CRASHES, 10 * CRASHES) {
        let program = start(folder.path(), &database.url).await;
        let mut load = Load::begin(&program.channel().await, &format!("round{round}")).await;
        some_time(&mut load).await;
        program.kill().await;
        let told = load.orphaned().await;
        check(&told, folder.path(), &database.url).await;
        invariants::check(&database.connect().await).await;
        all = all.and(told);
    }
    all.check_log(&database.connect().await).await;
}

/// First the database is killed, and the program continues once it is back; then both are killed at once.
async fn kills_of_both_lose_nothing_that_was_answered(kind: Kind) {
    let mut server = PrivateServer::of(kind).await;
    let (folder, url) = (tempfile::tempdir().unwrap(), server.url());
    let mut all = Told::default();
    for round in 0..soak(CRASHES, 10 * CRASHES) {
        let program = start(folder.path(), &url).await;
        let mut load = Load::begin(&program.channel().await, &format!("round{round}")).await;
        some_time(&mut load).await;
        server.kill();
        server.start().await;
        load.tallies().clear();
        load.until("recovery", |load| load.tallies().answered(&METHODS)).await;
        some_time(&mut load).await;
        program.kill().await;
        server.kill();
        let told = load.orphaned().await;
        server.start().await;
        check(&told, folder.path(), &url).await;
        invariants::check(&server.connect().await.unwrap()).await;
        all = all.and(told);
    }
    all.check_log(&server.connect().await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: just test-databases"]
async fn kills_of_both_lose_nothing_on_postgres() {
    kills_of_both_lose_nothing_that_was_answered(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: just test-databases"]
async fn kills_of_both_lose_nothing_on_mariadb() {
    kills_of_both_lose_nothing_that_was_answered(Kind::Mariadb).await;
}
