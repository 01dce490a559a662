//! `secrets`: the secrets from which tokens are derived and with which keys are sealed.

use super::entry::{Absent, Entry, Kind, Secret, Shape, Shaped};
use super::reader::Setting;
use secrecy::{ExposeSecret, SecretString};
use std::ops::RangeInclusive;

/// The minimum and maximum size of a secret, in bytes.
const BYTES: RangeInclusive<usize> = 32..=4096;
const COUNT: RangeInclusive<usize> = 1..=16;

pub(super) static SECRETS: Entry<Secrets> = Entry {
    path: "secrets",
    kind: Secrets(Secret(Ok)),
    absent: Absent::Means("one is generated and kept beside the database"),
    doc: "The secrets that refresh tokens, references and sealed keys are made with, each of 32 to 4096 bytes: a literal, \
          `{env: NAME}` or `{file: PATH}`. The first is used for new ones; all are accepted for existing ones.",
};

/// A list of distinct secrets.
pub(super) struct Secrets(Secret<SecretString>);

impl Shaped for Secrets {
    fn shape(&self) -> Shape {
        Shape::List { least: *COUNT.start(), most: Some(*COUNT.end()), item: Box::new(self.0.shape()) }
    }
}

impl Kind for Secrets {
    type Value = Vec<SecretString>;

    fn read(&self, setting: Setting) -> Option<Self::Value> {
        let (cx, path) = (setting.cx, setting.path.clone());
        let items = setting.list()?;
        if !COUNT.contains(&items.len()) {
            cx.fault(
                &path,
                "must have 1 to 16 entries; leave the key out to have a secret generated and kept",
            );
            return None;
        }
        let mut secrets: Vec<SecretString> = Vec::with_capacity(items.len());
        for item in items {
            let at = item.path.clone();
            let Some(secret) = self.0.read(item) else { continue };
            let text = secret.expose_secret();
            if !BYTES.contains(&text.len()) {
                cx.fault(&at, "must have 32 to 4096 bytes; `openssl rand -base64 32` makes one");
            } else if secrets.iter().any(|other| other.expose_secret() == text) {
                cx.fault(&at, "is the same secret as one before it; keep one");
            }
            secrets.push(secret);
        }
        Some(secrets)
    }
}
