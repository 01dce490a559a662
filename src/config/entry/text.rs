//! Kinds of texts, and of sections.

use super::definition::{Kind, Shaped};
use super::shape::Shape;
use crate::config::reader::Setting;
use std::borrow::Cow;
use std::net::SocketAddr;

/// A value, or the fault of its text.
pub(in crate::config) type Parsed<T> = Result<T, Cow<'static, str>>;

/// Text of a form.
pub(in crate::config) struct Text<T> {
    /// The form in a few words.
    pub(in crate::config) what: &'static str,
    /// The form as a regular expression, where it is a simple one.
    pub(in crate::config) pattern: Option<&'static str>,
    pub(in crate::config) parse: fn(&str) -> Parsed<T>,
}

impl<T> Shaped for Text<T> {
    fn shape(&self) -> Shape {
        Shape::Text { what: self.what, pattern: self.pattern }
    }
}

impl<T> Kind for Text<T> {
    type Value = T;

    fn read(&self, setting: Setting) -> Option<T> {
        (self.parse)(&setting.text()?).map_err(|message| setting.refuse::<()>(message)).ok()
    }
}

/// An IP address and a port.
pub(in crate::config) struct Address;

impl Shaped for Address {
    fn shape(&self) -> Shape {
        Shape::Text { what: "IP address and port", pattern: Some(r"^.+:[0-9]{1,5}$") }
    }
}

impl Kind for Address {
    type Value = SocketAddr;

    fn read(&self, setting: Setting) -> Option<SocketAddr> {
        setting.address()
    }
}

/// A section of keys, which have entries of their own.
pub(in crate::config) struct Keys;

impl Shaped for Keys {
    fn shape(&self) -> Shape {
        Shape::Section
    }
}
