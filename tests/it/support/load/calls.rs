//! One call of a load: it ends in time, answered or refused as trouble excuses, and is counted.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gatepass::grpc::proto::v1::admin_service_client::AdminServiceClient;
use gatepass::grpc::proto::v1::auth_service_client::AuthServiceClient;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};

use super::ledger::Told;
use super::tally::Tallies;
use crate::support::refusal;

/// The longest that a Gatepass under load gives a call, a sign-in, and as much again for a machine that is busy.
const HUNG: Duration = Duration::from_secs(8);

/// The deadline that every third call brings along.
const OWN_DEADLINE: Duration = Duration::from_secs(1);

/// What a caller does after a refusal before it tries again: hardly anything.
const BREATH: Duration = Duration::from_millis(10);

/// Who calls.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) auth: AuthServiceClient<Channel>,
    pub(super) admin: AdminServiceClient<Channel>,
    pub(super) told: Arc<Mutex<Told>>,
    pub(super) tallies: Arc<Tallies>,
    over: CancellationToken,
}

/// Why somebody calls no more.
#[derive(Debug)]
pub(super) enum End {
    /// The load is over.
    Stopped,
    /// A call of this method ended as none may, unless the program is gone.
    Wrong(&'static str, Status),
}

impl End {
    /// Ends the test with what ended the caller.
    pub(super) fn panic(self) -> ! {
        match self {
            Self::Stopped => panic!("stopped"),
            Self::Wrong(method, status) => panic!("{method}: {status:?}"),
        }
    }
}

/// What a call came to.
pub(super) enum Outcome<T> {
    Answered(T),
    /// For this reason; it may be repeated.
    Refused(String),
}

impl Caller {
    pub(super) fn new(channel: &Channel) -> Self {
        Self {
            auth: AuthServiceClient::new(channel.clone()),
            admin: AdminServiceClient::new(channel.clone()),
            told: Arc::default(),
            tallies: Arc::default(),
            over: CancellationToken::new(),
        }
    }

    pub(super) fn stop(&self) {
        self.over.cancel();
    }

    pub(super) fn take_told(&self) -> Told {
        std::mem::take(&mut *self.told.lock().unwrap())
    }

    /// A request; every third has a deadline of its own.
    pub(super) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if self.tallies.next_number().is_multiple_of(3) {
            request.set_timeout(OWN_DEADLINE);
        }
        request
    }

    /// A call, made once.
    pub(super) async fn once<T>(
        &self,
        method: &'static str,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<Outcome<T>, End> {
        if self.over.is_cancelled() {
            return Err(End::Stopped);
        }
        let begun = Instant::now();
        let ended = tokio::time::timeout(HUNG, call).await;
        match ended.unwrap_or_else(|_| panic!("{method} does not end")) {
            Ok(answer) => {
                self.tallies.note(method, begun, None);
                Ok(Outcome::Answered(answer.into_inner()))
            }
            Err(status) => {
                let reason = excuse(&status).ok_or(End::Wrong(method, status))?;
                self.tallies.note(method, begun, Some(&reason));
                tokio::time::sleep(BREATH).await;
                Ok(Outcome::Refused(reason))
            }
        }
    }

    /// A call, repeated until it is answered.
    pub(super) async fn insist<T, F: Future<Output = Result<Response<T>, Status>>>(
        &self,
        method: &'static str,
        call: impl Fn() -> F,
    ) -> Result<T, End> {
        loop {
            if let Outcome::Answered(answer) = self.once(method, call()).await? {
                return Ok(answer);
            }
        }
    }
}

/// The reason of a refusal that trouble with the database excuses.
fn excuse(status: &Status) -> Option<String> {
    // tonic's client says this by itself, when the deadline is over that it told the server.
    if status.message() == "Timeout expired" {
        return Some("own deadline".to_owned());
    }
    let excused: &[&str] = match status.code() {
        Code::Unavailable => &["STORE_UNAVAILABLE", "REVOCATION_STALE"],
        Code::DeadlineExceeded => &["DEADLINE_EXCEEDED"],
        _ => &[],
    };
    status.metadata().get("gatepass-reason")?;
    let (_, reason) = refusal::<()>(Err(status.clone()));
    excused.contains(&reason.as_str()).then_some(reason)
}
