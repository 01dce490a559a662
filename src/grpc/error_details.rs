//! The wire format of every error: the code of its reason, `google.rpc.ErrorInfo`, the same reason as the trailer
//! `gatepass-reason`, field violations and a retry delay.

use std::collections::HashMap;
use std::time::Duration;

use http::HeaderName;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use crate::model::Reason;

/// The trailer that repeats the reason for clients that do not read error details.
pub static REASON: HeaderName = HeaderName::from_static("gatepass-reason");

/// The domain of every `ErrorInfo` of Gatepass.
pub const DOMAIN: &str = "gatepass.v1";

/// The default delay before a client retries.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// The details of an error besides its reason.
#[derive(Debug, Clone, Default)]
pub struct Extra {
    fields: Vec<FieldViolation>,
    retry_after: Option<Duration>,
    is_final: bool,
    metadata: Vec<(&'static str, String)>,
}

impl Extra {
    /// Makes empty details.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Makes the details of one invalid field.
    #[must_use]
    pub fn field(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self::fields([(field, description)])
    }

    /// Makes the details of several invalid fields.
    #[must_use]
    pub fn fields<F: Into<String>, D: Into<String>>(fields: impl IntoIterator<Item = (F, D)>) -> Self {
        let fields = fields.into_iter().map(|(field, description)| FieldViolation::new(field, description));
        Self { fields: fields.collect(), ..Self::default() }
    }

    /// Sets the delay before a retry, if the usual second is wrong.
    #[must_use]
    pub fn retry_after(delay: Duration) -> Self {
        Self { retry_after: Some(delay), ..Self::default() }
    }

    /// Says that the call used something up, so that a retry can't succeed: UNAVAILABLE becomes ABORTED.
    #[must_use]
    pub fn of_a_final_failure(self) -> Self {
        Self { is_final: true, ..self }
    }

