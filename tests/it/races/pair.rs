//! Two replicas, each a process, on one database.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gatepass::grpc::proto::v1::admin_service_client::AdminServiceClient;
use gatepass::grpc::proto::v1::auth_service_client::AuthServiceClient;
use gatepass::grpc::proto::v1::{
    GetSessionRequest, GetSessionResponse, GetUserRequest, IssueTokenRequest, IssueTokenResponse,
    RefreshTokenRequest, RefreshTokenResponse, SignInRequest, SignInResponse, UpdateUserRequest, User,
    get_session_request, get_user_request,
};
use prost_types::FieldMask;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, QueryResult, Statement};
use tempfile::TempDir;
use tonic::transport::Channel;
use tonic::{Response, Status};

use super::invariants;
use crate::support::databases::{Backend, TestDatabase};
use crate::support::program::Serving;
use crate::support::{allowed, profile, reason};

/// What both processes make tokens with.
pub(super) const SECRET: &str = "the one secret of both replicas, long enough";

/// Two programs that serve.
pub(super) struct Pair {
    pub(super) replicas: Arc<[Replica; 2]>,
    programs: [Serving; 2],
    database: TestDatabase,
    _folder: TempDir,
}

/// A client of one of them.
#[derive(Clone)]
pub(super) struct Replica {
    pub(super) auth: AuthServiceClient<Channel>,
    pub(super) admin: AdminServiceClient<Channel>,
}

impl Pair {
    /// Starts both on an empty database.
    pub(super) async fn on(backend: Backend) -> Self {
        let database = TestDatabase::empty(backend).await;
        let folder = tempfile::tempdir().unwrap();
        let secrets = format!("['{SECRET}']");
        let variables = [
            ("GATEPASS_DATABASE__URL", database.url.as_str()),
            ("GATEPASS_SECRETS", secrets.as_str()),
            ("GATEPASS_TELEMETRY__LOG_FORMAT", "json"),
            // On a slow machine calls wait for each other rather than fail, and a replay stays a replay.
            ("GATEPASS_DATABASE__ACQUIRE_TIMEOUT", "1m"),
            ("GATEPASS_SERVER__REQUEST_TIMEOUT", "2m"),
            ("GATEPASS_SESSION__REFRESH_RETRY_WINDOW", "5m"),
        ];
        let start = || Serving::ready(folder.path(), &[], &variables);
        let (one, two) = tokio::join!(start(), start());
        let programs = [one, two];
        let replicas = Arc::new([Replica::of(&programs[0]).await, Replica::of(&programs[1]).await]);
        Self { replicas, programs, database, _folder: folder }
    }

    /// The replica of this number's parity.
    pub(super) fn replica(&self, number: usize) -> Replica {
        self.replicas[number % 2].clone()
    }

    /// Rows of a query.
    pub(super) async fn query(&self, sql: &str) -> Vec<QueryResult> {
        query(&self.database.connect().await, sql).await
    }

    /// The one number that a query answers.
    pub(super) async fn count(&self, sql: &str) -> i64 {
        self.query(sql).await[0].try_get_by_index(0).unwrap()
    }

    /// Stops both; neither may have met what it can't explain, and the database must be whole.
    pub(super) async fn finish(self) {
        for program in self.programs {
            for line in program.stop().await {
                let alarms = ["\"ERROR\"", "database unavailable", "revocation feed not read"];
                assert!(!alarms.iter().any(|alarm| line.contains(alarm)), "{line}");
            }
        }
        invariants::check(&self.database.connect().await).await;
    }
}

/// Rows of a query.
pub(super) async fn query(db: &DatabaseConnection, sql: &str) -> Vec<QueryResult> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    db.query_all_raw(statement).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// The ids of the session and of its user.
pub(super) fn ids(tokens: &IssueTokenResponse) -> [String; 2] {
    let session = tokens.session.clone().unwrap();
    [session.id.unwrap(), session.user.unwrap().id.unwrap()]
}

impl Replica {
    async fn of(program: &Serving) -> Self {
        Self { auth: program.auth().await, admin: program.admin().await }
    }

    /// Signs in with this request.
    pub(super) async fn sign_in(&self, request: SignInRequest) -> Result<Response<SignInResponse>, Status> {
        self.auth.clone().sign_in(request).await
    }

    /// Signs a person in and redeems the grant.
    pub(super) async fn tokens(&self, who: &str) -> IssueTokenResponse {
        let grant = allowed(self.sign_in(profile(who)).await).grant.unwrap();
        self.issue(&grant, "").await.unwrap()
    }

    /// Redeems a grant, by a request of this name.
    pub(super) async fn issue(&self, grant: &str, request_id: &str) -> Result<IssueTokenResponse, Status> {
        let (grant, request_id) = (grant.to_owned(), request_id.to_owned());
        let request = IssueTokenRequest { grant, request_id, ..Default::default() };
        self.auth.clone().issue_token(request).await.map(Response::into_inner)
    }

    /// Refreshes with this token.
    pub(super) async fn refresh(&self, refresh_token: &str) -> Result<RefreshTokenResponse, Status> {
        let request = RefreshTokenRequest { refresh_token: refresh_token.to_owned(), ..Default::default() };
        self.auth.clone().refresh_token(request).await.map(Response::into_inner)
    }

    /// The session of an access token.
    pub(super) async fn session(&self, access_token: &str) -> Result<GetSessionResponse, Status> {
        let credential = get_session_request::Credential::AccessToken(access_token.to_owned());
        let request = GetSessionRequest { credential: Some(credential), ..Default::default() };
        self.auth.clone().get_session(request).await.map(Response::into_inner)
    }

    /// Waits until an access token is refused here, and answers why.
    pub(super) async fn refuses_at_last(&self, access_token: &str) -> String {
        let begin = Instant::now();
        loop {
            let answer = self.session(access_token).await;
            if answer.is_err() {
                return reason(answer);
            }
            assert!(begin.elapsed() < Duration::from_secs(30), "this replica does not hear of the end");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The user of this id.
    pub(super) async fn user(&self, id: &str) -> Result<User, Status> {
        let key = Some(get_user_request::Key::UserId(id.to_owned()));
        let answer = self.admin.clone().get_user(GetUserRequest { key }).await?;
        Ok(answer.into_inner().user.unwrap())
    }

    /// Changes the fields of the mask of a user.
    pub(super) async fn update(&self, user: User, mask: &str) -> Result<User, Status> {
        let update_mask = Some(FieldMask { paths: vec![mask.to_owned()] });
        let request = UpdateUserRequest { user: Some(user), update_mask };
        Ok(self.admin.clone().update_user(request).await?.into_inner().user.unwrap())
    }

    /// Bans a user, or lifts the ban.
    pub(super) async fn ban(&self, id: &str, banned: bool) -> Result<User, Status> {
        self.update(User { id: id.to_owned(), banned, ..Default::default() }, "banned").await
    }
}
