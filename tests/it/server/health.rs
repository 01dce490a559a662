//! `grpc.health.v1` while the database is reachable and does not answer.

use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::support::databases::Backend;
use crate::support::{builder_on, eventually};

/// Health does not wait for a hanging read before it reports the stale feed.
async fn health_tells_that_the_feed_is_old_while_a_reading_hangs(backend: Backend) {
    // The timeout is far longer than the test, so the read does not end by itself.
    let patient = |yaml: String| yaml.replace("database: {", "database: {acquire_timeout: 1m, ");
    let first = builder_on(backend).await.config("session: {stale_limit: 1s}").start().await;
    let app = first.replica(patient).await;
    let other = app.place.database.connect().await;
    let holder = other.begin().await.unwrap();
    let lock = match backend {
        Backend::Postgres => "LOCK TABLE revocations IN ACCESS EXCLUSIVE MODE",
        Backend::Mariadb | Backend::Sqlite => "LOCK TABLES revocations WRITE",
    };
    let serving = || async {
        let request = HealthCheckRequest { service: "gatepass.v1.AuthService".to_owned() };
        let answer = HealthClient::new(app.channel.clone()).check(request).await.unwrap();
        answer.into_inner().status() == ServingStatus::Serving
    };
    assert!(serving().await);
    holder.execute_unprepared(lock).await.unwrap();
    let begun = Instant::now();
    eventually("it says so", || async { !serving().await }).await;
    assert!(begun.elapsed() < Duration::from_secs(50), "the reading was given up first");
    if backend == Backend::Mariadb {
        holder.execute_unprepared("UNLOCK TABLES").await.unwrap();
    }
    holder.rollback().await.unwrap();
    eventually("it serves again", serving).await;
}

crate::on_servers!(health_tells_that_the_feed_is_old_while_a_reading_hangs);
