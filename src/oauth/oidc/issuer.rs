//! The issuer of accepted ID tokens: one name, compared byte for byte (OpenID Connect Core section 3.1.3.7), or
//! Microsoft's one issuer for each tenant.

/// The maximum size of an issuer in bytes: accounts store it.
pub const MAX_ISSUER_BYTES: usize = 255;

/// The placeholder for the tenant's id, in Microsoft's spelling.
pub(super) const TENANT: &str = "{tenantid}";

/// The issuer of ID tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Issuer {
    /// This issuer exactly.
    Exact(String),
    /// This issuer with a tenant's id between the two parts; the token contains it as its `tid`.
    OfTenant { before: String, after: String },
}

impl Issuer {
    /// Returns the issuer in metadata if it matches the configured one. It may be the same, or the same for each tenant
    /// if the configured one has a word such as `common` in the tenant's place. Any other issuer is rejected (OpenID
    /// Connect Discovery section 4.3).
    pub(super) fn told(told: &str, configured: &str) -> Option<Self> {
        if told == configured {
            return Some(Self::Exact(told.to_owned()));
        }
        let (before, after) = told.split_once(TENANT)?;
        let word = configured.strip_prefix(before)?.strip_suffix(after)?;
        let stands_alone = before.ends_with('/') && (after.is_empty() || after.starts_with('/'));
        // The path follows the third slash; the host precedes it.
        let in_path = before.matches('/').count() >= 3;
        (stands_alone && in_path && !word.is_empty() && !word.contains('/'))
            .then(|| Self::OfTenant { before: before.to_owned(), after: after.to_owned() })
    }

    /// Returns true if a token with this `iss` and `tid` is from this issuer.
    pub(super) fn issued(&self, iss: &str, tid: Option<&str>) -> bool {
        match self {
            Self::Exact(issuer) => issuer == iss,
            Self::OfTenant { .. } => tid.is_some() && self.tenant(iss) == tid,
        }
    }

    /// Returns true if a response with this `iss` is from this issuer (RFC 9207 section 2.4).
    pub(super) fn answers_as(&self, iss: &str) -> bool {
        match self {
            Self::Exact(issuer) => issuer == iss,
            Self::OfTenant { .. } => self.tenant(iss).is_some(),
        }
    }

    fn tenant<'i>(&self, iss: &'i str) -> Option<&'i str> {
        let Self::OfTenant { before, after } = self else { return None };
        iss.strip_prefix(before.as_str())?.strip_suffix(after.as_str()).filter(|tenant| is_guid(tenant))
    }
}

fn is_guid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = "https://login.example/{tenantid}/v2.0";
    const TENANT_ID: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

    #[test]
    fn metadata_of_another_issuer_are_rejected() {
        let rows = [
            ("https://idp.example", "https://idp.example", true),
            ("https://idp.example/", "https://idp.example/", true),
            ("https://idp.example/", "https://idp.example", false),
            ("https://idp.example", "https://idp.example/", false),
            ("https://IDP.example", "https://idp.example", false),
            ("https://idp.example:443", "https://idp.example", false),
            (TOLD, "https://login.example/common/v2.0", true),
            (TOLD, "https://login.example/organizations/v2.0", true),
            (TOLD, "https://login.example//v2.0", false),
            (TOLD, "https://login.example/a/b/v2.0", false),
            (TOLD, "https://other.example/common/v2.0", false),
            ("https://{tenantid}/v2.0", "https://login.example/v2.0", false),
            ("{tenantid}", "https://login.example/v2.0", false),
            ("https://login.example/x{tenantid}/v2.0", "https://login.example/xy/v2.0", false),
            ("", "https://login.example", false),
        ];
        for (told, configured, wanted) in rows {
            assert_eq!(Issuer::told(told, configured).is_some(), wanted, "{told} for {configured}");
        }
    }

    #[test]
    fn the_issuer_of_a_tenant_is_the_one_with_its_tid() {
        let issuer = Issuer::told(TOLD, "https://login.example/common/v2.0").unwrap();
        let of = |tenant: &str| format!("https://login.example/{tenant}/v2.0");
        let other = "9188040d-6c67-4c5b-b112-36a304b66dae";
        let rows = [
            (of(TENANT_ID), Some(TENANT_ID), true),
            (of(TENANT_ID), Some(other), false),
            (of(TENANT_ID), None, false),
            (of("common"), Some("common"), false),
            (of("{tenantid}"), Some("{tenantid}"), false),
            (of(&TENANT_ID.replace('-', "")), Some("9188040d6c674c5bb11236a304b66dad"), false),
            (TOLD.to_owned(), Some(TENANT_ID), false),
            (format!("https://evil.example/{TENANT_ID}/v2.0"), Some(TENANT_ID), false),
        ];
        for (iss, tid, wanted) in rows {
            assert_eq!(issuer.issued(&iss, tid), wanted, "{iss} {tid:?}");
        }
        assert!(issuer.answers_as(&of(TENANT_ID)) && !issuer.answers_as(&of("common")));
    }
}
