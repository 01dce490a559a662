//! The delay until a replica knows a change of another replica. Two real programs share one database: one acknowledges
//! a change, and the client calls the other until it rejects the call. Prints the distribution when idle, under load on
//! both, and with 20 ms of network latency in each direction to the database. `session.max_staleness` has its default,
//! 1s.
//!
//! SQLite always runs; PostgreSQL and MariaDB run if `TEST_POSTGRES_URL` and `TEST_MYSQL_URL` name servers, as with
//! `tests/external/databases.sh --durable cargo bench --bench staleness`.
#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_types,
    reason = "a program for a person at a terminal"
)]

use std::time::{Duration, Instant};

use gatepass::grpc::proto::v1::admin_service_client::AdminServiceClient;
use gatepass::grpc::proto::v1::auth_service_client::AuthServiceClient;
use gatepass::grpc::proto::v1::{
    self, get_session_request, sign_in_request, sign_in_response, sign_out_request,
};
use gatepass::model::{OsEntropy, random, spread};
use prost_types::FieldMask;
use tonic::Status;
use tonic::transport::Channel;

#[path = "../tests/it/support/databases.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod databases;
#[path = "../tests/it/support/program.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod program;
#[path = "../tests/it/support/wire.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod wire;

use databases::{Backend, TestDatabase};
use program::Serving;
use wire::Wire;

/// The number of changes of each kind in each setting.
const CHANGES: usize = 25;
/// The number of people who refresh repeatedly and so keep both replicas busy under load.
const BUSY: usize = 16;

#[derive(Clone)]
struct Replica {
    auth: AuthServiceClient<Channel>,
    admin: AdminServiceClient<Channel>,
}

impl Replica {
    async fn start(folder: &std::path::Path, url: &str) -> (Serving, Self) {
        let variables = [
            ("GATEPASS_DATABASE__URL", url),
            ("GATEPASS_SECRETS", "a secret for the benchmark and nothing else"),
            // No window limits the rotations of those who refresh repeatedly.
            ("GATEPASS_SESSION__REFRESH_RETRY_WINDOW", "0s"),
        ];
        let program = Serving::ready(folder, &[], &variables).await;
        let replica = Self { auth: program.auth().await, admin: program.admin().await };
        (program, replica)
    }

    async fn tokens(&self, who: &str) -> v1::IssueTokenResponse {
        let mut auth = self.auth.clone();
        let profile = v1::ProfileCredential {
            provider: "github".to_owned(),
            provider_account_id: who.to_owned(),
            ..Default::default()
        };
        let credential = Some(sign_in_request::Credential::Profile(profile));
        let answer = auth.sign_in(v1::SignInRequest { credential, ..Default::default() }).await.unwrap();
        let Some(sign_in_response::Outcome::Allowed(allowed)) = answer.into_inner().outcome else { panic!() };
        let request = v1::IssueTokenRequest { grant: allowed.grant.unwrap(), ..Default::default() };
        auth.issue_token(request).await.unwrap().into_inner()
    }

    async fn session(&self, token: &str) -> Result<v1::Session, Status> {
        let credential = Some(get_session_request::Credential::AccessToken(token.to_owned()));
        let request = v1::GetSessionRequest { credential, ..Default::default() };
        Ok(self.auth.clone().get_session(request).await?.into_inner().session.unwrap())
    }

    /// Checks if the replica knows the change. A call that failed for another reason proves nothing.
    async fn knows(&self, token: &str, goes_on: bool) -> bool {
        match self.session(token).await {
            Ok(session) => goes_on && session.user.unwrap().role() == "admin",
            Err(status) => {
                let reason = status.metadata().get("gatepass-reason");
                !goes_on && reason.is_some_and(|told| told == "SESSION_REVOKED" || told == "USER_BANNED")
            }
        }
    }

    async fn update(&self, user: v1::User, field: &str) {
        let update_mask = Some(FieldMask { paths: vec![field.to_owned()] });
        let request = v1::UpdateUserRequest { user: Some(user), update_mask };
        self.admin.clone().update_user(request).await.unwrap();
    }

