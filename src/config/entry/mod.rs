//! Entries: the path, type with bounds and unit, default and description of each setting, in one place. Sections are
//! read through their entries; schema, example, reference and printed configuration are generated from them.

mod authorities;
mod definition;
mod each_callback;
mod expression;
mod list;
mod read;
mod scalar;
mod shape;
mod text;

pub(super) use authorities::Authorities;
pub(super) use definition::{Absent, AnyEntry, Described, Entry, Kind, Shaped};
pub(super) use each_callback::{EachCallback, PerCallbackValue};
pub(super) use expression::Expression;
pub(super) use list::{Items, List};
pub(super) use scalar::{Choice, Flag, PemFile, Secret, Span, Whole};
pub(super) use shape::Shape;
pub(super) use text::{Address, Keys, Parsed, Text};
