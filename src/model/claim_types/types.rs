//! All declared claims, and the checks of claims against them. If none is declared, every claim is allowed.

use serde_json::Value;

use super::super::claims::ClaimMap;
use super::claim_type::ClaimType;
use super::fault::ClaimTypeFault;

/// The declared claims, in the order of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimTypes(Vec<DeclaredClaim>);

/// A declared claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredClaim {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: ClaimType,
    /// True if it may be missing.
    pub optional: bool,
}

impl ClaimTypes {
    /// Makes the types of these claims, whose names are distinct.
    #[must_use]
    pub fn new(claims: Vec<DeclaredClaim>) -> Self {
        Self(claims)
    }

    /// Returns true if no claim is declared, so that every claim is allowed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the declared claims.
    pub fn iter(&self) -> impl Iterator<Item = &DeclaredClaim> {
        self.0.iter()
    }

    /// Checks the names and types of claims; a null, which removes a claim, fits every declared type.
    pub fn check_additions(&self, claims: &ClaimMap) -> Result<(), ClaimTypeFault> {
        claims.iter().try_for_each(|(name, value)| self.check(name, value, true))
    }

    /// Checks the changes that a client requests: like additions, and no required claim is removed.
    pub fn check_update(&self, update: &ClaimMap) -> Result<(), ClaimTypeFault> {
        self.check_additions(update)?;
        let removed =
            |claim: &&DeclaredClaim| !claim.optional && update.get(&claim.name).is_some_and(Value::is_null);
        self.0.iter().find(removed).map_or(Ok(()), |claim| Err(ClaimTypeFault::Missing(claim.name.clone())))
    }

    /// Checks all claims of a session: their names and types, and that no required one is missing.
    pub fn check_all(&self, claims: &ClaimMap) -> Result<(), ClaimTypeFault> {
        claims.iter().try_for_each(|(name, value)| self.check(name, value, false))?;
        let missing = |claim: &&DeclaredClaim| !claim.optional && !claims.contains_key(&claim.name);
        self.0.iter().find(missing).map_or(Ok(()), |claim| Err(ClaimTypeFault::Missing(claim.name.clone())))
    }

    /// Returns the number of claims that are not as declared; a missing one does not count.
    #[must_use]
    pub fn unfit(&self, claims: &ClaimMap) -> usize {
        claims.iter().filter(|(name, value)| self.check(name, value, false).is_err()).count()
    }

    /// Removes the claims that are not as declared.
    pub fn remove_unfit(&self, claims: &mut ClaimMap) {
        claims.retain(|name, value| self.check(name, value, false).is_ok());
    }

    fn check(&self, name: &str, value: &Value, removes: bool) -> Result<(), ClaimTypeFault> {
        if self.is_empty() {
            return Ok(());
        }
        let Some(claim) = self.0.iter().find(|claim| claim.name == name) else {
            return Err(ClaimTypeFault::Undeclared(name.to_owned()));
        };
        if removes && value.is_null() || claim.kind.fits(value) {
            Ok(())
        } else {
            Err(ClaimTypeFault::Mistyped(name.to_owned(), claim.kind.to_string()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn types() -> ClaimTypes {
        let declared = |name: &str, text: &str| {
            let (kind, optional) = ClaimType::parse(text).unwrap();
            DeclaredClaim { name: name.to_owned(), kind, optional }
        };
        ClaimTypes::new(vec![declared("plan", "string"), declared("seats", "int?")])
    }

    #[expect(clippy::needless_pass_by_value, reason = "so that json! stands in the call")]
    fn map(value: Value) -> ClaimMap {
        value.as_object().unwrap().clone()
    }

    fn missing() -> Result<(), ClaimTypeFault> {
        Err(ClaimTypeFault::Missing("plan".to_owned()))
    }

    #[test]
    fn where_nothing_is_declared_everything_fits() {
        let (none, claims) = (ClaimTypes::default(), map(json!({"a": 1, "b": null})));
        assert_eq!(
            (none.check_additions(&claims), none.check_update(&claims), none.check_all(&claims)),
            (Ok(()), Ok(()), Ok(()))
        );
        assert_eq!(none.unfit(&claims), 0);
    }

    #[test]
    fn additions_are_declared_and_may_remove() {
        let undeclared = Err(ClaimTypeFault::Undeclared("other".to_owned()));
        let mistyped = Err(ClaimTypeFault::Mistyped("seats".to_owned(), "int".to_owned()));
        for (additions, outcome) in [
            (json!({}), Ok(())),
            (json!({"plan": null, "seats": null}), Ok(())),
            (json!({"seats": 5}), Ok(())),
            (json!({"seats": "5"}), mistyped),
            (json!({"other": 1}), undeclared.clone()),
            (json!({"other": null}), undeclared),
        ] {
            assert_eq!(types().check_additions(&map(additions.clone())), outcome, "{additions}");
        }
    }

    #[test]
    fn an_update_removes_no_required_claim() {
        assert_eq!(types().check_update(&map(json!({"seats": null}))), Ok(()));
        assert_eq!(types().check_update(&map(json!({"plan": null}))), missing());
    }

    #[test]
    fn all_claims_include_the_required_ones() {
        assert_eq!(types().check_all(&map(json!({"plan": "pro"}))), Ok(()));
        assert_eq!(types().check_all(&map(json!({"seats": 5}))), missing());
        let null = types().check_all(&map(json!({"plan": "pro", "seats": null})));
        assert_eq!(null, Err(ClaimTypeFault::Mistyped("seats".to_owned(), "int".to_owned())));
    }

    #[test]
    fn what_does_not_fit_is_removed() {
        let mut claims = map(json!({"plan": 1, "seats": 5, "old": true}));
        assert_eq!(types().unfit(&claims), 2);
        types().remove_unfit(&mut claims);
        assert_eq!(claims, map(json!({"seats": 5})));
    }
}
