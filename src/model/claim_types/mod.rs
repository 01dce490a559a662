//! The declared types of claims (`claims`).

mod claim_type;
mod fault;
mod types;

pub use claim_type::ClaimType;
pub use fault::ClaimTypeFault;
pub use types::{ClaimTypes, DeclaredClaim};
