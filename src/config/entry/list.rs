//! Kinds of lists.

use super::definition::{Kind, Shaped};
use super::shape::Shape;
use crate::config::reader::Setting;

/// A list of distinct values.
pub(in crate::config) struct List<K> {
    pub(in crate::config) least: usize,
    pub(in crate::config) most: usize,
    pub(in crate::config) item: K,
    /// The fault of an empty list, if its bounds alone would not tell what to write.
    pub(in crate::config) empty: Option<&'static str>,
}

impl<K: Shaped> Shaped for List<K> {
    fn shape(&self) -> Shape {
        Shape::List { least: self.least, most: Some(self.most), item: Box::new(self.item.shape()) }
    }
}

impl<K: Kind<Value: PartialEq>> Kind for List<K> {
    type Value = Vec<K::Value>;

    fn read(&self, setting: Setting) -> Option<Self::Value> {
        setting.distinct(self.least..=self.most, self.empty, |item| self.item.read(item))
    }
}

/// A list of sections, up to a maximum number.
pub(in crate::config) struct Items(pub(in crate::config) Option<usize>);

impl Shaped for Items {
    fn shape(&self) -> Shape {
        Shape::List { least: 0, most: self.0, item: Box::new(Shape::Section) }
    }
}
