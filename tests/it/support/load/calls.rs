//! One call of a load. It must end in time, with an answer or with a rejection that a database failure excuses, and it
//! is counted.

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

/// The longest time of a call under load: a sign-in, plus the same again for a busy machine.
const HUNG: Duration = Duration::from_secs(8);

/// The deadline that every third call sets itself.
const OWN_DEADLINE: Duration = Duration::from_secs(1);

/// The short pause of a caller between a rejection and its retry.
const BREATH: Duration = Duration::from_millis(10);

/// A caller.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) auth: AuthServiceClient<Channel>,
    pub(super) admin: AdminServiceClient<Channel>,
    pub(super) told: Arc<Mutex<Told>>,
    pub(super) tallies: Arc<Tallies>,
    over: CancellationToken,
}

/// The reason why a caller stopped.
#[derive(Debug)]
pub(super) enum End {
    /// The load is over.
    Stopped,
    /// A call of this method ended in a forbidden way, unless the program is gone.
    Wrong(&'static str, Status),
}

impl End {
    /// Fails the test with the error that stopped the caller.
    pub(super) fn panic(self) -> ! {
        match self {
            Self::Stopped => panic!("stopped"),
            Self::Wrong(method, status) => panic!("{method}: {status:?}"),
        }
    }
}

/// The outcome of a call.
pub(super) enum Outcome<T> {
    Answered(T),
    /// Rejected for this reason; the call may be repeated.
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

    /// Builds a request. Every third one has its own deadline.
    pub(super) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if self.tallies.next_number().is_multiple_of(3) {
            request.set_timeout(OWN_DEADLINE);
        }
        request
    }

    /// Makes a call once.
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

    /// Repeats a call until it is answered.
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

/// Returns the reason of a rejection that a database failure excuses.
fn excuse(status: &Status) -> Option<String> {
    // The tonic client creates this status itself when the deadline that it sent to the server has passed.
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
