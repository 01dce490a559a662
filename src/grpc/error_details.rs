//! How every error of ours looks on the wire: `google.rpc.ErrorInfo`, the same reason as the trailer
//! `gatepass-reason`, field violations and a retry delay. Which error gets which code and reason is decided by
//! the callers; this file only keeps them alike.

use std::collections::HashMap;
use std::time::Duration;

use http::HeaderName;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

/// The trailer that repeats the reason for clients that do not read error details.
pub static REASON: HeaderName = HeaderName::from_static("gatepass-reason");

/// The domain of every `ErrorInfo` of ours.
pub const DOMAIN: &str = "gatepass.v1";

/// The one reason of a retryable code that no retry mends.
pub const MESSAGE_TOO_LARGE: &str = "MESSAGE_TOO_LARGE";

/// How long a client waits before it retries, unless the error knows better.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// What an error tells beyond its reason.
#[derive(Debug, Clone, Default)]
pub struct Extra {
    fields: Vec<FieldViolation>,
    retry_after: Option<Duration>,
    metadata: Vec<(&'static str, String)>,
}

impl Extra {
    /// Nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// One field and what is wrong with it.
    #[must_use]
    pub fn field(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self::fields([(field, description)])
    }

    /// Several fields, each with what is wrong with it.
    #[must_use]
    pub fn fields<F: Into<String>, D: Into<String>>(fields: impl IntoIterator<Item = (F, D)>) -> Self {
        let fields = fields.into_iter().map(|(field, description)| FieldViolation::new(field, description));
        Self { fields: fields.collect(), ..Self::default() }
    }

    /// The delay before a retry, where the usual second is wrong.
    #[must_use]
    pub fn retry_after(delay: Duration) -> Self {
        Self { retry_after: Some(delay), ..Self::default() }
    }

    /// What `ErrorInfo` tells besides, by name.
    #[must_use]
    pub fn metadata(entries: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        Self { metadata: entries.into_iter().collect(), ..Self::default() }
    }
}

/// An error as clients get it. `RetryInfo` comes by itself with the codes that promise it.
#[must_use]
pub fn status(code: Code, reason: &'static str, message: &str, extra: Extra) -> Status {
    let more: HashMap<String, String> =
        extra.metadata.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let mut details = ErrorDetails::with_error_info(reason, DOMAIN, more);
    if !extra.fields.is_empty() {
        details.set_bad_request(extra.fields);
    }
    let retryable =
        matches!(code, Code::Unavailable | Code::ResourceExhausted) && reason != MESSAGE_TOO_LARGE;
    if let Some(delay) = extra.retry_after.or(retryable.then_some(RETRY_DELAY)) {
        details.set_retry_info(Some(delay));
    }
    let mut metadata = MetadataMap::with_capacity(1);
    metadata.insert("gatepass-reason", MetadataValue::from_static(reason));
    Status::with_error_details_and_metadata(code, message, details, metadata)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_tells_its_reason_twice() {
        let status = status(Code::NotFound, "USER_NOT_FOUND", "no such user", Extra::none());
        assert_eq!(status.metadata().get("gatepass-reason").unwrap(), "USER_NOT_FOUND");
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!((info.domain.as_str(), info.reason.as_str()), ("gatepass.v1", "USER_NOT_FOUND"));
        assert!(details.retry_info().is_none());
    }

    #[test]
    fn retryable_codes_carry_a_delay_and_an_oversize_message_does_not() {
        let delay = |code, reason, extra| {
            status(code, reason, "", extra).get_error_details().retry_info().and_then(|r| r.retry_delay)
        };
        let own = Extra::retry_after(Duration::from_millis(200));
        assert_eq!(delay(Code::Unavailable, "STORE_UNAVAILABLE", Extra::none()), Some(RETRY_DELAY));
        assert_eq!(delay(Code::ResourceExhausted, "RATE_LIMITED", own), Some(Duration::from_millis(200)));
        assert_eq!(delay(Code::ResourceExhausted, MESSAGE_TOO_LARGE, Extra::none()), None);
    }

    #[test]
    fn field_violations_keep_their_paths() {
        let status =
            status(Code::InvalidArgument, "INVALID_REQUEST", "", Extra::field("user.name", "is too long"));
        let details = status.get_error_details();
        let violations = &details.bad_request().unwrap().field_violations;
        assert_eq!(violations.len(), 1);
        assert_eq!(violations[0].field, "user.name");
    }
}
