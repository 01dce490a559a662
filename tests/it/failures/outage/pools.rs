//! Connections that are replaced, and connections that are kept.

use std::time::Duration;

use gatepass::storage::{FeedConnection, RevocationFeed as _, StoreError, UserStore as _};
use sea_orm::ConnectionTrait as _;

use super::{NEVER, over};
use crate::storage::store::sample::redeemed;
use crate::support::crowd::at_once;
use crate::support::eventually;
use crate::support::servers::{Kind, PrivateServer};
use crate::support::soak::soak;
use crate::support::wire::Wire;

crate::on_servers! {
    of crate::support::servers::Kind:
    a_step_that_does_not_end_is_given_up_and_so_is_its_connection,
    a_database_that_is_slow_for_the_feed_keeps_the_connections_of_calls,
    connections_that_broke_together_are_met_by_one_step,
    a_step_that_waits_on_a_replaced_pool_gets_a_connection_of_the_next,
}

async fn a_step_that_does_not_end_is_given_up_and_so_is_its_connection(kind: Kind) {
    let server = PrivateServer::of(kind).await;
    let wire = Wire::to(server.addr).await;
    let database = over(&wire, &server, 1).await;
    let ada = redeemed(&database, "ada").await.user.id;
    for _ in 0..soak(1, 5) {
        wire.strand();
        // The step waits for a response, or for a connection while its pool waits.
        let step = tokio::time::timeout(NEVER, database.find_user(ada)).await.expect("it ends");
        assert!(matches!(step, Err(StoreError::Unavailable(_))), "{step:?}");
        let watch = FeedConnection::new(&database).unwrap();
        eventually("calls have another connection", || async {
            watch.revocations_after(0).await.unwrap();
            database.find_user(ada).await.is_ok()
        })
        .await;
        watch.close().await;
    }
}

async fn a_database_that_is_slow_for_the_feed_keeps_the_connections_of_calls(kind: Kind) {
    let server = PrivateServer::of(kind).await;
    let wire = Wire::to(server.addr).await;
    let database = over(&wire, &server, 1).await;
    let ada = redeemed(&database, "ada").await.user.id;
    let watch = FeedConnection::new(&database).unwrap();
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

async fn connections_that_broke_together_are_met_by_one_step(kind: Kind) {
    let server = PrivateServer::of(kind).await;
    let wire = Wire::to(server.addr).await;
    let database = over(&wire, &server, 8).await;
    let ada = redeemed(&database, "ada").await.user.id;
    for _ in 0..soak(1, 200) {
        let before = wire.attempts();
        // This is slow enough that no connection returns before all are taken.
        wire.delay(Duration::from_millis(50));
        at_once(8, |_| {
            let database = database.clone();
            async move { database.find_user(ada).await.unwrap() }
        })
        .await;
        assert!(wire.attempts() > before + 4, "several connections");
        wire.heal();
        wire.reset();
        let met = database.find_user(ada).await;
        assert!(matches!(met, Err(StoreError::Unavailable(_))), "{met:?}");
        for _ in 0..8 {
            database.find_user(ada).await.unwrap();
        }
    }
}

async fn a_step_that_waits_on_a_replaced_pool_gets_a_connection_of_the_next(kind: Kind) {
    let server = PrivateServer::of(kind).await;
    let wire = Wire::to(server.addr).await;
    let database = over(&wire, &server, 1).await;
    let ada = redeemed(&database, "ada").await.user.id;
    let watch = FeedConnection::new(&database).unwrap();
    watch.revocations_after(0).await.unwrap();
    wire.strand();
    let own = database.clone();
    let holds = tokio::spawn(async move { own.find_user(ada).await });
    let waits = async {
        // The step starts later, so its timeout ends only after the watch has replaced the pool.
        tokio::time::sleep(Duration::from_secs(1)).await;
        database.find_user(ada).await
    };
    let (read, waited) = tokio::join!(watch.revocations_after(0), waits);
    read.unwrap();
    assert!(waited.is_ok(), "{waited:?}");
    holds.abort();
}
