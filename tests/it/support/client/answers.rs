//! The parts of answers that tests compare.

use super::super::callback_service::to_json;
use gatepass::grpc::proto::v1::{
    IssueTokenResponse, Session, SignInAllowed, SignInDenied, SignInResponse, sign_in_response::Outcome,
};
use tonic::{Code, Response, Status};
use tonic_types::StatusExt as _;

/// Returns the result of a sign-in that must be allowed.
pub fn allowed(answer: Result<Response<SignInResponse>, Status>) -> SignInAllowed {
    match answer.unwrap().into_inner().outcome {
        Some(Outcome::Allowed(allowed)) => allowed,
        other => panic!("not allowed: {other:?}"),
    }
}

/// Returns the result of a sign-in that must be denied.
pub fn denied(answer: Result<Response<SignInResponse>, Status>) -> SignInDenied {
    match answer.unwrap().into_inner().outcome {
        Some(Outcome::Denied(denied)) => denied,
        other => panic!("not denied: {other:?}"),
    }
}

/// Returns the ids of the session and of its user.
pub fn ids(tokens: &IssueTokenResponse) -> [String; 2] {
    let session = tokens.session.clone().unwrap();
    [session.id.unwrap(), session.user.unwrap().id.unwrap()]
}

/// Returns the claims that callbacks and updates added to a session.
pub fn claims_of(session: Option<&Session>) -> serde_json::Value {
    to_json(session.unwrap().claims.as_ref().unwrap())
}

/// Returns the code and the reason of an error. The reason must be the same in the details and in the trailer.
pub fn refusal<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    let status = answer.expect_err("a refusal");
    let details = status.get_error_details();
    let info = details.error_info().unwrap_or_else(|| panic!("no ErrorInfo: {status:?}"));
    assert_eq!(info.domain, "gatepass.v1");
    assert_eq!(status.metadata().get("gatepass-reason").unwrap().to_str().unwrap(), info.reason);
    assert_eq!(details.bad_request().is_some(), status.code() == Code::InvalidArgument, "{status:?}");
    (status.code(), info.reason.clone())
}

/// Returns the reason of an error.
pub fn reason<T: std::fmt::Debug>(answer: Result<T, Status>) -> String {
    refusal(answer).1
}

/// Returns the paths of the fields that make a request invalid.
pub fn fields<T: std::fmt::Debug>(answer: Result<T, Status>) -> Vec<String> {
    let status = answer.expect_err("a refusal");
    let details = status.get_error_details();
    assert_eq!(refusal::<()>(Err(status)), (Code::InvalidArgument, "INVALID_REQUEST".to_owned()));
    let fields = &details.bad_request().expect("a BadRequest").field_violations;
    fields.iter().map(|violation| violation.field.clone()).collect()
}
