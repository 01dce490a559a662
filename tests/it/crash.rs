//! kill -9 under load, again and again: what was acknowledged is there, what was refused stays refused, and nothing
//! is spent twice. Calls in flight at the kill may have happened or not, but not by halves.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use gatepass::grpc::proto::v1::auth_service_client::AuthServiceClient;
use gatepass::grpc::proto::v1::{
    GetSessionRequest, IssueTokenRequest, RefreshTokenRequest, Rotation, SignInRequest, SignOutRequest,
    get_session_request, sign_out_request,
};
use gatepass::model::{OsEntropy, random};
use sea_orm::{ConnectionTrait as _, Statement};
use tonic::transport::Channel;
use tonic::{Code, Response, Status};

use crate::support::program::{Serving, run};
use crate::support::{allowed, profile, reason};

type Client = AuthServiceClient<Channel>;

const ROUNDS: usize = 12;
const WORKERS: usize = 4;

/// The longest that a round is under load.
const LOAD_MILLIS: u8 = 250;

/// What one person was told until the kill, and what was asked last without an answer.
struct Journey {
    name: String,
    user_id: Option<String>,
    grant: Option<String>,
    session_id: Option<String>,
    access_token: String,
    /// Every acknowledged refresh token, oldest first.
    refresh_tokens: Vec<String>,
    signed_out: bool,
    in_flight: Option<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    SignIn,
    Issue,
    Refresh,
    SignOut,
}

fn access(token: &str) -> GetSessionRequest {
    let credential = Some(get_session_request::Credential::AccessToken(token.to_owned()));
    GetSessionRequest { credential, ..Default::default() }
}

fn refresh(token: &str) -> RefreshTokenRequest {
    RefreshTokenRequest { refresh_token: token.to_owned(), ..Default::default() }
}

/// An answer, or none because the server is dead: it refuses nothing here.
fn answered<T: std::fmt::Debug>(answer: Result<Response<T>, Status>) -> Option<T> {
    match answer {
        Ok(response) => Some(response.into_inner()),
        Err(status) => {
            assert!(!status.metadata().contains_key("gatepass-reason"), "refused under load: {status:?}");
            None
        }
    }
}

impl Journey {
    fn begin(name: String) -> Self {
        Self {
            name,
            user_id: None,
            grant: None,
            session_id: None,
            access_token: String::new(),
            refresh_tokens: Vec::new(),
            signed_out: false,
            in_flight: None,
        }
    }

    fn sign_in(&self) -> SignInRequest {
        SignInRequest { request_id: format!("sign-in-with-128-bits-of-{}", self.name), ..profile(&self.name) }
    }

    fn issue(&self) -> IssueTokenRequest {
        IssueTokenRequest {
            grant: self.grant.clone().unwrap(),
            request_id: format!("redemption-with-128-bits-of-{}", self.name),
            ..Default::default()
        }
    }

    fn sign_out(&self) -> SignOutRequest {
        let token = self.refresh_tokens.last().unwrap().clone();
        let credential = Some(sign_out_request::Credential::RefreshToken(token));
        SignOutRequest { credential, ..Default::default() }
    }

    fn note_sign_in(&mut self, answer: gatepass::grpc::proto::v1::SignInAllowed) {
        self.user_id = Some(answer.user.unwrap().id);
        self.grant = answer.grant;
    }

    fn note_tokens(&mut self, answer: gatepass::grpc::proto::v1::IssueTokenResponse) {
        self.session_id = answer.session.unwrap().id;
        self.access_token = answer.access_token;
        self.refresh_tokens.push(answer.refresh_token);
    }

    /// Goes on until its end, or until the server dies on the way.
    async fn go(&mut self, auth: &mut Client, refreshes: usize, leaves: bool) -> Option<()> {
        self.in_flight = Some(Step::SignIn);
        let response = answered(auth.sign_in(self.sign_in()).await)?;
        self.note_sign_in(allowed(Ok(Response::new(response))));
        self.in_flight = Some(Step::Issue);
        let response = answered(auth.issue_token(self.issue()).await)?;
        self.note_tokens(response);
        for _ in 0..refreshes {
            self.in_flight = Some(Step::Refresh);
            let answer = answered(auth.refresh_token(refresh(self.refresh_tokens.last().unwrap())).await)?;
            assert_eq!(answer.rotation(), Rotation::Rotated);
            self.access_token = answer.access_token;
            self.refresh_tokens.push(answer.refresh_token);
        }
        if leaves {
            self.in_flight = Some(Step::SignOut);
            assert_eq!(answered(auth.sign_out(self.sign_out()).await)?.sessions_ended, 1);
            self.signed_out = true;
        }
        self.in_flight = None;
        Some(())
    }

