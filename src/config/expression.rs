//! How an expression is written: as text. It is compiled here, so that what is wrong with it is told with all else, at its
//! line and column.

use super::read::Setting;
use crate::callbacks::{Program, Subject};

impl Setting<'_> {
    /// An expression.
    pub(super) fn program(&self, subject: impl Into<Subject>) -> Option<Program> {
        let text = self.text()?;
        match Program::compile(subject, &text) {
            Ok(program) => Some(program),
            Err(faults) => {
                for fault in faults {
                    self.refuse_within(fault.line, fault.column, &fault.message);
                }
                None
            }
        }
    }
}