    /// Adds metadata entries to `ErrorInfo`, by name.
    #[must_use]
    pub fn metadata(entries: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        Self { metadata: entries.into_iter().collect(), ..Self::default() }
    }
}

/// Makes the status that clients receive. `RetryInfo` is added for the codes that promise it.
#[must_use]
pub fn status(reason: Reason, message: &str, extra: Extra) -> Status {
    let more: HashMap<String, String> =
        extra.metadata.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let name = reason.name();
    let usual = code(reason);
    let code = if extra.is_final && usual == Code::Unavailable { Code::Aborted } else { usual };
    let mut details = ErrorDetails::with_error_info(name, DOMAIN, more);
    if !extra.fields.is_empty() {
        details.set_bad_request(extra.fields);
    }
    // A message that is too large will be too large again.
    let retryable =
        matches!(code, Code::Unavailable | Code::ResourceExhausted) && reason != Reason::MessageTooLarge;
    if let Some(delay) = extra.retry_after.or(retryable.then_some(RETRY_DELAY)) {
        details.set_retry_info(Some(delay));
    }
    let mut metadata = MetadataMap::with_capacity(1);
    metadata.insert("gatepass-reason", MetadataValue::from_static(name));
    Status::with_error_details_and_metadata(code, message, details, metadata)
}

/// Returns the code of a reason: the one at the start of its comment in the proto.
fn code(reason: Reason) -> Code {
    match reason {
        Reason::InvalidRequest | Reason::PageTokenInvalid => Code::InvalidArgument,
        Reason::TokenMalformed
        | Reason::TokenExpired
        | Reason::TokenSignatureInvalid
        | Reason::TokenAudienceMismatch
        | Reason::TokenStale
        | Reason::SessionRevoked
        | Reason::SessionExpired
        | Reason::UserBanned
        | Reason::GrantInvalid
        | Reason::GrantExpired
        | Reason::GrantUsed
        | Reason::RefreshInvalid
        | Reason::RefreshReused
        | Reason::CredentialInvalid
        | Reason::StateMismatch
        | Reason::FlowInvalid
        | Reason::FlowExpired
        | Reason::FlowUsed
        | Reason::CallerUnknown => Code::Unauthenticated,
        Reason::CallerNotAllowed | Reason::CallbackDenied => Code::PermissionDenied,
        Reason::UserNotFound
        | Reason::SessionNotFound
        | Reason::ProviderNotFound
        | Reason::ServiceNotFound => Code::NotFound,
        Reason::ReauthenticationRequired
        | Reason::NotConfigured
        | Reason::CursorExpired
        | Reason::ClaimsTooLarge
        | Reason::ProviderMisconfigured => Code::FailedPrecondition,
        Reason::EtagMismatch | Reason::Conflict => Code::Aborted,
        Reason::RateLimited | Reason::MessageTooLarge => Code::ResourceExhausted,
        Reason::DeadlineExceeded => Code::DeadlineExceeded,
        Reason::StoreUnavailable
        | Reason::KeysUnavailable
        | Reason::ProviderUnavailable
        | Reason::CallbackUnavailable
        | Reason::RevocationStale
        | Reason::Overloaded
        | Reason::Draining => Code::Unavailable,
        Reason::NotImplemented => Code::Unimplemented,
        Reason::Internal => Code::Internal,
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use prost_types::FileDescriptorSet;

    use super::super::proto::{FILE_DESCRIPTOR_SET, v1};
    use super::*;

    /// Returns the first word of the comment of each value of `ErrorReason`, by number.
    fn codes_told() -> HashMap<i32, String> {
        let files = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap().file;
        let file = files.iter().find(|file| file.name() == "gatepass/v1/error_reason.proto").unwrap();
        let locations = &file.source_code_info.as_ref().unwrap().location;
        let told = |(index, value): (usize, &prost_types::EnumValueDescriptorProto)| {
            let path = [5, 0, 2, i32::try_from(index).unwrap()];
            let comment = locations.iter().find(|location| location.path == path).unwrap().leading_comments();
            (value.number(), comment.trim().split('.').next().unwrap().to_owned())
        };
        file.enum_type[0].value.iter().enumerate().map(told).collect()
    }

    #[test]
    fn each_reason_has_the_name_and_the_code_that_the_proto_gives_it() {
        let told = codes_told();
        assert_eq!(told.len(), Reason::ALL.len() + 1, "all but the value 0");
        for reason in Reason::ALL {
            let wire = v1::ErrorReason::try_from(reason.number()).unwrap();
            assert_eq!(wire.as_str_name(), format!("ERROR_REASON_{}", reason.name()));
            let code = format!("{:?}", code(*reason));
            assert_eq!(
                told[&reason.number()].replace('_', "").to_lowercase(),
                code.to_lowercase(),
                "{reason:?}"
            );
        }
    }

    #[test]
    fn every_error_has_its_reason_in_details_and_metadata() {
        let status = status(Reason::UserNotFound, "no such user", Extra::none());
        assert_eq!(status.code(), Code::NotFound);
        assert_eq!(status.metadata().get("gatepass-reason").unwrap(), "USER_NOT_FOUND");
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!((info.domain.as_str(), info.reason.as_str()), ("gatepass.v1", "USER_NOT_FOUND"));
        assert!(details.retry_info().is_none());
    }

    #[test]
    fn retryable_codes_carry_a_delay_and_an_oversize_message_does_not() {
        let delay = |reason, extra| {
            status(reason, "", extra).get_error_details().retry_info().and_then(|r| r.retry_delay)
        };
        let own = Extra::retry_after(Duration::from_millis(200));
        assert_eq!(delay(Reason::StoreUnavailable, Extra::none()), Some(RETRY_DELAY));
        assert_eq!(delay(Reason::KeysUnavailable, Extra::none()), Some(RETRY_DELAY));
        assert_eq!(delay(Reason::RateLimited, own), Some(Duration::from_millis(200)));
        assert_eq!(delay(Reason::MessageTooLarge, Extra::none()), None);
        assert_eq!(delay(Reason::StoreUnavailable, Extra::none().of_a_final_failure()), None);
    }

    #[test]
    fn a_final_failure_is_never_unavailable_and_keeps_every_other_code() {
        for reason in Reason::ALL {
            let final_code = status(*reason, "", Extra::none().of_a_final_failure()).code();
            let usual = code(*reason);
            let wanted = if usual == Code::Unavailable { Code::Aborted } else { usual };
            assert_eq!(final_code, wanted, "{reason:?}");
        }
    }

    #[test]
    fn field_violations_keep_their_paths() {
        let status = status(Reason::InvalidRequest, "", Extra::field("user.name", "is too long"));
        let details = status.get_error_details();
        let violations = &details.bad_request().unwrap().field_violations;
        assert_eq!(violations.len(), 1);
        assert_eq!(violations[0].field, "user.name");
    }
}
