//! A crash loses nothing acknowledged: the program is killed under load, again and again, and every sign-in,
//! rotation and sign-out that was answered is there afterwards, and no token works twice.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatepass::grpc::proto::v1::auth_service_client::AuthServiceClient;
use gatepass::grpc::proto::v1::{
    GetSessionRequest, IssueTokenRequest, RefreshTokenRequest, Rotation, SignOutRequest, get_session_request,
    sign_in_response, sign_out_request,
};
use gatepass::model::{Entropy, OsEntropy};
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

use crate::support::{profile, reason};

/// How often the program is killed.
const CRASHES: usize = 10;
/// How many people use it at the same time.
const PEOPLE: usize = 6;

type Client = AuthServiceClient<Channel>;

/// The program, as a process of its own.
struct Program {
    child: Child,
    client: Client,
}

impl Program {
    async fn start(folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gatepass"))
            .current_dir(folder)
            .env_clear()
            .env("GATEPASS_SERVER__GRPC_ADDR", "127.0.0.1:0")
            .env("GATEPASS_SERVER__HTTP_ADDR", "127.0.0.1:0")
            .env("GATEPASS_SERVER__ADMIN_ADDR", "127.0.0.1:0")
            // A replay must not be told from a reuse by how fast this machine is.
            .env("GATEPASS_SESSION__REFRESH_RETRY_WINDOW", "5m")
            .env("GATEPASS_TELEMETRY__LOG_FORMAT", "json")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let addr = log.find_map(|line| addr_in(&line)).expect("the program says where it listens");
        log.find(|line| line.contains("\"ready\"")).expect("the program gets ready");
        std::thread::spawn(move || log.for_each(drop));
        let endpoint = Endpoint::from_shared(format!("http://{addr}")).unwrap();
        let client = Client::new(endpoint.timeout(Duration::from_secs(20)).connect().await.unwrap());
        Self { child, client }
    }

