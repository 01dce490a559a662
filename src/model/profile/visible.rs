//! The profile that policies see, within the limits of its size. A member that does not fit is left out as a whole, and
//! its name is told, so that a rule which looks for it can reject the sign-in.

use std::borrow::Cow;

use serde_json::Value;

use crate::model::claims::{ClaimMap, json_size};

/// The maximum size of the profile that `sign_in` sees, in bytes of JSON.
pub const MAX_SEEN_PROFILE: usize = 256 << 10;
/// The maximum size of the profile that is kept for `jwt`, in bytes of JSON.
pub const MAX_KEPT_PROFILE: usize = 32 << 10;

/// The maximum size of all names of omitted members together, in bytes.
const MAX_NAMES: usize = 4096;
/// Stands for the members whose names have no room.
const OTHERS: &str = "*";

/// The members that Gatepass writes itself; they are small, and never left out.
const OWN: [&str; 5] = ["sub", "email", "email_verified", "name", "picture"];

/// The profile that policies see.
#[derive(Debug, Clone, PartialEq)]
pub struct VisibleProfile {
    /// The members.
    pub claims: ClaimMap,
    /// The names of the members that were left out; `*` stands for those whose names have no room.
    pub omitted: Vec<String>,
    /// The size of the members in bytes of JSON.
    size: usize,
}

impl VisibleProfile {
    /// Makes the profile that `sign_in` sees.
    pub(super) fn of(claims: ClaimMap, keep: &[String]) -> Self {
        let size = json_size(&claims);
        let mut this = Self { claims, omitted: Vec::new(), size };
        this.fit(MAX_SEEN_PROFILE, keep);
        this
    }

    /// Returns the profile that is kept for `jwt`.
    #[must_use]
    pub fn kept(&self, keep: &[String]) -> Cow<'_, Self> {
        if self.size <= MAX_KEPT_PROFILE {
            return Cow::Borrowed(self);
        }
        let mut kept = self.clone();
        kept.fit(MAX_KEPT_PROFILE, keep);
        Cow::Owned(kept)
    }

    /// Leaves out members until the rest fits: the largest first, those in `keep` last.
    fn fit(&mut self, limit: usize, keep: &[String]) {
        if self.size <= limit {
            return;
        }
        let others = self.claims.iter().filter(|(name, _)| !OWN.contains(&name.as_str()));
        let mut members: Vec<_> = others
            .map(|(name, value)| (keep.contains(name), member_size(name, value), name.clone()))
            .collect();
        members.sort_by(|(kept, size, _), (other_kept, other_size, _)| {
            kept.cmp(other_kept).then(other_size.cmp(size))
        });
        for (_, size, name) in members {
            if self.size <= limit {
                break;
            }
            self.claims.remove(&name);
            self.size = self.size.saturating_sub(size);
            self.omit(name);
        }
    }

    fn omit(&mut self, name: String) {
        let has: usize = self.omitted.iter().map(String::len).sum();
        if has + name.len() <= MAX_NAMES {
            self.omitted.push(name);
        } else if !self.omitted.iter().any(|name| name == OTHERS) {
            self.omitted.push(OTHERS.to_owned());
        }
    }
}

/// Returns the size of a member with its colon and comma.
fn member_size(name: &str, value: &Value) -> usize {
    let size = |value: &Value| serde_json::to_vec(value).map_or(0, |json| json.len());
    size(&Value::from(name)) + size(value) + 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn profile(members: &[(&str, usize)], keep: &[&str]) -> VisibleProfile {
        let mut claims = ClaimMap::from_iter([("sub".to_owned(), json!("ada"))]);
        claims.extend(members.iter().map(|(name, size)| ((*name).to_owned(), "x".repeat(*size).into())));
        VisibleProfile::of(claims, &names(keep))
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_profile_that_fits_is_left_as_it_is() {
        let seen = profile(&[("groups", 30_000)], &[]);
        assert!(seen.omitted.is_empty() && seen.claims.contains_key("groups"));
        assert_eq!(*seen.kept(&[]), seen);
    }

    #[test]
    fn the_largest_members_go_first_and_those_to_keep_last() {
        let members = [("a", 100_000), ("b", 200_000), ("c", 20_000), ("name", 500)];
        let seen = profile(&members, &[]);
        assert_eq!((seen.omitted.as_slice(), seen.size), (names(&["b"]).as_slice(), json_size(&seen.claims)));
        assert_eq!(seen.kept(&[]).omitted, names(&["b", "a"]));
        let seen = profile(&members, &["b"]);
        assert_eq!(seen.omitted, names(&["a"]));
        assert_eq!(seen.kept(&names(&["b"])).omitted, names(&["a", "c", "b"]));
        assert_eq!(seen.kept(&names(&["b"])).claims.len(), 2);
    }

    #[test]
    fn what_gatepass_writes_itself_is_never_left_out() {
        let seen = profile(&[("picture", 2048), ("email", 254), ("name", 512), ("x", 40_000)], &["x"]);
        let kept = seen.kept(&[]);
        assert_eq!((kept.claims.len(), kept.omitted.as_slice()), (4, names(&["x"]).as_slice()));
    }

    #[test]
    fn names_without_room_are_told_as_one() {
        let long = "n".repeat(5000);
        let many: Vec<String> = (0..9000).map(|number| format!("member {number}")).collect();
        let mut members: Vec<_> = many.iter().map(|name| (name.as_str(), 30)).collect();
        members.push((&long, 60_000));
        let kept = profile(&members, &[]).kept(&[]).into_owned();
        assert!(json_size(&kept.claims) <= MAX_KEPT_PROFILE && kept.size == json_size(&kept.claims));
        assert_eq!(kept.omitted.iter().filter(|name| *name == OTHERS).count(), 1);
        assert!(!kept.omitted.contains(&long));
        assert!(kept.omitted.iter().map(String::len).sum::<usize>() <= MAX_NAMES + 1);
    }
}