    /// How many rows of an action the log must have, at least and at most, before anything is repeated.
    fn logged(&self, action: &str) -> (usize, usize) {
        let acknowledged = match action {
            "SIGN_UP" => usize::from(self.user_id.is_some()),
            "TOKEN_ISSUED" => usize::from(!self.refresh_tokens.is_empty()),
            "TOKEN_REFRESHED" => self.refresh_tokens.len().saturating_sub(1),
            "SIGN_OUT" => usize::from(self.signed_out),
            other => panic!("{other}"),
        };
        let maybe = match self.in_flight {
            Some(Step::SignIn) => action == "SIGN_UP",
            Some(Step::Issue) => action == "TOKEN_ISSUED",
            Some(Step::Refresh) => action == "TOKEN_REFRESHED",
            Some(Step::SignOut) => action == "SIGN_OUT",
            None => false,
        };
        (acknowledged, acknowledged + usize::from(maybe))
    }

    /// Takes up what was in flight, and finds that nothing acknowledged is lost and nothing works twice.
    async fn check(mut self, mut auth: Client) {
        if self.in_flight == Some(Step::SignIn) {
            self.note_sign_in(allowed(auth.sign_in(self.sign_in()).await));
        }
        let issued_before = !self.refresh_tokens.is_empty();
        if !issued_before {
            let answer = auth.issue_token(self.issue()).await.unwrap().into_inner();
            let rotation = answer.rotation();
            let expected = match self.in_flight {
                Some(Step::Issue) => rotation == Rotation::Issued || rotation == Rotation::Replayed,
                _ => rotation == Rotation::Issued,
            };
            assert!(expected, "{rotation:?}");
            self.note_tokens(answer);
        }
        let another = IssueTokenRequest { request_id: String::new(), ..self.issue() };
        assert_eq!(reason(auth.issue_token(another).await), "GRANT_USED");
        if self.in_flight == Some(Step::SignOut) {
            // Either it happened or it happens now.
            assert!(auth.sign_out(self.sign_out()).await.unwrap().into_inner().sessions_ended <= 1);
            self.signed_out = true;
        }
        if self.signed_out {
            for token in &self.refresh_tokens {
                assert_eq!(reason(auth.refresh_token(refresh(token)).await), "SESSION_REVOKED");
            }
            assert_eq!(reason(auth.get_session(access(&self.access_token)).await), "SESSION_REVOKED");
            assert_eq!(auth.sign_out(self.sign_out()).await.unwrap().into_inner().sessions_ended, 0);
            return;
        }
        auth.get_session(access(&self.access_token)).await.unwrap();
        let newest = self.refresh_tokens.last().unwrap().clone();
        let first = auth.refresh_token(refresh(&newest)).await.unwrap().into_inner();
        let rotation = first.rotation();
        let in_flight = self.in_flight == Some(Step::Refresh);
        assert!(rotation == Rotation::Rotated || in_flight && rotation == Rotation::Replayed, "{rotation:?}");
        // Asked again it gives the same successor: there is one, always.
        let again = auth.refresh_token(refresh(&newest)).await.unwrap().into_inner();
        assert_eq!((again.rotation(), &again.refresh_token), (Rotation::Replayed, &first.refresh_token));
        let next = auth.refresh_token(refresh(&first.refresh_token)).await.unwrap().into_inner();
        assert_eq!(next.rotation(), Rotation::Rotated);
        let oldest = &self.refresh_tokens[0];
        assert_eq!(reason(auth.refresh_token(refresh(oldest)).await), "REFRESH_REUSED");
        assert_eq!(reason(auth.refresh_token(refresh(&next.refresh_token)).await), "SESSION_REVOKED");
        assert_eq!(reason(auth.get_session(access(&next.access_token)).await), "SESSION_REVOKED");
    }
}

/// People who come one after another until the server dies.
async fn load(mut auth: Client, round: usize, worker: usize) -> Vec<Journey> {
    let mut journeys = Vec::new();
    for number in 0.. {
        let mut journey = Journey::begin(format!("person-{round}-{worker}-{number}"));
        let goes_on = journey.go(&mut auth, number % 4, number % 3 == 0).await.is_some();
        journeys.push(journey);
        if !goes_on {
            break;
        }
    }
    journeys
}

/// Rows of a query, two columns a row.
async fn rows(folder: &Path, sql: &str) -> Vec<(String, String)> {
    let url = format!("sqlite://{}/gatepass.db", folder.display());
    let db = sea_orm::Database::connect(url).await.unwrap();
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    let rows =
        rows.iter().map(|row| (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap())).collect();
    db.close().await.unwrap();
    rows
}

