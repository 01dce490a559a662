//! Kinds of single values.

use super::definition::{Kind, Shaped};
use super::shape::Shape;
use crate::config::reader::Setting;
use secrecy::SecretString;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// `true` or `false`.
pub(in crate::config) struct Flag;

impl Shaped for Flag {
    fn shape(&self) -> Shape {
        Shape::Boolean
    }
}

impl Kind for Flag {
    type Value = bool;

    fn read(&self, setting: Setting) -> Option<bool> {
        setting.boolean()
    }
}

/// A whole number within bounds, with a unit.
pub(in crate::config) struct Whole<T>(
    pub(in crate::config) RangeInclusive<T>,
    pub(in crate::config) &'static str,
);

impl<T: Copy + TryInto<u64> + Sync> Shaped for Whole<T> {
    fn shape(&self) -> Shape {
        let bound = |bound: T| bound.try_into().unwrap_or(u64::MAX);
        Shape::Integer { least: bound(*self.0.start()), most: bound(*self.0.end()), unit: self.1 }
    }
}

impl<T: Copy + TryInto<u64> + Sync + FromStr + PartialOrd + Display> Kind for Whole<T> {
    type Value = T;

    fn read(&self, setting: Setting) -> Option<T> {
        setting.integer(&self.0)
    }
}

/// A duration within bounds.
pub(in crate::config) struct Span(pub(in crate::config) RangeInclusive<Duration>);

impl Shaped for Span {
    fn shape(&self) -> Shape {
        Shape::Duration { least: *self.0.start(), most: *self.0.end() }
    }
}

impl Kind for Span {
    type Value = Duration;

    fn read(&self, setting: Setting) -> Option<Duration> {
        setting.duration(&self.0)
    }
}

/// A choice from a list of names.
pub(in crate::config) struct Choice<T>(pub(in crate::config) fn() -> Vec<(&'static str, T)>);

impl<T> Shaped for Choice<T> {
    fn shape(&self) -> Shape {
        Shape::Choice((self.0)().into_iter().map(|(name, _)| name).collect())
    }
}

impl<T: Copy> Kind for Choice<T> {
    type Value = T;

    fn read(&self, setting: Setting) -> Option<T> {
        setting.choice(&(self.0)())
    }
}

/// The path of a PEM file.
pub(in crate::config) struct PemFile;

impl Shaped for PemFile {
    fn shape(&self) -> Shape {
        Shape::File
    }
}

impl Kind for PemFile {
    type Value = PathBuf;

    fn read(&self, setting: Setting) -> Option<PathBuf> {
        setting.pem_file()
    }
}

/// A secret that `make` parses; its faults do not quote the value.
pub(in crate::config) struct Secret<T>(pub(in crate::config) fn(SecretString) -> Result<T, String>);

impl<T> Shaped for Secret<T> {
    fn shape(&self) -> Shape {
        Shape::Secret
    }
}

impl<T> Kind for Secret<T> {
    type Value = T;

    fn read(&self, setting: Setting) -> Option<T> {
        let (cx, path) = (setting.cx, setting.path.clone());
        (self.0)(setting.secret()?).map_err(|message| cx.fault(&path, message)).ok()
    }
}