    fn kill(mut self) {
        // SIGKILL: nothing is flushed, nobody is told.
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn addr_in(line: &str) -> Option<SocketAddr> {
    let event: serde_json::Value = serde_json::from_str(line).ok()?;
    event.get("grpc")?.as_str()?.trim_start_matches("Some(").trim_end_matches(')').parse().ok()
}

/// What a session was told so far. Only what was answered stands here.
#[derive(Debug, Clone)]
struct Session {
    who: String,
    /// Every refresh token that was answered, oldest first.
    answered: Vec<String>,
    access_token: String,
    /// A refresh was asked for and not answered: it may or may not have happened.
    refresh_open: bool,
    signed_out: SignedOut,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum SignedOut {
    No,
    Asked,
    Answered,
}

#[derive(Debug, Default)]
struct Told {
    users: Vec<String>,
    sessions: Vec<Arc<Mutex<Session>>>,
    spent_grants: Vec<String>,
}

/// One person: signs in, refreshes a few times, signs out every other session, until the program is gone.
async fn live(mut client: Client, round: usize, person: usize, told: Arc<Mutex<Told>>) -> Result<(), Status> {
    for turn in 0.. {
        let who = format!("p{round}-{person}-{turn}");
        let signed_in = client.sign_in(profile(&who)).await?.into_inner();
        told.lock().unwrap().users.push(who.clone());
        let Some(sign_in_response::Outcome::Allowed(allowed)) = signed_in.outcome else {
            panic!("not allowed")
        };
        let grant = allowed.grant.unwrap();
        let request = IssueTokenRequest { grant: grant.clone(), ..Default::default() };
        let issued = client.issue_token(request).await?.into_inner();
        let session = Arc::new(Mutex::new(Session {
            who,
            answered: vec![issued.refresh_token],
            access_token: issued.access_token,
            refresh_open: false,
            signed_out: SignedOut::No,
        }));
        told.lock().unwrap().spent_grants.push(grant);
        told.lock().unwrap().sessions.push(Arc::clone(&session));
        for _ in 0..3 {
            let refresh_token = session.lock().unwrap().answered.last().unwrap().clone();
            session.lock().unwrap().refresh_open = true;
            let request = RefreshTokenRequest { refresh_token, ..Default::default() };
            let refreshed = client.refresh_token(request).await?.into_inner();
            let mut session = session.lock().unwrap();
            session.answered.push(refreshed.refresh_token);
            session.access_token = refreshed.access_token;
            session.refresh_open = false;
        }
        if turn % 2 == 0 {
            session.lock().unwrap().signed_out = SignedOut::Asked;
            let access_token = session.lock().unwrap().access_token.clone();
            sign_out(&mut client, &access_token).await?;
            session.lock().unwrap().signed_out = SignedOut::Answered;
        }
    }
    Ok(())
}

async fn sign_out(client: &mut Client, token: &str) -> Result<i32, Status> {
    let credential = Some(sign_out_request::Credential::AccessToken(token.to_owned()));
    Ok(client
        .sign_out(SignOutRequest { credential, ..Default::default() })
        .await?
        .into_inner()
        .sessions_ended)
}

/// Looks for everything that was answered.
async fn check(client: &mut Client, told: &Told) {
    for who in &told.users {
        let again = client.sign_in(profile(who)).await.unwrap().into_inner();
        let Some(sign_in_response::Outcome::Allowed(allowed)) = again.outcome else {
            panic!("{who} is gone")
        };
        assert!(!allowed.is_new_user, "{who} was forgotten");
    }
    for grant in &told.spent_grants {
        let request = IssueTokenRequest { grant: grant.clone(), ..Default::default() };
        let refused = reason(client.issue_token(request).await);
        assert!(
            ["GRANT_USED", "SESSION_REVOKED"].contains(&refused.as_str()),
            "a grant worked twice: {refused}"
        );
    }
    for session in &told.sessions {
        let session = session.lock().unwrap().clone();
        check_session(client, &session).await;
    }
}

async fn check_session(client: &mut Client, session: &Session) {
    let read = || {
        let credential = Some(get_session_request::Credential::AccessToken(session.access_token.clone()));
        GetSessionRequest { credential, ..Default::default() }
    };
    let refresh = |token: &String| RefreshTokenRequest { refresh_token: token.clone(), ..Default::default() };
    let newest = session.answered.last().unwrap();
    match session.signed_out {
        SignedOut::Answered => {
            assert_eq!(reason(client.get_session(read()).await), "SESSION_REVOKED", "{}", session.who);
            assert_eq!(
                reason(client.refresh_token(refresh(newest)).await),
                "SESSION_REVOKED",
                "{}",
                session.who
            );
        }
        SignedOut::Asked => {}
        SignedOut::No => {
            client.get_session(read()).await.unwrap();
            let first = client.refresh_token(refresh(newest)).await.unwrap().into_inner();
            let rotations: &[Rotation] = if session.refresh_open {
                &[Rotation::Rotated, Rotation::Replayed]
            } else {
                &[Rotation::Rotated]
            };
            assert!(rotations.contains(&first.rotation()), "{}: {:?}", session.who, first.rotation());
            let again = client.refresh_token(refresh(newest)).await.unwrap().into_inner();
            assert_eq!(again.rotation(), Rotation::Replayed, "{}: it worked twice", session.who);
            assert_eq!(again.refresh_token, first.refresh_token, "{}: two successors", session.who);
            if let [.., older, _] = &session.answered[..] {
                assert_eq!(
                    reason(client.refresh_token(refresh(older)).await),
                    "REFRESH_REUSED",
                    "{}",
                    session.who
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_under_load_loses_nothing_that_was_answered() {
    let folder = tempfile::tempdir().unwrap();
    let mut checked = (0, 0, 0);
    for round in 0..CRASHES {
        let program = Program::start(folder.path()).await;
        let told = Arc::new(Mutex::new(Told::default()));
        let people: Vec<_> = (0..PEOPLE)
            .map(|person| tokio::spawn(live(program.client.clone(), round, person, Arc::clone(&told))))
            .collect();
        let mut random = [0];
        OsEntropy.fill(&mut random);
        // The moment of the crash, not a wait for something: any will do.
        tokio::time::sleep(Duration::from_millis(100 + u64::from(random[0]))).await;
        program.kill();
        for person in people {
            person.await.unwrap().unwrap_err();
        }
        let mut program = Program::start(folder.path()).await;
        let told = std::mem::take(&mut *told.lock().unwrap());
        check(&mut program.client, &told).await;
        checked.0 += told.users.len();
        checked.1 +=
            told.sessions.iter().map(|session| session.lock().unwrap().answered.len() - 1).sum::<usize>();
        let ended =
            |session: &&Arc<Mutex<Session>>| session.lock().unwrap().signed_out == SignedOut::Answered;
        checked.2 += told.sessions.iter().filter(ended).count();
        program.kill();
    }
    let (users, rotations, sign_outs) = checked;
    assert!(users > CRASHES && rotations > CRASHES && sign_outs > 0, "too little happened: {checked:?}");
    // The log may tell of more than was answered, never of less.
    assert!(logged(folder.path(), "SIGN_UP").await >= users);
    assert!(logged(folder.path(), "SIGN_OUT").await >= sign_outs);
}

/// How many rows of this action the log has.
async fn logged(folder: &Path, action: &str) -> usize {
    use sea_orm::{ConnectionTrait, Statement};
    let db = sea_orm::Database::connect(format!("sqlite://{}/gatepass.db", folder.display())).await.unwrap();
    let sql = format!("SELECT count(*) AS n FROM auth_logs WHERE action = '{action}'");
    let row =
        db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap().unwrap();
    usize::try_from(row.try_get::<i64>("", "n").unwrap()).unwrap()
}
