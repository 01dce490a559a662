//! The reason of a row in the auth log.

use std::fmt;

use super::provider_fault::ProviderFaultKind;
use super::reason::{DenialReason, Reason};
use crate::model::name_enum::name_enum;

name_enum!(
    /// Reasons that exist only in the auth log.
    LogNote {
        /// A callback redirected the user before the sign-in finished.
        Redirected = "REDIRECTED",
        /// The account was already linked to the user.
        AlreadyLinked = "ALREADY_LINKED",
        /// A sign-in changed the user's e-mail address.
        EmailFollowed = "EMAIL_FOLLOWED",
        /// The signing key was replaced because of its age.
        Scheduled = "SCHEDULED",
        /// The signing key was replaced by a command.
        Rotated = "ROTATED",
        /// The signing key was revoked by a command.
        Revoked = "REVOKED",
    }
);

/// The reason of a row in the auth log. Two reasons are equal if the log spells them alike. For example, `USER_BANNED`
/// is the reason of both an error and a denial, and a row does not distinguish them.
#[derive(Clone)]
pub enum LogReason {
    /// The reason of an error that the call returned.
    Error(Reason),
    /// The reason of a denial.
    Denial(DenialReason),
    /// A fault of a provider.
    Provider(ProviderFaultKind),
    /// A reason that exists only in the auth log.
    Note(LogNote),
    /// A name unknown to this version, because another version wrote the row.
    Other(Box<str>),
}

impl LogReason {
    /// Returns its name, as spelled in the database and the proto.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Error(reason) => reason.name(),
            Self::Denial(reason) => reason.name(),
            Self::Provider(kind) => kind.name(),
            Self::Note(note) => note.name(),
            Self::Other(name) => name,
        }
    }

    /// Parses the reason of a row.
    #[must_use]
    pub fn from_row(name: &str) -> Self {
        let error = || Reason::from_name(name).map(Self::Error);
        let denial = || DenialReason::from_name(name).map(Self::Denial);
        let provider = || ProviderFaultKind::from_name(name).map(Self::Provider);
        let note = || LogNote::from_name(name).map(Self::Note);
        let known = error().or_else(denial).or_else(provider).or_else(note);
        known.unwrap_or_else(|| Self::Other(name.into()))
    }
}

impl PartialEq for LogReason {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for LogReason {}

impl fmt::Debug for LogReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Reason> for LogReason {
    fn from(reason: Reason) -> Self {
        Self::Error(reason)
    }
}

impl From<DenialReason> for LogReason {
    fn from(reason: DenialReason) -> Self {
        Self::Denial(reason)
    }
}

impl From<ProviderFaultKind> for LogReason {
    fn from(kind: ProviderFaultKind) -> Self {
        Self::Provider(kind)
    }
}

impl From<LogNote> for LogReason {
    fn from(note: LogNote) -> Self {
        Self::Note(note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns every reason that this version writes.
    fn all() -> impl Iterator<Item = LogReason> {
        let errors = Reason::ALL.iter().map(|reason| LogReason::from(*reason));
        let denials = DenialReason::ALL.iter().map(|reason| LogReason::from(*reason));
        let providers = ProviderFaultKind::ALL.iter().map(|kind| LogReason::from(*kind));
        let notes = LogNote::ALL.iter().map(|note| LogReason::from(*note));
        errors.chain(denials).chain(providers).chain(notes)
    }

    #[test]
    fn every_reason_reads_back_from_its_row() {
        for reason in all() {
            let read = LogReason::from_row(reason.name());
            assert_eq!(read, reason);
            assert_eq!(read.name(), reason.name());
            assert!(!matches!(read, LogReason::Other(_)), "{reason:?}");
        }
    }

    #[test]
    fn a_name_of_two_enums_reads_back_as_the_reason_of_an_error_first() {
        for (name, wanted) in [
            ("USER_BANNED", LogReason::Error(Reason::UserBanned)),
            ("CALLBACK_DENIED", LogReason::Error(Reason::CallbackDenied)),
            ("PROVIDER_ERROR", LogReason::Denial(DenialReason::ProviderError)),
        ] {
            let read = LogReason::from_row(name);
            assert_eq!(std::mem::discriminant(&read), std::mem::discriminant(&wanted), "{name}");
            assert_eq!(read, wanted);
        }
    }

    #[test]
    fn a_name_of_another_version_is_kept_as_it_is() {
        let read = LogReason::from_row("EMAIL_WAS_NICE");
        assert!(matches!(&read, LogReason::Other(name) if &**name == "EMAIL_WAS_NICE"));
        assert_eq!(read.name(), "EMAIL_WAS_NICE");
    }

    #[test]
    fn names_find_their_values_and_numbers_are_those_of_the_proto() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_name(reason.name()), Some(*reason));
        }
        assert_eq!(Reason::from_name("UNSPECIFIED"), None);
        assert_eq!((Reason::InvalidRequest.number(), Reason::KeysUnavailable.number()), (1, 48));
        assert_eq!((DenialReason::CallbackDenied.number(), DenialReason::from_name("")), (9, None));
    }
}
