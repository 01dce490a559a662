//! Calls that are given up half way, at each of their statements in turn, on the one connection there is: what the next
//! call is told stands in the database, for others to see.

use std::time::Duration;

use gatepass::grpc::proto::v1::{IssueTokenRequest, RefreshTokenRequest};
use sea_orm::{ConnectionTrait as _, Statement};
use tonic::Request;

use super::{on_servers, variables};
use crate::support::program::Serving;
use crate::support::servers::{Kind, PrivateServer};
use crate::support::wire::Wire;
use crate::support::{allowed, profile};

on_servers! { a_call_that_was_given_up_leaves_no_transaction_behind }

/// Half of what a statement takes.
const DELAY: Duration = Duration::from_millis(50);

/// The statements of a sign-in, and a few more.
const STATEMENTS: u32 = 12;

async fn a_call_that_was_given_up_leaves_no_transaction_behind(kind: Kind) {
    let server = PrivateServer::of(kind).await;
    let wire = Wire::to(server.addr).await;
    let (folder, url) = (tempfile::tempdir().unwrap(), server.url_at(wire.addr));
    let mut variables = variables(&url);
    variables.push(("GATEPASS_DATABASE__MAX_CONNECTIONS", "1"));
    let gatepass = Serving::ready(folder.path(), &[], &variables).await;
    let mut auth = gatepass.auth().await;
    let grant = allowed(auth.sign_in(profile("ada")).await).grant.unwrap();
    let request = IssueTokenRequest { grant, ..Default::default() };
    let mut refresh_token = auth.issue_token(request).await.unwrap().into_inner().refresh_token;
    let others = server.connect().await.unwrap();
    for statement in 0..STATEMENTS {
        wire.delay(DELAY);
        let mut sign_in = Request::new(profile(&format!("p{statement}")));
        sign_in.set_timeout(2 * DELAY * statement + DELAY);
        let _ = auth.sign_in(sign_in).await;
        wire.heal();
        // Logged nowhere, so that it is one statement without a transaction.
        let request = RefreshTokenRequest { refresh_token, ..Default::default() };
        refresh_token = auth.refresh_token(request).await.unwrap().into_inner().refresh_token;
        let sql = "SELECT max(generation) AS n FROM sessions";
        let row =
            others.query_one_raw(Statement::from_string(others.get_database_backend(), sql)).await.unwrap();
        let generation = row.unwrap().try_get::<i64>("", "n").unwrap();
        assert_eq!(generation, i64::from(statement) + 1, "given up in statement {statement}");
    }
    gatepass.stop().await;
}
