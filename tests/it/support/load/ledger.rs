//! The record of all answers that a load received, and the check that they still hold. It contains only answered and
//! requested changes.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use gatepass::grpc::proto::v1::auth_service_client::AuthServiceClient;
use gatepass::grpc::proto::v1::{
    GetSessionRequest, IssueTokenRequest, IssueTokenResponse, RefreshTokenRequest, RefreshTokenResponse,
    Rotation, User, get_session_request,
};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};

use crate::support::{allowed, profile, reason};

/// A session that one caller and the ledger share.
pub(super) type SharedSession = Arc<Mutex<Session>>;

/// The number of concurrent checks.
const AT_ONCE: usize = 8;

/// Everything that was answered.
#[derive(Debug, Default)]
pub struct Told {
    pub(super) users: BTreeSet<String>,
    sessions: Vec<SharedSession>,
    spent_grants: Vec<String>,
}

/// The operation that ends a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    SignOut,
    RevokeSession,
    RevokeUserSessions,
}

impl Way {
    pub(super) const ALL: [Self; 3] = [Self::SignOut, Self::RevokeSession, Self::RevokeUserSessions];
}

/// The answers that a session received.
#[derive(Debug, Clone)]
pub(super) struct Session {
    who: String,
    id: String,
    user_id: String,
    /// Every refresh token that was returned, oldest first.
    answered: Vec<String>,
    pub(super) access_token: String,
    /// A refresh was requested and not answered: it may or may not have happened.
    refresh_open: bool,
    end_asked: bool,
    ended: Option<Way>,
}

impl Session {
    pub(super) fn begun(who: &str, user: &User, issued: IssueTokenResponse) -> Self {
        Self {
            who: who.to_owned(),
            id: issued.session.unwrap().id.unwrap(),
            user_id: user.id.clone(),
            answered: vec![issued.refresh_token],
            access_token: issued.access_token,
            refresh_open: false,
            end_asked: false,
            ended: None,
        }
    }

    /// Returns the refresh token for the next request.
    pub(super) fn asks_for_refresh(&mut self) -> String {
        self.refresh_open = true;
        self.answered.last().unwrap().clone()
    }

    pub(super) fn is_refreshed(&mut self, refreshed: RefreshTokenResponse) {
        self.refresh_open = false;
        self.answered.push(refreshed.refresh_token);
        self.access_token = refreshed.access_token;
    }

    /// Returns the id of the session, the id of its user and its access token, to end it.
    pub(super) fn asks_for_end(&mut self) -> (String, String, String) {
        self.end_asked = true;
        (self.id.clone(), self.user_id.clone(), self.access_token.clone())
    }

    pub(super) fn is_ended(&mut self, way: Way) {
        self.ended = Some(way);
    }
}

impl Told {
    pub(super) fn begun(&mut self, session: Session, grant: String) -> SharedSession {
        let session = Arc::new(Mutex::new(session));
        self.sessions.push(Arc::clone(&session));
        self.spent_grants.push(grant);
        session
    }

    /// Adds the record of another load.
    pub fn and(mut self, other: Self) -> Self {
        self.users.extend(other.users);
        self.sessions.extend(other.sessions);
        self.spent_grants.extend(other.spent_grants);
        self
    }

