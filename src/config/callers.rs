//! `callers`: the backends that may call, how they prove who they are, and what each may do. A caller's key is never
//! here, only its SHA-256; what stands in a hash's place is still not quoted, since it may be the key.

use super::read::{Context, Section, Setting};
use super::tree::Value;
use crate::model::{Permission, ProviderId, San};

/// A backend that may call.
#[derive(Debug, Clone)]
pub struct Caller {
    /// `id`: its name in the auth log; 1 to 64 of `A-Z a-z 0-9 . _ : / @ -`.
    pub id: String,
    /// `group`: callers of one group share sessions and grants; `client_id` of their tokens. Default `id`.
    pub group: String,
    /// `credential`, of the kind `key_sha256`: SHA-256 of each bearer string that is accepted of it, of the whole string.
    /// One or more of both kinds together.
    pub key_sha256: Vec<[u8; 32]>,
    /// `credential`, of the kind `mtls_san`: each name in a TLS client certificate that is its own.
    pub mtls_san: Vec<San>,
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
    let has = |other: &Caller| other.mtls_san.iter().any(|name| caller.mtls_san.contains(name));
    if let Some(other) = others.iter().find(|other| has(other)) {
        let message = format!("has a certificate's name of caller \"{}\"; give each its own", other.id);
        cx.fault(&format!("{path}.credential"), message);
    }
}

fn caller(section: &mut Section) -> Option<Caller> {
    let id = section.require("id", "its name", name);
    let group = section.read("group", name);
    let wanted = "{key_sha256: HEX} (`gatepass callers key` makes one) or {mtls_san: NAME}";
    let credentials = section.require("credential", wanted, credentials);
    let allow = section
        .require("allow", "a list of permissions", |s| s.distinct(1, Permission::ALL.len(), permission));
    let assert_providers = section.read("assert_providers", |s| s.distinct(1, 64, provider));
    if let (Some(allow), Some(_)) = (&allow, &assert_providers)
        && !allow.contains(&Permission::SignInAssert)
    {
        let message = "has no effect without the permission sign_in.assert; allow that, or remove this";
        section.cx.fault(&section.path_of("assert_providers"), message);
    }
    let (id, credentials) = (id?, credentials?);
    let key_sha256 = credentials.iter().filter_map(Credential::key).collect();
    let mtls_san = credentials.into_iter().filter_map(Credential::name).collect();
    Some(Caller {
        group: group.unwrap_or_else(|| id.clone()),
        id,
        key_sha256,
        mtls_san,
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

#[derive(PartialEq)]
enum Credential {
    Key([u8; 32]),
    Name(San),
}

impl Credential {
    fn key(&self) -> Option<[u8; 32]> {
        if let Self::Key(hash) = self { Some(*hash) } else { None }
    }

    fn name(self) -> Option<San> {
        if let Self::Name(san) = self { Some(san) } else { None }
    }
}

/// One credential or a list of them.
fn credentials(setting: Setting) -> Option<Vec<Credential>> {
    let (cx, path) = (setting.cx, setting.path.clone());
    let entries = if matches!(setting.value, Value::List(_)) { setting.list()? } else { vec![setting] };
    if entries.is_empty() {
        cx.fault(&path, "must not be empty: nobody could call as this caller");
        return None;
    }
    // Read to the end before the first that is at fault ends it: each is to be told.
    let read: Vec<_> = entries.into_iter().map(|entry| entry.section(credential).flatten()).collect();
    let credentials: Vec<Credential> = read.into_iter().collect::<Option<_>>()?;
    if (1..credentials.len()).any(|at| credentials[..at].contains(&credentials[at])) {
        cx.fault(&path, "has the same credential twice; keep one");
    }
    Some(credentials)
}

fn credential(section: &mut Section) -> Option<Credential> {
    section.not_yet("jwt");
    let fault = |section: &Section, message: &str| {
        section.cx.fault(&section.path, message);
        None
    };
    match (section.take("key_sha256"), section.take("mtls_san")) {
        (Some(key), None) => key_hash(key).map(Credential::Key),
        (None, Some(name)) => san(name).map(Credential::Name),
        (Some(_), Some(_)) => {
            fault(section, "has both key_sha256 and mtls_san; give each an entry of its own in a list")
        }
        (None, None) if !section.cx.sound(&section.path) => None,
        (None, None) => fault(
            section,
            "has neither key_sha256 nor mtls_san; give the SHA-256 of a key (`gatepass callers key` makes one), or a \
             name in its client certificate",
        ),
    }
}

fn san(setting: Setting) -> Option<San> {
    match setting.text()?.parse() {
        Ok(san) => Some(san),
        Err(message) => setting.refuse::<San>(message),
    }
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
