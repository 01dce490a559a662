//! Callers: the backends that call Gatepass. A key or a certificate identifies them; the configuration lists their
//! permissions.

use std::collections::HashMap;
use std::sync::Arc;

use subtle::ConstantTimeEq;

use super::error::{Error, Result};
use crate::model::{Origin, Permission, ProviderId, RequestMark, San, digest_of, sha256};

/// A backend that calls Gatepass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Its name in the auth log.
    pub id: String,
    /// Its group; it may use the sessions that callers of this group opened.
    pub group: String,
    /// Its permissions.
    pub allow: Vec<Permission>,
    /// The only providers that it may vouch for; any provider if not set.
    pub assert_providers: Option<Vec<ProviderId>>,
}

impl Caller {
    /// The caller of every call while no caller is configured and every listener is on loopback.
    #[must_use]
    pub fn local() -> Self {
        Self {
            id: "local".to_owned(),
            group: "local".to_owned(),
            allow: Permission::ALL.to_vec(),
            assert_providers: None,
        }
    }

    /// Rejects a caller without this permission.
    pub fn must_have(&self, permission: Permission) -> Result<()> {
        if self.allow.contains(&permission) { Ok(()) } else { Err(Error::CallerNotAllowed(Some(permission))) }
    }

    /// Rejects a caller that may not vouch for users of this provider.
    pub fn must_assert(&self, provider: &ProviderId) -> Result<()> {
        self.must_have(Permission::SignInAssert)?;
        let allowed = self.assert_providers.as_ref().is_none_or(|list| list.contains(provider));
        if allowed { Ok(()) } else { Err(Error::CallerNotAllowed(Some(Permission::SignInAssert))) }
    }
}

/// All callers.
#[derive(Debug)]
pub enum Callers {
    /// No caller is configured and only this machine can connect: every call has this caller.
    Open(Arc<Caller>),
    /// Callers that are identified by their credentials.
    Known {
        /// Callers by the SHA-256 of the whole bearer string.
        by_key: HashMap<[u8; 32], Arc<Caller>>,
        /// Callers by a name in the TLS client certificate.
        by_san: HashMap<San, Arc<Caller>>,
    },
}

impl Callers {
    /// Finds the one caller that every presented key, and the certificate if any, identifies. If no caller is
    /// configured with a certificate name, certificates are ignored: a service mesh may present its own.
    pub fn find<'k>(
        &self,
        keys: impl Iterator<Item = &'k [u8]>,
        certificate: Option<&[San]>,
    ) -> Result<&Arc<Caller>> {
        let (by_key, by_san) = match self {
            Self::Open(local) => return Ok(local),
            Self::Known { by_key, by_san } => (by_key, by_san),
        };
        let mut found = match certificate {
            Some(names) if !by_san.is_empty() => Some(holder(names, by_san)?),
            Some(_) | None => None,
        };
        for key in keys {
            let hash = sha256(key);
            let (stored, caller) = by_key.get_key_value(&hash).ok_or(Error::CallerUnknown)?;
            let same_caller = found.is_none_or(|other| other.id == caller.id);
            if !(bool::from(stored.ct_eq(&hash)) && same_caller) {
                return Err(Error::CallerUnknown);
            }
            found = Some(caller);
        }
        found.ok_or(Error::CallerUnknown)
    }
}

/// Finds the one caller that a certificate identifies; the certificate may also have names of no caller.
fn holder<'a>(names: &[San], by_san: &'a HashMap<San, Arc<Caller>>) -> Result<&'a Arc<Caller>> {
    let mut holders = names.iter().filter_map(|name| by_san.get(name));
    let caller = holders.next().ok_or(Error::CallerUnknown)?;
    if holders.all(|other| other.id == caller.id) { Ok(caller) } else { Err(Error::CallerUnknown) }
}

/// A call: its caller, and the origin that the log records.
#[derive(Debug, Clone)]
pub struct Call {
    /// The caller.
    pub caller: Arc<Caller>,
    /// The origin that the log records.
    pub origin: Origin,
}

impl Call {
    /// Returns the mark of a repeatable request, bound to the caller, the request id and the content of the request.
    #[must_use]
    pub fn request_mark(&self, rpc: &str, request_id: &str, request: &[u8]) -> RequestMark {
        let parts = [rpc.as_bytes(), self.caller.id.as_bytes(), request_id.as_bytes()];
        RequestMark { key: digest_of(b"gatepass request", &parts), fingerprint: sha256(request) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callers(sans: &[(&str, &str)]) -> Callers {
        let caller = |id: &str| Arc::new(Caller { id: id.to_owned(), ..Caller::local() });
        let (a, b) = (caller("a"), caller("b"));
        let by_key = HashMap::from([
            (sha256(b"key one of a"), Arc::clone(&a)),
            (sha256(b"key two of a"), a),
            (sha256(b"key of b"), b),
        ]);
        let by_san = sans.iter().map(|(name, id)| (name.parse().unwrap(), caller(id))).collect();
        Callers::Known { by_key, by_san }
    }

    fn find_by(callers: &Callers, keys: &[&str], certificate: Option<&[&str]>) -> Option<String> {
        let names: Option<Vec<San>> =
            certificate.map(|names| names.iter().map(|name| name.parse().unwrap()).collect());
        let keys = keys.iter().map(|key| key.as_bytes());
        callers.find(keys, names.as_deref()).ok().map(|caller| caller.id.clone())
    }

    fn find(keys: &[&str]) -> Option<String> {
        find_by(&callers(&[]), keys, None)
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
    fn a_certificate_must_name_one_caller_and_the_same_as_the_keys() {
        let callers = callers(&[("a.example", "a"), ("spiffe://x/a", "a"), ("b.example", "b")]);
        let find = |keys: &[&str], names: &[&str]| find_by(&callers, keys, Some(names));
        for (keys, names) in [
            (&[][..], &["a.example"][..]),
            (&[], &["spiffe://x/a"]),
            (&[], &["a.example", "spiffe://x/a", "other.example"]),
            (&["key one of a"], &["a.example"]),
        ] {
            assert_eq!(find(keys, names).as_deref(), Some("a"), "{keys:?} {names:?}");
        }
        for (keys, names) in [
            (&[][..], &[][..]),
            (&[], &["other.example"]),
            (&[], &["a.example", "b.example"]),
            (&["key one of a"], &["b.example"]),
            (&["key one of a"], &["other.example"]),
            (&["key one of a"], &[]),
            (&["key"], &["a.example"]),
        ] {
            assert_eq!(find(keys, names), None, "{keys:?} {names:?}");
        }
        assert_eq!(find_by(&callers, &["key one of a"], None).as_deref(), Some("a"));
    }

    #[test]
    fn certificates_are_ignored_if_no_caller_is_configured_with_one() {
        let callers = callers(&[]);
        let certificate = Some(&["a.example"][..]);
        assert_eq!(find_by(&callers, &["key one of a"], certificate).as_deref(), Some("a"));
        assert_eq!(find_by(&callers, &[], certificate), None);
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
