//! Calls cancelled at each of their statements in turn, on a single connection. The next call must get its own answer,
//! and the database must contain its result.

use std::time::Duration;

use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};
use tonic::{Code, Request};

use super::variables;
use crate::support::program::Serving;
use crate::support::servers::{Kind, PrivateServer};
use crate::support::soak::soak;
use crate::support::wire::Wire;
use crate::support::{Client, NOBODY, profile, refusal};

crate::on_servers! {
    of crate::support::servers::Kind:
    a_call_that_was_given_up_leaves_no_transaction_behind,
    a_call_that_was_given_up_leaves_no_answer_behind,
}

/// Half of the duration of a statement.
const DELAY: Duration = Duration::from_millis(25);

/// The number of statements of a sign-in, and a few more.
const STATEMENTS: u32 = 12;

/// The same number on a new connection that must still prepare each statement.
const FIRST_STATEMENTS: u32 = 26;

/// A signed-in person.
struct Person {
    user_id: String,
    refresh_token: String,
}

impl Person {
    async fn signed_in(gatepass: &Serving) -> Self {
        let client = Client::of(gatepass).await;
        let signed_in = client.sign_in("ada").await;
        let refresh_token = client.issue(&signed_in.grant.unwrap()).await.unwrap().refresh_token;
        Self { user_id: signed_in.user.unwrap().id, refresh_token }
    }

    /// Refreshes once. The refresh is not logged, so that it is one statement without a transaction.
    async fn refreshes(&mut self, gatepass: &Serving) {
        let client = Client::of(gatepass).await;
        self.refresh_token = client.refresh(&self.refresh_token).await.unwrap().refresh_token;
    }
}

/// Starts a Gatepass with one connection, through a proxy.
async fn start(folder: &tempfile::TempDir, url: &str) -> Serving {
    let mut variables = variables(url);
    variables.push(("GATEPASS_DATABASE__MAX_CONNECTIONS", "1"));
    // No window limits the rotations of the only session.
    variables.push(("GATEPASS_SESSION__REFRESH_RETRY_WINDOW", "0s"));
    Serving::ready(folder.path(), &[], &variables).await
}

/// Starts a sign-in and cancels it during this statement.
async fn give_up(gatepass: &Serving, wire: &Wire, statement: u32, who: &str) {
    wire.delay(DELAY);
    let mut sign_in = Request::new(profile(who));
    sign_in.set_timeout(2 * DELAY * statement + DELAY);
    let _ = gatepass.auth().await.sign_in(sign_in).await;
    wire.heal();
}

/// Lists every statement, once or, in a long run, many times. Turns start at 1.
fn turns(statements: u32, rounds: usize) -> impl Iterator<Item = (u32, u32)> {
    (1..).zip((0..soak(1, rounds)).flat_map(move |_| 0..statements))
}

/// Returns the number of refreshes of the only session, read on another connection.
async fn refreshed(others: &DatabaseConnection) -> u32 {
    let sql = "SELECT CAST(max(generation) AS CHAR(9)) AS n FROM sessions";
    let statement = Statement::from_string(others.get_database_backend(), sql);
    let row = others.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get::<String>("", "n").unwrap().trim().parse().unwrap()
}

async fn a_call_that_was_given_up_leaves_no_transaction_behind(kind: Kind) {
    let server = PrivateServer::of(kind).await;
    let wire = Wire::to(server.addr).await;
    let folder = tempfile::tempdir().unwrap();
    let gatepass = start(&folder, &server.url_at(wire.addr)).await;
    let mut ada = Person::signed_in(&gatepass).await;
    let others = server.connect().await.unwrap();
    for (turn, statement) in turns(STATEMENTS, 25) {
        give_up(&gatepass, &wire, statement, &format!("p{turn}")).await;
        ada.refreshes(&gatepass).await;
        assert_eq!(refreshed(&others).await, turn, "given up in statement {statement}");
    }
    gatepass.stop().await;
}

async fn a_call_that_was_given_up_leaves_no_answer_behind(kind: Kind) {
    let server = PrivateServer::of(kind).await;
    let wire = Wire::to(server.addr).await;
    let (folder, url) = (tempfile::tempdir().unwrap(), server.url_at(wire.addr));
    let first = start(&folder, &url).await;
    let mut ada = Person::signed_in(&first).await;
    first.stop().await;
    let others = server.connect().await.unwrap();
    for (turn, statement) in turns(FIRST_STATEMENTS, 4) {
        let gatepass = start(&folder, &url).await;
        give_up(&gatepass, &wire, statement, "ada").await;
        for (id, wanted) in [(ada.user_id.as_str(), Ok("ada")), (NOBODY, Err("USER_NOT_FOUND"))] {
            let user = Client::of(&gatepass).await.user(id).await;
            match (user, wanted) {
                (Ok(user), Ok(name)) => assert_eq!(user.name(), name),
                (user, Err(reason)) => assert_eq!(refusal(user), (Code::NotFound, reason.to_owned())),
                (Err(refused), Ok(_)) => panic!("given up in statement {statement}: {refused:?}"),
            }
        }
        ada.refreshes(&gatepass).await;
        assert_eq!(refreshed(&others).await, turn, "given up in statement {statement}");
        gatepass.stop().await;
    }
}
