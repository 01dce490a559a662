//! `preset`: the known settings of a provider, as a section over which the operator's own section is merged, key by
//! key. Each is a file in `presets/`; `{tenant}`, `{domain}`, … in its text stands for the key of that name.

use crate::config::entry::{Absent, AnyEntry, Choice, Described as _, Entry, Kind as _, Parsed, Text};
use crate::config::reader::{Context, Node, Section, Setting, Value, parse};
use url::Host;

include!(concat!(env!("OUT_DIR"), "/presets.rs"));

/// A section as written.
type Entries = Vec<(String, Node)>;

static PRESET: Entry<Choice<()>> = Entry {
    path: "providers[].preset",
    kind: Choice(|| PRESETS.iter().map(|&(name, _)| (name, ())).collect()),
    absent: Absent::Means("the preset of the name `id`, if there is one"),
    doc: "The name of a preset. The keys of this section override its keys.",
};

static TENANT: Entry<Text<String>> = Entry {
    path: "providers[].tenant",
    kind: Text { what: "common, organizations, or the id of a tenant", pattern: None, parse: tenant },
    absent: Absent::Means("that of the preset"),
    doc: "The tenant, if the addresses of the preset contain one.",
};

static DOMAIN: Entry<Text<String>> = Entry {
    path: "providers[].domain",
    kind: Text { what: "host name", pattern: None, parse: domain },
    absent: Absent::Means("that of the preset"),
    doc: "The host name, if the addresses of the preset contain one.",
};

static REGION: Entry<Text<String>> = Entry {
    path: "providers[].region",
    kind: Text { what: "region of AWS", pattern: Some("^[a-z]+(-[a-z]+)+-[0-9]{1,2}$"), parse: region },
    absent: Absent::Means("that of the preset"),
    doc: "The region, if the addresses of the preset contain one.",
};

static USER_POOL_ID: Entry<Text<String>> = Entry {
    path: "providers[].user_pool_id",
    kind: Text { what: "id of a user pool", pattern: Some("^[a-z0-9-]+_[A-Za-z0-9]+$"), parse: user_pool_id },
    absent: Absent::Means("that of the preset"),
    doc: "The id of the user pool, if the addresses of the preset contain one.",
};

static ENVIRONMENT_ID: Entry<Text<String>> = Entry {
    path: "providers[].environment_id",
    kind: Text { what: "UUID in lower case", pattern: None, parse: environment_id },
    absent: Absent::Means("that of the preset"),
    doc: "The id of the environment, if the addresses of the preset contain one.",
};

/// The keys that the addresses of a preset may have placeholders for, and what to write.
static PLACES: [(&Entry<Text<String>>, &str); 5] = [
    (&TENANT, "common, organizations, or the id of a tenant"),
    (&DOMAIN, "your host name at this provider, or the whole issuer"),
    (&REGION, "the region that the user pool is in, such as eu-central-1"),
    (&USER_POOL_ID, "the id of the user pool, such as eu-central-1_AbCdEf123"),
    (&ENVIRONMENT_ID, "the id of the environment"),
];

pub(super) fn entries() -> Vec<AnyEntry> {
    vec![&PRESET, &TENANT, &DOMAIN, &REGION, &USER_POOL_ID, &ENVIRONMENT_ID]
}

/// Reads the name, and rejects the keys that have no placeholder.
pub(super) fn read(section: &mut Section) {
    section.get(&PRESET);
    for (entry, _) in PLACES {
        if let Some(setting) = section.take(entry) {
            setting.refuse::<()>("has no effect, because no address of this provider contains it; remove it");
        }
    }
}

/// Merges a provider's section over its preset: `preset`, or the preset named by `id`. Faults in it are left to its
/// reader.
pub(super) fn lay(item: Setting) -> Option<Setting> {
    let mut item = item.flow_if("{", "a section of keys")?;
    let (cx, path) = (item.cx, item.path.clone());
    if let Value::Map(written) = &mut item.value
        && let Some((name, text)) = preset(written)
    {
        match base(text) {
            Some(base) => lay_over(cx, &path, base, written),
            None => cx.fault(&path, format!("the preset {name} cannot be read; this is a bug")),
        }
    }
    Some(item)
}

/// Returns the preset of a section. GitHub's type has one.
fn preset(written: &Entries) -> Option<&'static (&'static str, &'static str)> {
    let text = |key| match find(written, key) {
        Some(Node { value: Value::Text(text), .. }) => Some(text.as_str()),
        _ => None,
    };
    let named = |name: &str| PRESETS.iter().find(|(known, _)| *known == name);
    if find(written, "preset").is_some() {
        return named(text("preset")?);
    }
    text("id").and_then(named).or_else(|| named("github").filter(|_| text("type") == Some("github")))
}

