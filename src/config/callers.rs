//! `callers`: the backends that may call, their credentials, and their permissions. The configuration holds only the
//! SHA-256 of a caller's key. A value in place of a hash is not quoted either, since it may be the key.

use super::entry::{Absent, AnyEntry, Choice, Entry, Items, Kind, List, Parsed, Shape, Shaped, Text};
use super::reader::{Context, Section, Setting, Value};
use crate::model::{Permission, ProviderId, San};

pub(super) static CALLERS: Entry<Items> = Entry {
    path: "callers",
    kind: Items(None),
    absent: Absent::Default("[]"),
    doc: "The backends that may call. If there are none, calls need no credential, and every listener must be on \
          loopback.",
};

static ID: Entry<Text<String>> = Entry {
    path: "callers[].id",
    kind: NAME,
    absent: Absent::Required("its name"),
    doc: "The caller's name in the auth log.",
};

static GROUP: Entry<Text<String>> = Entry {
    path: "callers[].group",
    kind: NAME,
    absent: Absent::Means("= `id`"),
    doc: "The group of the caller. Callers of one group share sessions and grants; it is the `client_id` of their tokens.",
};

static CREDENTIAL: Entry<Credentials> = Entry {
    path: "callers[].credential",
    kind: Credentials,
    absent: Absent::Required("{key_sha256: HEX} (`gatepass callers key` makes one) or {mtls_san: NAME}"),
    doc: "The credential of the caller, of one kind, or a list of credentials.",
};

static KEY_SHA256: Entry<Text<[u8; 32]>> = Entry {
    path: "callers[].credential.key_sha256",
    kind: Text { what: "64 hex digits", pattern: Some("^[0-9A-Fa-f]{64}$"), parse: key_hash },
    absent: Absent::Means("the credential is of the other kind"),
    doc: "The SHA-256 of the whole bearer string of the caller.",
};

static MTLS_SAN: Entry<Text<San>> = Entry {
    path: "callers[].credential.mtls_san",
    kind: Text {
        what: "DNS name or SPIFFE ID",
        pattern: None,
        parse: |text| text.parse::<San>().map_err(Into::into),
    },
    absent: Absent::Means("the credential is of the other kind"),
    doc: "A name in the caller's TLS client certificate.",
};

static ALLOW: Entry<List<Choice<Permission>>> = Entry {
    path: "callers[].allow",
    kind: List {
        least: 1,
        most: Permission::ALL.len(),
        item: Choice(|| Permission::ALL.map(|permission| (permission.name(), permission)).to_vec()),
        empty: None,
    },
    absent: Absent::Required("a list of permissions"),
    doc: "The permissions of the caller.",
};

static ASSERT_PROVIDERS: Entry<List<Text<ProviderId>>> = Entry {
    path: "callers[].assert_providers",
    kind: List {
        least: 1,
        most: 64,
        item: Text {
            what: "id of a provider",
            pattern: Some("^[a-z0-9][a-z0-9_-]{0,63}$"),
            parse: |text| text.parse::<ProviderId>().map_err(Into::into),
        },
        empty: None,
    },
    absent: Absent::Means("any provider"),
    doc: "The providers whose profiles the caller may vouch for. It needs the permission `sign_in.assert`.",
};

const NAME: Text<String> = Text {
    what: "1 to 64 characters of A-Z a-z 0-9 . _ : / @ -",
    pattern: Some("^[A-Za-z0-9._:/@-]{1,64}$"),
    parse: name,
};

pub(super) fn entries() -> Vec<AnyEntry> {
    vec![&CALLERS, &ID, &GROUP, &CREDENTIAL, &KEY_SHA256, &MTLS_SAN, &ALLOW, &ASSERT_PROVIDERS]
}

/// A backend that may call.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The name in the auth log.
    pub id: String,
    /// The group, whose callers share sessions and grants.
    pub group: String,
    /// The SHA-256 of each whole bearer string that is accepted. There is at least one credential of either kind.
    pub key_sha256: Vec<[u8; 32]>,
    /// The names in TLS client certificates that are accepted.
    pub mtls_san: Vec<San>,
    /// The permissions; at least one.
    pub allow: Vec<Permission>,
    /// The providers whose profiles it may vouch for; `None` for any.
    pub assert_providers: Option<Vec<ProviderId>>,
}

/// Reads all callers.
pub(super) fn read(root: &mut Section) -> Vec<Caller> {
    let cx = root.cx;
    let items = root.items(&CALLERS);
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
    let id = section.get(&ID);
    let group = section.get(&GROUP);
    let credentials = section.get(&CREDENTIAL);
    let allow = section.get(&ALLOW);
    let assert_providers = section.get(&ASSERT_PROVIDERS);
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
        group: group.unwrap_or_else(|| section.assume(&GROUP, id.clone(), id.as_str())),
        id,
        key_sha256,
        mtls_san,
        allow: allow?,
        assert_providers,
    })
}

fn name(text: &str) -> Parsed<String> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"._:/@-".contains(&b);
    if text.len() > 64 || !text.bytes().all(fits) {
        return Err("must have 1 to 64 characters of A-Z a-z 0-9 . _ : / @ -".into());
    }
    Ok(text.to_owned())
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
struct Credentials;

impl Shaped for Credentials {
    fn shape(&self) -> Shape {
        let list = Shape::List { least: 1, most: None, item: Box::new(Shape::Section) };
        Shape::Either(Box::new(Shape::Section), Box::new(list))
    }
}

impl Kind for Credentials {
    type Value = Vec<Credential>;

    fn read(&self, setting: Setting) -> Option<Vec<Credential>> {
        let (cx, path) = (setting.cx, setting.path.clone());
        let entries = if matches!(setting.value, Value::List(_)) { setting.list()? } else { vec![setting] };
        if entries.is_empty() {
            cx.fault(&path, "must not be empty; give the caller a credential");
            return None;
        }
        // All entries are read before the first fault ends the list, so that every fault is reported.
        let read: Vec<_> = entries.into_iter().map(|entry| entry.section(credential).flatten()).collect();
        let credentials: Vec<Credential> = read.into_iter().collect::<Option<_>>()?;
        if (1..credentials.len()).any(|at| credentials[..at].contains(&credentials[at])) {
            cx.fault(&path, "has the same credential twice; keep one");
        }
        Some(credentials)
    }
}

fn credential(section: &mut Section) -> Option<Credential> {
    section.not_yet("jwt");
    let fault = |section: &Section, message: &str| {
        section.cx.fault(&section.path, message);
        None
    };
    match (section.take(&KEY_SHA256), section.take(&MTLS_SAN)) {
        (Some(key), None) => KEY_SHA256.kind.read(key).map(Credential::Key),
        (None, Some(name)) => MTLS_SAN.kind.read(name).map(Credential::Name),
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

fn key_hash(text: &str) -> Parsed<[u8; 32]> {
    hex(text).ok_or_else(|| "must be 64 hex digits: the SHA-256 of the key, not the key".into())
}

fn hex(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
    let bytes: Vec<u8> =
        digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
    if digits.len() == 64 { bytes.try_into().ok() } else { None }
}