/// Every acknowledged step has its row, and no step has two.
async fn check_log(folder: &Path, journeys: &[Journey]) {
    let sql = "SELECT u.name, l.action FROM auth_logs AS l LEFT JOIN users AS u ON u.id = l.user_id";
    let mut counts: HashMap<(String, String), usize> = HashMap::new();
    for row in rows(folder, sql).await {
        *counts.entry(row).or_default() += 1;
    }
    for journey in journeys {
        for action in ["SIGN_UP", "TOKEN_ISSUED", "TOKEN_REFRESHED", "SIGN_OUT"] {
            let found = counts.get(&(journey.name.clone(), action.to_owned())).copied().unwrap_or(0);
            let (least, most) = journey.logged(action);
            assert!(
                (least..=most).contains(&found),
                "{} {action}: {found} not in {least}..={most}",
                journey.name
            );
        }
    }
}

/// No row stands for half a sign-in, and the feed has no gaps.
async fn check_whole(folder: &Path) {
    for (what, sql) in [
        (
            "a user without a session",
            "SELECT name, '' FROM users WHERE id NOT IN (SELECT user_id FROM sessions)",
        ),
        (
            "a user without an account",
            "SELECT name, '' FROM users WHERE id NOT IN (SELECT user_id FROM accounts)",
        ),
        (
            "a user without a sign-up",
            "SELECT name, '' FROM users WHERE id NOT IN (SELECT user_id FROM auth_logs WHERE action = 'SIGN_UP')",
        ),
        (
            "a sign-up without a user",
            "SELECT action, '' FROM auth_logs WHERE user_id NOT IN (SELECT id FROM users)",
        ),
        (
            "an ended session that the feed does not tell",
            "SELECT end_reason, '' FROM sessions WHERE ended_at IS NOT NULL \
             AND id NOT IN (SELECT subject FROM revocations)",
        ),
        (
            "a gap in the feed",
            "SELECT 'gap', '' FROM revocation_counter WHERE seq <> (SELECT count(*) FROM revocations) \
             OR seq <> (SELECT coalesce(max(seq), 0) FROM revocations)",
        ),
        ("damage", "SELECT quick_check, '' FROM pragma_quick_check WHERE quick_check <> 'ok'"),
    ] {
        assert_eq!(rows(folder, sql).await, [], "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let variables = [("GATEPASS_AUTH_LOG__EXCLUDE", "[]")];
    let mut signed_out = Vec::new();
    let mut serving = Serving::ready(folder.path(), &[], &variables).await;
    for round in 0..ROUNDS {
        let mut workers = Vec::new();
        for worker in 0..WORKERS {
            workers.push(tokio::spawn(load(serving.auth().await, round, worker)));
        }
        let [millis] = random(&OsEntropy);
        tokio::time::sleep(Duration::from_millis((millis % LOAD_MILLIS).into())).await;
        serving.kill().await;
        let mut journeys = Vec::new();
        for worker in workers {
            journeys.extend(worker.await.unwrap());
        }

        serving = Serving::ready(folder.path(), &[], &variables).await;
        check_log(folder.path(), &journeys).await;
        check_whole(folder.path()).await;
        let auth = serving.auth().await;
        for journey in journeys.iter().filter(|journey| journey.signed_out) {
            signed_out.push((journey.access_token.clone(), journey.refresh_tokens.last().unwrap().clone()));
        }
        let checks = journeys.into_iter().map(|journey| tokio::spawn(journey.check(auth.clone())));
        stream::iter(checks).buffer_unordered(8).for_each(async |checked| checked.unwrap()).await;
        check_whole(folder.path()).await;
    }
    let mut auth = serving.auth().await;
    for (access_token, refresh_token) in signed_out {
        assert_eq!(reason(auth.get_session(access(&access_token)).await), "SESSION_REVOKED");
        assert_eq!(reason(auth.refresh_token(refresh(&refresh_token)).await), "SESSION_REVOKED");
    }
    drop(auth);
    serving.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_while_it_starts_leaves_what_starts_again() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..10 {
        let [millis] = random(&OsEntropy);
        let starting = Serving::start(folder.path(), &[], &[]).await;
        tokio::time::sleep(Duration::from_millis((millis % 40).into())).await;
        starting.kill().await;
        if round % 3 == 2 {
            let serving = Serving::ready(folder.path(), &[], &[]).await;
            let status = serving.auth().await.sign_in(profile(&format!("person-{round}"))).await;
            assert_eq!(status.map(drop).map_err(|status| status.code()), Ok::<_, Code>(()));
            serving.kill().await;
        }
    }
    let serving = Serving::ready(folder.path(), &[], &[]).await;
    let listed = run(folder.path(), &["keys", "list"], &[]).await;
    assert_eq!(listed.stdout.lines().count(), 1, "{listed:?}");
    check_whole(folder.path()).await;
    serving.stop().await;
}
