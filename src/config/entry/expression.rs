//! CEL expressions. They are compiled while they are read, so that their faults are reported with all others, with line
//! and column.

use super::definition::{Kind, Shaped};
use super::shape::Shape;
use crate::callbacks::{Program, Subject};
use crate::config::reader::Setting;

/// An expression on a subject.
pub(in crate::config) struct Expression(pub(in crate::config) Subject);

impl Shaped for Expression {
    fn shape(&self) -> Shape {
        Shape::Expression
    }
}

impl Kind for Expression {
    type Value = Program;

    fn read(&self, setting: Setting) -> Option<Program> {
        let text = setting.text()?;
        let faults = match Program::compile(self.0, &text) {
            Ok(program) => return Some(program),
            Err(faults) => faults,
        };
        for fault in faults {
            setting.refuse_within(fault.line, fault.column, &fault.message);
        }
        None
    }
}
