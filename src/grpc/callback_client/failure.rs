//! The failures of a callback service. The service's own messages are not used: they could contain personal data.

use std::error::Error as _;

use tonic::{Code, Status};

use crate::auth::{Callback, CallbackFailure, FailureKind};

/// Returns the failure for a status: that of a connection, or the service's own.
#[expect(clippy::wildcard_enum_match_arm, reason = "any other code says that the service lives")]
pub(super) fn of_status(callback: Callback, status: &Status) -> CallbackFailure {
    if let Some(source) = status.source() {
        // tonic made this status from a connection error.
        return callback.failed_as(FailureKind::Unanswered, format!("connection failed: {}", chain(source)));
    }
    match status.code() {
        // tonic's servers answer CANCELLED when the deadline has passed.
        code @ (Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::ResourceExhausted) => {
            callback.failed_as(FailureKind::Unanswered, format!("it returned {code:?}"))
        }
        code => callback.failed(format!("it returned {code:?}, or a message that cannot be decoded")),
    }
}

/// Returns an error with all its causes.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let errors = std::iter::successors(Some(error), |&error| error.source());
    errors.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_connection_that_breaks_and_codes_that_say_so_are_unanswered() {
        let broken = Status::from_error(Box::new(io::Error::other("reset")));
        let failure = of_status(Callback::Jwt, &broken);
        assert_eq!((failure.callback, failure.kind), ("jwt", FailureKind::Unanswered));
        assert!(failure.cause.contains("reset"), "{}", failure.cause);
        for code in (0..17).map(Code::from_i32) {
            let failure = of_status(Callback::Jwt, &Status::new(code, "of ada@example.com"));
            let unanswered = ["Cancelled", "DeadlineExceeded", "ResourceExhausted", "Unavailable"]
                .contains(&format!("{code:?}").as_str());
            assert_eq!(failure.kind == FailureKind::Unanswered, unanswered, "{code:?}");
            assert!(!failure.cause.contains("ada"), "{}", failure.cause);
        }
    }
}