    /// Checks everything that was answered against a Gatepass.
    pub async fn check(&self, channel: &Channel) {
        let auth = AuthServiceClient::new(channel.clone());
        let (few, mut checks) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
        for who in self.users.clone() {
            let (mut auth, few) = (auth.clone(), Arc::clone(&few));
            checks.spawn(async move {
                let _turn = few.acquire().await.unwrap();
                // If a server did not notice a cut, it keeps the locks of open transactions until its own timeout.
                let again = loop {
                    match auth.sign_in(profile(&who)).await {
                        Err(status) if status.code() == Code::DeadlineExceeded => {}
                        answer => break allowed(answer),
                    }
                };
                assert!(!again.is_new_user, "{who} was forgotten");
            });
        }
        for grant in self.spent_grants.clone() {
            let (mut auth, few) = (auth.clone(), Arc::clone(&few));
            checks.spawn(async move {
                let _turn = few.acquire().await.unwrap();
                let request = IssueTokenRequest { grant, ..Default::default() };
                let refused = reason(auth.issue_token(request).await);
                let wanted = ["GRANT_USED", "SESSION_REVOKED"].contains(&refused.as_str());
                assert!(wanted, "a grant worked twice: {refused}");
            });
        }
        for session in &self.sessions {
            let (auth, few, session) = (auth.clone(), Arc::clone(&few), session.lock().unwrap().clone());
            checks.spawn(async move {
                let _turn = few.acquire().await.unwrap();
                check_session(auth, session).await;
            });
        }
        checks.join_all().await;
    }

    /// Checks if there is a record of every kind.
    pub fn is_telling(&self) -> bool {
        self.counts().iter().all(|(_, answered)| *answered > 0)
    }

    /// Checks the rows of the auth log. The log may contain more than was answered, never less.
    pub async fn check_log(&self, db: &DatabaseConnection) {
        for (actions, answered) in self.counts() {
            let sql = format!("SELECT count(*) AS n FROM auth_logs WHERE action IN ({actions})");
            let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
            let rows = usize::try_from(row.unwrap().try_get::<i64>("", "n").unwrap()).unwrap();
            assert!(rows >= answered, "{rows} rows of {actions}, {answered} answered");
        }
    }

    /// Counts the answered calls by action of the auth log.
    fn counts(&self) -> [(&'static str, usize); 4] {
        let sessions: Vec<_> = self.sessions.iter().map(|session| session.lock().unwrap()).collect();
        let ended = |ways: &[Way]| {
            sessions.iter().filter(|session| session.ended.is_some_and(|way| ways.contains(&way))).count()
        };
        [
            ("'SIGN_UP'", self.users.len()),
            ("'TOKEN_ISSUED'", sessions.len()),
            ("'SIGN_OUT'", ended(&[Way::SignOut])),
            ("'SESSION_REVOKED'", ended(&[Way::RevokeSession, Way::RevokeUserSessions])),
        ]
    }
}

async fn check_session(mut auth: AuthServiceClient<Channel>, session: Session) {
    let who = &session.who;
    let credential = Some(get_session_request::Credential::AccessToken(session.access_token.clone()));
    let read = auth.clone().get_session(GetSessionRequest { credential, ..Default::default() }).await;
    let mut refresh = async |token: &str| -> Result<RefreshTokenResponse, Status> {
        let request = RefreshTokenRequest { refresh_token: token.to_owned(), ..Default::default() };
        loop {
            match auth.refresh_token(request.clone()).await {
                Err(status) if status.code() == Code::DeadlineExceeded => {}
                answer => return answer.map(Response::into_inner),
            }
        }
    };
    let newest = session.answered.last().unwrap();
    if session.ended.is_some() {
        assert_eq!(reason(read), "SESSION_REVOKED", "{who}");
        assert_eq!(reason(refresh(newest).await), "SESSION_REVOKED", "{who}");
    } else if !session.end_asked {
        read.unwrap();
        let first = refresh(newest).await.unwrap();
        let replayed = session.refresh_open && first.rotation() == Rotation::Replayed;
        assert!(replayed || first.rotation() == Rotation::Rotated, "{who}: {:?}", first.rotation());
        let again = refresh(newest).await.unwrap();
        assert_eq!(again.rotation(), Rotation::Replayed, "{who}: it worked twice");
        assert_eq!(again.refresh_token, first.refresh_token, "{who}: two successors");
        if let [.., older, _] = &session.answered[..] {
            let late = refresh(older).await.unwrap();
            assert_eq!(late.rotation(), Rotation::Replayed, "{who}: an older token worked");
            assert_eq!(late.refresh_token, first.refresh_token, "{who}: two successors");
        }
    }
}
