//! Kinds that take one value for all callbacks, or one for each.

use super::definition::{Kind, Shaped};
use super::shape::Shape;
use crate::auth::{Callback, PerCallback};
use crate::config::reader::{Setting, Value};

/// One value for all callbacks, or a section with a value for some.
pub(in crate::config) struct EachCallback<K>(pub(in crate::config) K);

/// The values that were written.
pub(in crate::config) enum PerCallbackValue<T> {
    All(T),
    Each(PerCallback<Option<T>>),
}

impl<T: Copy> PerCallbackValue<T> {
    /// Returns the value of each callback; the default, which is one value for all, applies to callbacks that the
    /// section omits.
    pub(in crate::config) fn over(self, default: &Self) -> Option<PerCallback<T>> {
        match (self, default) {
            (Self::All(value), _) => Some(PerCallback::of(|_| value)),
            (Self::Each(values), Self::All(default)) => {
                Some(PerCallback::of(|callback| values.get(callback).unwrap_or(*default)))
            }
            (Self::Each(_), Self::Each(_)) => None,
        }
    }
}

impl<K: Shaped> Shaped for EachCallback<K> {
    fn shape(&self) -> Shape {
        let names = Callback::ALL.map(Callback::name).to_vec();
        let fields = Shape::Fields { names, value: Box::new(self.0.shape()) };
        Shape::Either(Box::new(self.0.shape()), Box::new(fields))
    }
}

impl<K: Kind> Kind for EachCallback<K> {
    type Value = PerCallbackValue<K::Value>;

    fn read(&self, setting: Setting) -> Option<Self::Value> {
        let setting = setting.flow_if("{", "a section of callbacks")?;
        if !matches!(setting.value, Value::Map(_)) {
            return self.0.read(setting).map(PerCallbackValue::All);
        }
        setting.section(|section| {
            let mut read =
                |callback: Callback| section.take_key(callback.name()).and_then(|s| self.0.read(s));
            PerCallbackValue::Each(PerCallback::of(&mut read))
        })
    }
}
