//! The error codes of providers (RFC 6749 sections 4.1.2.1 and 5.2, OpenID Connect Core section 3.1.2.6) that tell of
//! a wrong configuration. All other codes deny the sign-in of one person.

/// The codes. Those without a section in a standard are used by GitHub, Google and Slack.
const OF_CONFIGURATION: [&str; 11] = [
    "invalid_client",
    "unauthorized_client",
    "invalid_scope",
    "unsupported_grant_type",
    "redirect_uri_mismatch",
    "incorrect_client_credentials",
    "application_suspended",
    "bad_client_secret",
    "bad_redirect_uri",
    "invalid_client_id",
    "deleted_client",
];

/// Returns true if an operator must correct something before anybody can sign in.
#[must_use]
pub fn is_of_configuration(error: &str) -> bool {
    OF_CONFIGURATION.contains(&error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::is_error_code;

    #[test]
    fn a_denial_by_a_person_is_never_a_fault_of_the_configuration() {
        for denial in [
            "access_denied",
            "consent_required",
            "interaction_required",
            "login_required",
            "account_selection_required",
            "user_cancelled_login",
            "user_cancelled_authorize",
            "invalid_grant",
            "",
        ] {
            assert!(!is_of_configuration(denial), "{denial}");
        }
        assert!(OF_CONFIGURATION.iter().all(|code| is_error_code(code)));
    }
}
