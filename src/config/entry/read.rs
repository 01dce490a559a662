//! Reading of sections through entries, so that no default or bound is repeated.

use super::definition::{Absent, Described, Entry, Kind};
use super::list::Items;
use super::text::Keys;
use crate::config::reader::{Section, Setting, parse};

impl<'a> Section<'a> {
    /// Takes the setting of this entry, if it was written.
    pub(in crate::config) fn take(&mut self, entry: &'static dyn Described) -> Option<Setting<'a>> {
        #[cfg(test)]
        self.cx.asked.borrow_mut().insert(entry.path());
        let setting = self.take_key(entry.key())?;
        // A secret at its default counts as not set.
        let default = entry.default().filter(|default| default.is_same_text(&setting.value));
        let shown = default.unwrap_or_else(|| entry.shape().show(&setting.value));
        self.cx.in_effect(&setting.path, shown);
        Some(setting)
    }

    /// Returns the value of this entry, or its default if it is not written or at fault. An entry without a default
    /// returns `None`, which is a fault if it is required.
    pub(in crate::config) fn get<K: Kind>(&mut self, entry: &'static Entry<K>) -> Option<K::Value> {
        let setting = self.take(entry);
        let written = setting.is_some();
        let value = setting.and_then(|setting| entry.kind.read(setting));
        match entry.absent {
            Absent::Default(_) if value.is_none() => {
                self.default_in_effect(entry);
                self.default_of(entry)
            }
            Absent::Required(wanted) if !written => {
                self.cx.fault(&self.path, format!("has no {}; give {wanted}", entry.key()));
                None
            }
            Absent::Default(_) | Absent::Required(_) | Absent::Means(_) => value,
        }
    }

    /// Returns the value of this entry; `adapt` fits the default to other settings.
    pub(in crate::config) fn get_adapted<K: Kind>(
        &mut self,
        entry: &'static Entry<K>,
        adapt: impl FnOnce(K::Value) -> K::Value,
        spell: impl FnOnce(&K::Value) -> String,
    ) -> Option<K::Value> {
        let written = self.has(entry.key());
        let value = self.get(entry)?;
        if written {
            return Some(value);
        }
        let value = adapt(value);
        let text = spell(&value);
        Some(self.assume(entry, value, text))
    }

    /// Records the value that an entry without a default gets from other settings.
    pub(in crate::config) fn assume<V>(
        &self,
        entry: &dyn Described,
        value: V,
        spelt: impl Into<String>,
    ) -> V {
        self.cx.in_effect(&self.path_of(entry.key()), entry.shape().spelt(spelt.into()));
        value
    }

    /// Reads the section of this entry; if it is not written or no section, every default applies.
    pub(in crate::config) fn section<T>(
        &mut self,
        entry: &'static Entry<Keys>,
        read: impl Fn(&mut Section<'a>) -> Option<T>,
    ) -> Option<T> {
        let Some(setting) = self.take(entry) else {
            self.default_in_effect(entry);
            return read(&mut Section::of(self.cx, self.path_of(entry.key()), Vec::new()));
        };
        setting
            .section(&read)
            .unwrap_or_else(|| read(&mut Section::of(self.cx, self.path_of(entry.key()), Vec::new())))
    }

    /// Reads the section of this entry, if it is written.
    pub(in crate::config) fn optional<T>(
        &mut self,
        entry: &'static Entry<Keys>,
        read: impl FnOnce(&mut Section<'a>) -> Option<T>,
    ) -> Option<T> {
        self.take(entry).and_then(|setting| setting.section(read)).flatten()
    }

    /// Reads the sections of this list; none if it is not written or no list.
    pub(in crate::config) fn items(&mut self, entry: &'static Entry<Items>) -> Vec<Setting<'a>> {
        let Some(setting) = self.take(entry) else {
            self.default_in_effect(entry);
            return Vec::new();
        };
        setting.list().unwrap_or_default()
    }

    fn default_in_effect(&self, entry: &dyn Described) {
        if let Some(default) = entry.default() {
            self.cx.in_effect(&self.path_of(entry.key()), default);
        }
    }

    /// Returns the default of an entry.
    pub(in crate::config) fn default_of<K: Kind>(&self, entry: &Entry<K>) -> Option<K::Value> {
        let Absent::Default(text) = entry.absent else { return None };
        let node = parse(text.as_bytes(), &|_| None).ok().flatten()?;
        entry.kind.read(Setting::new(self.cx, self.path_of(entry.key()), node))
    }
}
