//! Identifiers: lower-case hyphenated `UUIDv7` (RFC 9562 section 5.7), with a type for each kind of object.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::entropy::{Entropy, random};
use super::time::{Clock, Timestamp};

/// The text is not a valid identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnId;

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be a lower-case hyphenated UUID of version 7")
    }
}

impl std::error::Error for NotAnId {}

fn at(time: Timestamp, noise: [u8; 10]) -> Uuid {
    let millis = u64::try_from(time.millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &noise).into_uuid()
}

/// Parses the canonical spelling only; the `uuid` crate alone would accept others.
fn parse(text: &str) -> Result<Uuid, NotAnId> {
    let id = Uuid::try_parse(text).map_err(|_| NotAnId)?;
    let canonical = id.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text;
    if canonical && id.get_version_num() == 7 { Ok(id) } else { Err(NotAnId) }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Creates a new identifier.
            #[must_use]
            pub fn mint(clock: &dyn Clock, entropy: &dyn Entropy) -> Self {
                Self::mint_at(clock.now(), entropy)
            }

            /// Creates a new identifier for this time.
            #[must_use]
            pub fn mint_at(time: Timestamp, entropy: &dyn Entropy) -> Self {
                Self(at(time, random(entropy)))
            }

            /// Returns the lowest identifier that can be created at this time; lower identifiers are older.
            #[must_use]
            pub fn least_of(time: Timestamp) -> Self {
                Self(at(time, [0; 10]))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                parse(text).map(Self)
            }
        }
    };
}

id!(
    /// The id of a user: the `sub` of its tokens.
    UserId
);
id!(
    /// The id of an account: one identity of a user at one provider.
    AccountId
);
id!(
    /// The id of a session: the `sid` of its tokens.
    SessionId
);
id!(
    /// The id of a token: its `jti`.
    TokenId
);
id!(
    /// The id of a row of the auth log.
    AuthLogId
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ManualClock, OsEntropy, SystemClock};

    #[test]
    fn a_minted_id_reads_back() {
        let id = UserId::mint(&SystemClock, &OsEntropy);
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn ids_are_ordered_by_the_millisecond_they_were_minted_in() {
        let least = |millis| UserId::least_of(Timestamp(millis));
        for millis in [0, 1, 255, 65_535, 1_767_225_600_000] {
            let id = UserId::mint(&ManualClock::at(Timestamp(millis)), &OsEntropy);
            assert!(least(millis) <= id && id < least(millis + 1), "{id}");
        }
        assert_eq!(least(-1), least(0));
    }

    #[test]
    fn only_our_spelling_is_an_id() {
        for text in [
            "",
            "0190163d8694739b80cff63a7d4c5f6a",
            "0190163D-8694-739B-80CF-F63A7D4C5F6A",
            "{0190163d-8694-739b-80cf-f63a7d4c5f6a}",
            "urn:uuid:0190163d-8694-739b-80cf-f63a7d4c5f6a",
            "6ba7b810-9dad-41d1-80b4-00c04fd430c8",
            "0190163d-8694-739b-80cf-f63a7d4c5f6a ",
        ] {
            assert_eq!(text.parse::<UserId>(), Err(NotAnId), "{text}");
        }
    }
}
