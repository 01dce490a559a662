//! A replica that loses the network in the middle of a transaction: its locks are released while other calls still
//! wait.

use gatepass::grpc::proto::v1::RevokeUserSessionsRequest;
use gatepass::storage::SessionStore as _;
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};

use super::{over, variables};
use crate::storage::store::sample::{ending_all, redeemed};
use crate::support::databases::query;
use crate::support::eventually;
use crate::support::program::Serving;
use crate::support::servers::{Kind, PrivateServer};
use crate::support::wire::Wire;

crate::on_servers! {
    of crate::support::servers::Kind:
    a_user_locked_by_a_lost_replica_can_be_revoked,
}

/// A call may wait longer than the database keeps the locks of a lost client, but no longer than its lock timeout.
const PATIENCE: (&str, &str) = ("GATEPASS_SERVER__REQUEST_TIMEOUT", "9s");

async fn a_user_locked_by_a_lost_replica_can_be_revoked(kind: Kind) {
    let (server, folder) = (PrivateServer::of(kind).await, tempfile::tempdir().unwrap());
    let wire = Wire::to(server.addr).await;
    let lost = over(&wire, &server, 1).await;
    let ada = redeemed(&lost, "ada").await.user.id;
    let url = server.url();
    let mut variables = variables(&url);
    variables.push(PATIENCE);
    let gatepass = Serving::ready(folder.path(), &[], &variables).await;

    // The call locks the user and waits for the session.
    let others = server.connect().await.unwrap();
    let holds = others.begin().await.unwrap();
    holds.execute_unprepared("SELECT id FROM sessions FOR UPDATE").await.unwrap();
    tokio::spawn(async move { lost.end_user_sessions(ending_all(ada)).await });
    eventually("it holds the user", || async {
        others.execute_unprepared("SELECT id FROM users FOR UPDATE NOWAIT").await.is_err()
    })
    .await;
    wire.strand();
    holds.rollback().await.unwrap();

    let request = RevokeUserSessionsRequest { user_id: ada.to_string() };
    gatepass.admin().await.revoke_user_sessions(request).await.unwrap();
    let epoch: i64 = query(&others, "SELECT epoch FROM users").await[0].try_get_by_index(0).unwrap();
    assert_eq!(epoch, 1, "what was lost was not committed");
    gatepass.stop().await;
}