fn base(text: &str) -> Option<Entries> {
    match parse(text.as_bytes(), &|_| None) {
        Ok(Some(Node { value: Value::Map(entries), .. })) => Some(entries),
        _ => None,
    }
}

fn find<'a>(entries: &'a Entries, key: &str) -> Option<&'a Node> {
    entries.iter().find(|(name, _)| name == key).map(|(_, node)| node)
}

fn take(entries: &mut Entries, key: &str) -> Option<Node> {
    let at = entries.iter().position(|(name, _)| name == key)?;
    Some(entries.remove(at).1)
}

fn lay_over(cx: &Context, path: &str, mut base: Entries, written: &mut Entries) {
    if let Some(Node { value: Value::Text(own), origin, .. }) = find(written, "type")
        && let Some(Node { value: Value::Text(theirs), .. }) = find(&base, "type")
        && own != theirs
    {
        let message =
            format!("is {} in the preset; remove this, or give another id or preset", theirs.as_str());
        cx.fault_at(origin.clone(), &format!("{path}.type"), message);
        take(written, "type");
    }
    let laid = written.iter_mut();
    for (key, own) in laid {
        if let Some(theirs) = take(&mut base, key) {
            merge(key, own, theirs);
        }
    }
    fill(cx, path, &mut base, written);
    written.append(&mut base);
}

/// Merges a nested section over that of the preset.
fn merge(key: &str, own: &mut Node, theirs: Node) {
    let (Value::Map(own), Value::Map(mut theirs)) = (&mut own.value, theirs.value) else { return };
    // The preset's `email_verified` refers to the preset's e-mail address only.
    if key == "profile" && find(own, "email").is_some() {
        take(&mut theirs, "email_verified");
    }
    theirs.retain(|(name, _)| find(own, name).is_none());
    own.append(&mut theirs);
}

/// Fills the placeholders in the texts of a preset. A key without a placeholder stays, so that its reader rejects it.
fn fill(cx: &Context, path: &str, base: &mut Entries, written: &mut Entries) {
    for (entry, wanted) in PLACES {
        let key = entry.key();
        let default = take(base, key);
        let place = format!("{{{key}}}");
        let texts = base.iter_mut().filter_map(|(_, node)| match &mut node.value {
            Value::Text(text) if text.contains(&place) => Some(text),
            _ => None,
        });
        let mut texts: Vec<_> = texts.collect();
        if texts.is_empty() {
            continue;
        }
        let node = take(written, key).or(default);
        if node.is_none() {
            cx.fault(path, format!("has no {key}; give {wanted}"));
        }
        let value = node.and_then(|node| entry.kind.read(Setting::new(cx, format!("{path}.{key}"), node)));
        // If the value is at fault, the text around it is not reported as well.
        let value = value.as_deref().unwrap_or("invalid");
        for text in &mut texts {
            **text = text.replace(&place, value).into();
        }
    }
}

/// Parses a tenant of Microsoft Entra that tokens are issued for: the issuer contains its id, whatever name the request
/// used.
fn tenant(text: &str) -> Parsed<String> {
    let is_id = || uuid::Uuid::try_parse(text).is_ok_and(|id| id.to_string() == text);
    if matches!(text, "common" | "organizations") || is_id() {
        return Ok(text.to_owned());
    }
    Err("must be common, organizations, or the id of a tenant (not its name, which tokens do not have; that of personal \
         accounts is 9188040d-6c67-4c5b-b112-36a304b66dad)"
        .into())
}

fn domain(text: &str) -> Parsed<String> {
    match Host::parse(text) {
        Ok(Host::Domain(name)) if name == text => Ok(name),
        _ => Err("must be a host name in lower case, without https:// and path".into()),
    }
}

fn region(text: &str) -> Parsed<String> {
    let (name, number) = text.rsplit_once('-').unwrap_or_default();
    let is_name = name.contains('-') && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    let is_number = (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    if !is_name || !is_number || text.len() > 32 {
        return Err("must be a region of AWS, such as eu-central-1".into());
    }
    Ok(text.to_owned())
}

fn user_pool_id(text: &str) -> Parsed<String> {
    let (region_part, id) = text.split_once('_').unwrap_or_default();
    let is_id = (1..=55).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric());
    if region(region_part).is_err() || !is_id {
        return Err("must be the id of a user pool, such as eu-central-1_AbCdEf123".into());
    }
    Ok(text.to_owned())
}

fn environment_id(text: &str) -> Parsed<String> {
    if uuid::Uuid::try_parse(text).is_ok_and(|id| id.to_string() == text) {
        return Ok(text.to_owned());
    }
    Err("must be a UUID in lower case, with hyphens".into())
}
