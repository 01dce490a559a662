//! `base_urls`: the origins that may be redirected to.

use super::entry::{Absent, Entry, Kind, List, Shape, Shaped, Text};
use super::reader::Setting;
use crate::model::BaseUrls;

pub(super) static BASE_URLS: Entry<Origins> = Entry {
    path: "base_urls",
    kind: Origins(List {
        least: 1,
        most: 64,
        item: Text { what: "origin", pattern: None, parse: |text| Ok(text.to_owned()) },
        empty: None,
    }),
    absent: Absent::Default("[http://localhost:3000]"),
    doc: "The origins that may be redirected to. The first is the default; the others may be patterns such as \
          `https://*.example.com`, whose `*` stands for one label.",
};

/// A list of origins, which are checked together.
pub(super) struct Origins(List<Text<String>>);

impl Shaped for Origins {
    fn shape(&self) -> Shape {
        self.0.shape()
    }
}

impl Kind for Origins {
    type Value = BaseUrls;

    fn read(&self, setting: Setting) -> Option<BaseUrls> {
        let (cx, path) = (setting.cx, setting.path.clone());
        let texts = self.0.read(setting)?;
        let faults = match BaseUrls::parse(&texts) {
            Ok(bases) => return Some(bases),
            Err(faults) => faults,
        };
        for fault in faults {
            cx.fault(&format!("{path}[{}]", fault.index), fault.message);
        }
        None
    }
}
