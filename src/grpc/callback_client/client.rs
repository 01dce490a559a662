//! The callbacks that a service implements. Each question has its own timeout, or a shorter one if its call has less
//! time left.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tonic::metadata::AsciiMetadataValue;
use tonic::{Code, Request, Response, Status};

use super::channel::Channel;
use super::connector::Connector;
use super::credential::Credential;
use super::{failure, messages};
use crate::auth::{
    CallContext, Callback, CallbackFailure, CallbackResult, CallbackSet, Callbacks, FailureKind, JwtDecision,
    JwtInput, PerCallback, RedirectInput, SessionInput, SignInDecision, SignInInput,
};
use crate::grpc::proto::callback::v1::callback_service_client::CallbackServiceClient;
use crate::model::{ClaimMap, Clock, Entropy};
use crate::net::Target;
use crate::net::tls::ClientTls;

/// The maximum size of an answer, in bytes.
const ANSWER_BYTES: usize = 64 * 1024;

/// A callback service, and the callbacks that it implements.
pub struct CallbackService {
    /// Its address.
    pub address: Target,
    /// Its authority and the client certificate of Gatepass; `None` in plaintext.
    pub tls: Option<ClientTls>,
    /// The credential that is sent as `authorization`.
    pub credential: Option<Credential>,
    /// The timeout of each callback; `None` if the service does not implement it.
    pub timeouts: PerCallback<Option<Duration>>,
}

/// The callbacks of a service.
pub struct RemoteCallbacks {
    methods: PerCallback<Option<Method>>,
    clock: Arc<dyn Clock>,
}

/// One of the callbacks.
struct Method {
    timeout: Duration,
    channel: Channel,
    client: CallbackServiceClient<Channel>,
}

impl RemoteCallbacks {
    /// Begins to connect: one connection per callback, so that callbacks do not wait for each other.
    #[must_use]
    pub fn connect(service: CallbackService, clock: Arc<dyn Clock>, entropy: &Arc<dyn Entropy>) -> Self {
        let CallbackService { address, tls, credential, timeouts } = service;
        let origin = address.origin().clone();
        let connector = Arc::new(Connector { address, tls, entropy: Arc::clone(entropy) });
        let methods = PerCallback::of(|callback| {
            let timeout = (*timeouts.get(callback))?;
            let channel =
                Channel::open(callback, Arc::clone(&connector), credential.clone(), Arc::clone(entropy));
            let client = CallbackServiceClient::with_origin(channel.clone(), origin.clone())
                .max_decoding_message_size(ANSWER_BYTES);
            Some(Method { timeout, channel, client })
        });
        Self { methods, clock }
    }

    async fn ask<M, A, F>(
        &self,
        callback: Callback,
        message: M,
        send: impl FnOnce(CallbackServiceClient<Channel>, Request<M>) -> F + Send,
    ) -> CallbackResult<A>
    where
        M: Send,
        A: Send,
        F: Future<Output = Result<Response<A>, Status>> + Send,
    {
        let Some(method) = self.methods.get(callback) else {
            return Err(callback.failed("it is not among callbacks.remote.callbacks"));
        };
        let asked = Instant::now();
        let context = CallContext::current();
        let left = context.as_ref().and_then(|context| context.due).map(|due| left(due, asked));
        let time = left.map_or(method.timeout, |left| left.min(method.timeout));
        let enough = enough(method.timeout, context.as_ref());
        let request = request(message, time, context.as_ref());
        match tokio::time::timeout(time, send(method.client.clone(), request)).await {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            // A service that was given too little time may be healthy.
            Err(_) if time < enough => Err(cut_short(callback, time)),
            Ok(Err(status)) if time < enough && is_late(&status) => Err(cut_short(callback, time)),
            Ok(Err(status)) => Err(failure::of_status(callback, &status)),
            Err(_) => {
                method.channel.doubt(asked);
                Err(callback.failed_as(FailureKind::Unanswered, format!("no response within {time:?}")))
            }
        }
    }
}

fn cut_short(callback: Callback, time: Duration) -> CallbackFailure {
    callback.failed_as(FailureKind::CutShort, format!("no response in the remaining {time:?}"))
}

/// Returns true if the service itself reported that the deadline had passed.
fn is_late(status: &Status) -> bool {
    matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled)
}

/// Returns the time that a call can spend before its deadline: nine tenths, so that it can still respond.
fn left(due: Instant, now: Instant) -> Duration {
    due.saturating_duration_since(now) * 9 / 10
}

/// Returns the time after which a silent service counts as unavailable. It is the timeout, or three quarters of the
/// longest time of a call if that is less.
fn enough(timeout: Duration, context: Option<&CallContext>) -> Duration {
    context.map_or(timeout, |context| timeout.min(context.most * 3 / 4))
}

fn request<M>(message: M, time: Duration, context: Option<&CallContext>) -> Request<M> {
    let mut request = Request::new(message);
    request.set_timeout(time);
    let Some(context) = context else { return request };
    let metadata = request.metadata_mut();
    // Both arrived as headers, so they are valid as headers.
    if let Ok(id) = AsciiMetadataValue::try_from(&*context.request_id) {
        metadata.insert("x-request-id", id);
    }
    if let Some(Ok(trace)) = context.traceparent.as_deref().map(AsciiMetadataValue::try_from) {
        metadata.insert("traceparent", trace);
    }
    request
}

impl Callbacks for RemoteCallbacks {
    fn implemented(&self) -> CallbackSet {
        CallbackSet::of(|callback| self.methods.get(callback).is_some())
    }

    async fn sign_in(&self, input: &SignInInput<'_>) -> CallbackResult<SignInDecision> {
        let question = messages::sign_in(input, self.clock.now());
        let answer = self.ask(Callback::SignIn, question, |mut client, question| async move {
            client.sign_in(question).await
        });
        messages::sign_in_decision(answer.await?)
    }

    async fn jwt(&self, input: &JwtInput<'_>) -> CallbackResult<JwtDecision> {
        let question = messages::jwt(input, self.clock.now());
        let answer = self
            .ask(Callback::Jwt, question, |mut client, question| async move { client.jwt(question).await });
        messages::jwt_decision(answer.await?)
    }

    async fn session(&self, input: &SessionInput<'_>) -> CallbackResult<ClaimMap> {
        let question = messages::session(input);
        let answer = self.ask(Callback::Session, question, |mut client, question| async move {
            client.session(question).await
        });
        messages::session_claims(answer.await?)
    }

    async fn redirect(&self, input: &RedirectInput<'_>) -> CallbackResult<Option<String>> {
        let question = messages::redirect(input);
        let answer = self.ask(Callback::Redirect, question, |mut client, question| async move {
            client.redirect(question).await
        });
        messages::redirect_url(answer.await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_reserves_some_of_its_deadline() {
        let now = Instant::now();
        let millis = Duration::from_millis;
        for (due, given) in [(0, 0), (10, 9), (500, 450), (10_000, 9_000)] {
            assert_eq!(left(now + millis(due), now), millis(given), "{due}");
        }
        assert_eq!(left(now, now + millis(1)), Duration::ZERO);
    }
}
