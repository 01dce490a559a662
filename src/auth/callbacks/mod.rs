//! The four callbacks: the trait that implements them, the one question type that they are called with, and the
//! validation of their answers.

mod any;
mod callback;
mod callback_set;
mod claim_rules;
mod decisions;
mod definition;
mod inputs;
mod invoke;
mod per_callback;
mod question;

pub use any::AnyCallbacks;
pub use callback::Callback;
pub use callback_set::CallbackSet;
pub use claim_rules::ClaimRules;
pub use decisions::{Denial, JwtDecision, SignInDecision};
pub use definition::{CallbackResult, Callbacks};
pub use inputs::{JwtInput, RedirectInput, SessionInput, SignInInput, Trigger};
pub use invoke::Invoke;
pub use per_callback::PerCallback;
pub use question::{Answer, Ask, Question};
