//! The reasons why claims are not as declared. They name claims and types, never values.

use std::fmt;

/// The reason why claims are not as declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimTypeFault {
    /// The claim is not declared.
    Undeclared(String),
    /// The claim has another type than this one.
    Mistyped(String, String),
    /// A required claim is missing.
    Missing(String),
}

impl fmt::Display for ClaimTypeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undeclared(name) => write!(f, "claim {name:?} is not declared in the section claims"),
            Self::Mistyped(name, wanted) => {
                write!(f, "claim {name:?} must be {wanted}, as the section claims says")
            }
            Self::Missing(name) => write!(f, "claim {name:?} is missing; the section claims requires it"),
        }
    }
}
