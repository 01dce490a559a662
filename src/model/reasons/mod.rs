//! Reasons: of errors and denials as named in the proto, of provider faults, and of rows in the auth log.

mod log_reason;
mod provider_fault;
mod reason;

pub use log_reason::{LogNote, LogReason};
pub use provider_fault::{ProviderFaultKind, ProviderFaultMeaning};
pub use reason::{DenialReason, Reason};
