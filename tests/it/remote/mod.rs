//! Callbacks that a gRPC service answers, a real one at a real port: what it is told and may answer, and what becomes of
//! calls when it hangs, lies, breaks or is not there.

mod answers;
mod breaker;
mod cache;
mod chain;
mod deadline;
mod faults;
mod inputs;
mod metrics;
mod on_failure;
mod shadow;
mod tls;

use gatepass::grpc::proto::v1::{IssueTokenResponse, SignInResponse, sign_in_response};
use tonic::{Code, Response, Status};

use crate::support::callback_service::CallbackServer;
use crate::support::{TestApp, builder, profile, refusal};

/// What a call is told whose callback fails.
fn unavailable() -> (Code, String) {
    (Code::Unavailable, "CALLBACK_UNAVAILABLE".to_owned())
}

/// A Gatepass that asks this service for all four, with more of the section `remote`.
async fn asking(service: &CallbackServer, more: &str) -> TestApp {
    builder().config(&service.section(more)).start().await
}

/// The outcome of a sign-in.
fn outcome(answer: Result<Response<SignInResponse>, Status>) -> sign_in_response::Outcome {
    answer.unwrap().into_inner().outcome.unwrap()
}

impl TestApp {
    /// A call for each callback, in this order: `sign_in`, `jwt` at a first token and at a refresh, `session`, `redirect`.
    /// The tokens are of a session from before.
    async fn each(&self, grant: &str, tokens: &IssueTokenResponse) -> [Result<(), Status>; 5] {
        [
            self.try_sign_in(profile("eve")).await.map(drop),
            self.issue(grant).await.map(drop),
            self.refresh(&tokens.refresh_token).await.map(drop),
            self.session(&tokens.access_token).await.map(drop),
            self.resolve("/x").await.map(drop),
        ]
    }
}

/// Code and reason of each refusal; nothing for what went well.
fn told<const N: usize>(answers: [Result<(), Status>; N]) -> [Option<(Code, String)>; N] {
    answers.map(|answer| answer.err().map(|status| refusal::<()>(Err(status))))
}
