//! Callbacks of a gRPC service at a real port: their inputs, their valid answers, and the calls while the service
//! hangs, returns wrong answers, breaks or is unavailable.

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

/// The error of a call whose callback failed.
fn unavailable() -> (Code, String) {
    (Code::Unavailable, "CALLBACK_UNAVAILABLE".to_owned())
}

/// Starts a Gatepass that uses this service for all four callbacks, with more settings in `remote`.
async fn asking(service: &CallbackServer, more: &str) -> TestApp {
    builder().config(&service.section(more)).start().await
}

/// Returns the outcome of a sign-in.
fn outcome(answer: Result<Response<SignInResponse>, Status>) -> sign_in_response::Outcome {
    answer.unwrap().into_inner().outcome.unwrap()
}

impl TestApp {
    /// Makes a call for each callback, in this order: `sign_in`, `jwt` at a first token and at a refresh, `session`,
    /// `redirect`. The tokens belong to an earlier session.
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

/// Returns the code and the reason of each rejection, and nothing for a success.
fn told<const N: usize>(answers: [Result<(), Status>; N]) -> [Option<(Code, String)>; N] {
    answers.map(|answer| answer.err().map(|status| refusal::<()>(Err(status))))
}
