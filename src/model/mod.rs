//! Floor 0: newtypes and pure rules. No I/O, no async, no framework; every other floor may use it.

mod clock;
mod entropy;
mod id;
mod permission;
mod provider;

pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use entropy::{Entropy, OsEntropy, random};
pub use id::{AccountId, AuthLogId, NotAnId, SessionId, TokenId, UserId};
pub use permission::Permission;
pub use provider::{ProviderAccountId, ProviderId};
