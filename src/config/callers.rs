//! `callers`: the backends that may call, how they prove who they are, and what each may do. A caller's key is never
//! here, only its SHA-256; what stands in a hash's place is still not quoted, since it may be the key.

use super::read::{Context, Section, Setting};
use super::tree::Value;
use crate::model::{Permission, ProviderId};

/// A backend that may call.
#[derive(Debug, Clone)]
pub struct Caller {
    /// `id`: its name in the auth log; 1 to 64 of `A-Z a-z 0-9 . _ : / @ -`.
    pub id: String,
    /// `group`: callers of one group share sessions and grants; `client_id` of their tokens. Default `id`.
    pub group: String,
    /// `credential`: SHA-256 of each bearer string that is accepted of it, of the whole string. One or more.
    pub key_sha256: Vec<[u8; 32]>,
    /// `allow`: its permissions. One or more.
    pub allow: Vec<Permission>,
    /// `assert_providers`: the providers whose profiles it may vouch for. Default (`None`) any; needs `sign_in.assert`.
    pub assert_providers: Option<Vec<ProviderId>>,
}

/// `callers`. None written: no credential is asked, while every listener is on loopback.
pub(super) fn read(root: &mut Section) -> Vec<Caller> {
    let cx = root.cx;
    let items = root.read("callers", Setting::list).unwrap_or_default();
    let mut callers: Vec<Caller> = Vec::with_capacity(items.len());
    for item in items {
        let path = item.path.clone();
        if let Some(caller) = item.section(caller).flatten() {
            refuse_twins(cx, &path, &caller, &callers);
            callers.push(caller);
        }
    }
    callers
}

fn refuse_twins(cx: &Context, path: &str, caller: &Caller, others: &[Caller]) {
    if others.iter().any(|other| other.id == caller.id) {
        cx.fault(&format!("{path}.id"), "another caller has this id; give each its own");
    }
    let has = |other: &Caller| other.key_sha256.iter().any(|key| caller.key_sha256.contains(key));
    if let Some(other) = others.iter().find(|other| has(other)) {
        let message =
            format!("has a key of caller \"{}\"; give each its own (`gatepass callers key`)", other.id);
        cx.fault(&format!("{path}.credential"), message);
    }
}

fn caller(section: &mut Section) -> Option<Caller> {
    let id = section.require("id", "its name", name);
    let group = section.read("group", name);
    let key_sha256 =
        section.require("credential", "{key_sha256: HEX} (`gatepass callers key` makes one)", credential);
    let allow = section
        .require("allow", "a list of permissions", |s| s.distinct(1, Permission::ALL.len(), permission));
    let assert_providers = section.read("assert_providers", |s| s.distinct(1, 64, provider));
    if let (Some(allow), Some(_)) = (&allow, &assert_providers)
        && !allow.contains(&Permission::SignInAssert)
    {
        let message = "has no effect without the permission sign_in.assert; allow that, or remove this";
        section.cx.fault(&section.path_of("assert_providers"), message);
    }
    let id = id?;
    Some(Caller {
        group: group.unwrap_or_else(|| id.clone()),
        id,
        key_sha256: key_sha256?,
        allow: allow?,
        assert_providers,
    })
}

fn name(setting: Setting) -> Option<String> {
    let text = setting.text()?;
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"._:/@-".contains(&b);
    if text.len() > 64 || !text.bytes().all(fits) {
        return setting.refuse("must have 1 to 64 characters of A-Z a-z 0-9 . _ : / @ -");
    }
    Some(text)
}

fn permission(setting: Setting) -> Option<Permission> {
    setting.choice(&Permission::ALL.map(|permission| (permission.name(), permission)))
}

fn provider(setting: Setting) -> Option<ProviderId> {
    match setting.text()?.parse() {
        Ok(id) => Some(id),
        Err(message) => setting.refuse::<ProviderId>(message),
    }
}

/// One credential or a list of them; all the keys they name.
fn credential(setting: Setting) -> Option<Vec<[u8; 32]>> {
    let (cx, path) = (setting.cx, setting.path.clone());
    let entries = if matches!(setting.value, Value::List(_)) { setting.list()? } else { vec![setting] };
    if entries.is_empty() {
        cx.fault(&path, "must not be empty: nobody could call as this caller");
        return None;
    }
    let mut keys = Vec::new();
    for entry in entries {
        let found = entry.section(|section| {
            section.not_yet("mtls_san");
            section.not_yet("jwt");
            if !section.cx.sound(&section.path) {
                return section.read("key_sha256", key_hash);
            }
            section.require("key_sha256", "the SHA-256 of a key (`gatepass callers key` makes one)", key_hash)
        });
        keys.push(found.flatten());
    }
    let keys: Vec<[u8; 32]> = keys.into_iter().collect::<Option<_>>()?;
    if (1..keys.len()).any(|at| keys[..at].contains(&keys[at])) {
        cx.fault(&path, "has the same key twice; keep one");
    }
    Some(keys)
}

fn key_hash(setting: Setting) -> Option<[u8; 32]> {
    let text = setting.text()?;
    hex(&text).or_else(|| setting.refuse("must be 64 hex digits: the SHA-256 of the key, not the key"))
}

fn hex(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
    let bytes: Vec<u8> =
        digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
    if digits.len() == 64 { bytes.try_into().ok() } else { None }
}
