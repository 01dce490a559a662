//! The names that no author writes in an expression: internal types, and the variables of a metered expression.

use cel::common::types::Type;

/// The type of a run's budget.
pub(super) static BUDGET_TYPE: Type = Type::new_unspecified_type("budget");
/// The type of a compiled pattern.
pub(super) static PATTERN_TYPE: Type = Type::new_unspecified_type("pattern");
/// The type of a user, an account, a client or a session.
pub(super) static RECORD_TYPE: Type = Type::new_unspecified_type("record");

/// The variable that is the budget.
pub(super) const BUDGET: &str = "@budget";
/// The prefix of a JSON object's name that selects the whole object instead of a view of it.
pub(super) const WHOLE: &str = "@whole ";
/// The prefix of a number, for a pattern of the expression.
pub(super) const PATTERN: &str = "@pattern ";
