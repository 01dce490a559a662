//! Connections of calls that are replaced, and those that are not.

use std::time::Duration;

use gatepass::storage::{Database, Options, RevocationFeed as _, StoreError, UserStore as _, Watch};
use sea_orm::ConnectionTrait as _;

use super::NEVER;
use crate::store::sample::redeemed;
use crate::support::eventually;
use crate::support::servers::{Kind, PrivateServer};
use crate::support::wire::Wire;

crate::on_servers! {
    of crate::support::servers::Kind:
    a_step_that_does_not_end_is_given_up_and_so_is_its_connection,
    a_database_that_is_slow_for_the_feed_keeps_the_connections_of_calls,
}

/// A database with one connection for calls.
async fn over(wire: &Wire, server: &PrivateServer) -> Database {
    let options = Options {
        url: server.url_at(wire.addr),
        max_connections: 1,
        acquire_timeout: Duration::from_secs(3),
        observer: None,
    };
    let database = Database::connect(&options).await.unwrap();
    database.migrate().await.unwrap();
    database
}

async fn a_step_that_does_not_end_is_given_up_and_so_is_its_connection(kind: Kind) {
    let server = PrivateServer::of(kind).await;
    let wire = Wire::to(server.addr).await;
    let database = over(&wire, &server).await;
    let ada = redeemed(&database, "ada").await.user.id;
    wire.strand();
    // The step waits for an answer, or for the connection while its pool does.
    let step = tokio::time::timeout(NEVER, database.find_user(ada)).await.expect("it ends");
    assert!(matches!(step, Err(StoreError::Unavailable(_))), "{step:?}");
    let watch = Watch::new(&database).unwrap();
    eventually("calls have another connection", || async {
        watch.revocations_after(0).await.unwrap();
        database.find_user(ada).await.is_ok()
    })
    .await;
}

async fn a_database_that_is_slow_for_the_feed_keeps_the_connections_of_calls(kind: Kind) {
    let server = PrivateServer::of(kind).await;
    let wire = Wire::to(server.addr).await;
    let database = over(&wire, &server).await;
    let ada = redeemed(&database, "ada").await.user.id;
    let watch = Watch::new(&database).unwrap();
    watch.revocations_after(0).await.unwrap();
    let other = server.connect().await.unwrap();
    let (lock, free): (&[&str], _) = match kind {
        Kind::Postgres => (&["BEGIN", "LOCK TABLE revocations"], "COMMIT"),
        Kind::Mariadb => (&["LOCK TABLES revocations WRITE"], "UNLOCK TABLES"),
    };
    for statement in lock {
        other.execute_unprepared(statement).await.unwrap();
    }
    let before = wire.attempts();
    let calls = async {
        eventually("somebody knocks", || async {
            database.find_user(ada).await.unwrap();
            wire.attempts() > before
        })
        .await;
        other.execute_unprepared(free).await.unwrap();
    };
    let (read, ()) = tokio::join!(watch.revocations_after(0), calls);
    read.unwrap();
    let after = wire.attempts();
    database.find_user(ada).await.unwrap();
    assert_eq!((after - before, wire.attempts()), (2, after), "the knock, and the watch's new connection");
}
