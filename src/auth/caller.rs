//! Callers: the backends that call Gatepass, known by a key, allowed what the configuration says.

use std::collections::HashMap;
use std::sync::Arc;

use subtle::ConstantTimeEq;

use super::error::{Error, Result};
use crate::model::{Origin, Permission, ProviderId, RequestMark, digest_of, sha256};

/// A backend that calls Gatepass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Its name, in the auth log.
    pub id: String,
    /// Whose sessions it may use: those that its group opened.
    pub group: String,
    /// What it may do.
    pub allow: Vec<Permission>,
    /// The only providers it may vouch for; any, if not set.
    pub assert_providers: Option<Vec<ProviderId>>,
}

impl Caller {
    /// The caller that everybody is while none is configured and every listener is on loopback.
    #[must_use]
    pub fn local() -> Self {
        Self {
            id: "local".to_owned(),
            group: "local".to_owned(),
            allow: Permission::ALL.to_vec(),
            assert_providers: None,
        }
    }

    /// Refuses a caller without this permission.
    pub fn must_have(&self, permission: Permission) -> Result<()> {
        if self.allow.contains(&permission) { Ok(()) } else { Err(Error::CallerNotAllowed(Some(permission))) }
    }

    /// Refuses a caller that may not vouch for this provider's people.
    pub fn must_assert(&self, provider: &ProviderId) -> Result<()> {
        self.must_have(Permission::SignInAssert)?;
        let allowed = self.assert_providers.as_ref().is_none_or(|list| list.contains(provider));
        if allowed { Ok(()) } else { Err(Error::CallerNotAllowed(Some(Permission::SignInAssert))) }
    }
}

/// Every caller there is.
#[derive(Debug)]
pub enum Callers {
    /// None is configured and nobody else can reach us: everybody is this one.
    Open(Arc<Caller>),
    /// Found by SHA-256 of the whole bearer string.
    ByKey(HashMap<[u8; 32], Arc<Caller>>),
}

impl Callers {
    /// The one caller that every presented key names.
    pub fn find<'k>(&self, keys: impl Iterator<Item = &'k [u8]>) -> Result<&Arc<Caller>> {
        let known = match self {
            Self::Open(local) => return Ok(local),
            Self::ByKey(known) => known,
        };
        let mut found: Option<&Arc<Caller>> = None;
        for key in keys {
            let hash = sha256(key);
            let (stored, caller) = known.get_key_value(&hash).ok_or(Error::CallerUnknown)?;
            let same_caller = found.is_none_or(|other| other.id == caller.id);
            if !(bool::from(stored.ct_eq(&hash)) && same_caller) {
                return Err(Error::CallerUnknown);
            }
            found = Some(caller);
        }
        found.ok_or(Error::CallerUnknown)
    }
}

/// One call: who makes it, and what the log says of that.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who.
    pub caller: Arc<Caller>,
    /// What the log says.
    pub origin: Origin,
}

impl Call {
    /// The mark of a repeatable request: bound to the caller, what it named and what it asked.
    #[must_use]
    pub fn request_mark(&self, rpc: &str, request_id: &str, request: &[u8]) -> RequestMark {
        let parts = [rpc.as_bytes(), self.caller.id.as_bytes(), request_id.as_bytes()];
        RequestMark { key: digest_of(b"gatepass request", &parts), fingerprint: sha256(request) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callers() -> Callers {
        let caller = |id: &str| Arc::new(Caller { id: id.to_owned(), ..Caller::local() });
        let (a, b) = (caller("a"), caller("b"));
        Callers::ByKey(HashMap::from([
            (sha256(b"key one of a"), Arc::clone(&a)),
            (sha256(b"key two of a"), a),
            (sha256(b"key of b"), b),
        ]))
    }

    fn find(keys: &[&str]) -> Option<String> {
        callers().find(keys.iter().map(|key| key.as_bytes())).ok().map(|caller| caller.id.clone())
    }

    #[test]
    fn every_key_presented_must_name_the_same_caller() {
        assert_eq!(find(&["key one of a"]).as_deref(), Some("a"));
        assert_eq!(find(&["key one of a", "key two of a"]).as_deref(), Some("a"));
        for bad in [&[][..], &[""], &["key"], &["key one of a", "key of b"], &["key one of a", "junk"]] {
            assert_eq!(find(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_caller_vouches_only_for_its_providers() {
        let github: ProviderId = "github".parse().unwrap();
        let google = "google".parse().unwrap();
        let caller = Caller { assert_providers: Some(vec![github.clone()]), ..Caller::local() };
        assert!(caller.must_assert(&github).is_ok());
        assert!(caller.must_assert(&google).is_err());
        let mute = Caller { allow: vec![Permission::SignIn], ..Caller::local() };
        assert!(mute.must_assert(&github).is_err());
    }
}