    /// Makes a change of this kind, and returns whether the session continues.
    async fn change(&self, kind: usize, tokens: &v1::IssueTokenResponse) -> bool {
        let session = tokens.session.clone().unwrap();
        let user_id = session.user.unwrap().id.unwrap();
        match kind {
            0 => self.update(v1::User { id: user_id, banned: true, ..Default::default() }, "banned").await,
            1 => {
                let user = v1::User { id: user_id, role: "admin".to_owned(), ..Default::default() };
                self.update(user, "role").await;
                return true;
            }
            2 => {
                let request = v1::RevokeUserSessionsRequest { user_id };
                self.admin.clone().revoke_user_sessions(request).await.unwrap();
            }
            _ => {
                let credential =
                    Some(sign_out_request::Credential::RefreshToken(tokens.refresh_token.clone()));
                let request = v1::SignOutRequest { credential, ..Default::default() };
                self.auth.clone().sign_out(request).await.unwrap();
            }
        }
        false
    }
}

/// Measures the time from the acknowledgement until the other replica knows the change.
async fn known_after(one: &Replica, other: &Replica, who: &str, kind: usize) -> Duration {
    let tokens = one.tokens(who).await;
    other.session(&tokens.access_token).await.unwrap();
    // Without this pause, each change would follow the poll that found the previous one.
    tokio::time::sleep(spread(Duration::ZERO, Duration::from_millis(300), random(&OsEntropy))).await;
    let goes_on = one.change(kind, &tokens).await;
    let acknowledged = Instant::now();
    while !other.knows(&tokens.access_token, goes_on).await {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    acknowledged.elapsed()
}

async fn measure(name: &str, one: &Replica, other: &Replica) {
    let mut all = Vec::new();
    for change in 0..CHANGES * 4 {
        all.push(known_after(one, other, &format!("{name}-{change}"), change % 4).await);
    }
    all.sort();
    let at = |share: usize| all[(all.len() - 1) * share / 100].as_millis();
    println!(
        "{name}: {} changes, known after 50 % {} ms, 95 % {} ms, 99 % {} ms, at most {} ms",
        all.len(),
        at(50),
        at(95),
        at(99),
        at(100)
    );
}

async fn on(backend: Backend) {
    let database = TestDatabase::empty(backend).await;
    let folder = tempfile::tempdir().unwrap();
    let mut url = database.url.clone();
    let mut wire = None;
    if backend != Backend::Sqlite {
        let mut through = url::Url::parse(&url).unwrap();
        let server = format!("127.0.0.1:{}", through.port().unwrap()).parse().unwrap();
        let carrying = Wire::to(server).await;
        through.set_port(Some(carrying.addr.port())).unwrap();
        url = through.into();
        wire = Some(carrying);
    }
    let (_running, one) = Replica::start(folder.path(), &url).await;
    let (_also, other) = Replica::start(folder.path(), &url).await;
    let name = format!("{backend:?}");
    measure(&format!("{name}, idle"), &one, &other).await;
    let busy: Vec<_> = (0..BUSY)
        .map(|person| {
            let replica = if person % 2 == 0 { one.clone() } else { other.clone() };
            tokio::spawn(async move {
                let mut token = replica.tokens(&format!("busy-{person}")).await.refresh_token;
                loop {
                    let request = v1::RefreshTokenRequest { refresh_token: token, ..Default::default() };
                    token =
                        replica.auth.clone().refresh_token(request).await.unwrap().into_inner().refresh_token;
                }
            })
        })
        .collect();
    measure(&format!("{name}, under load"), &one, &other).await;
    for task in busy {
        task.abort();
    }
    if let Some(wire) = wire {
        wire.delay(Duration::from_millis(20));
        measure(&format!("{name}, 20 ms on each way"), &one, &other).await;
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        on(Backend::Sqlite).await;
        for (variable, backend) in
            [("TEST_POSTGRES_URL", Backend::Postgres), ("TEST_MYSQL_URL", Backend::Mariadb)]
        {
            if std::env::var(variable).is_ok() {
                on(backend).await;
            } else {
                println!("{backend:?}: not measured, {variable} is not set");
            }
        }
    });
}
