//! Floor 0: newtypes and pure rules. No I/O, no async, no framework; every other floor may use it.

mod auth_log;
mod base_urls;
pub mod claims;
mod clock;
mod digest;
mod email;
mod entropy;
mod id;
mod name_enum;
mod permission;
mod provider;
mod redirect;
mod revocation;
mod san;
mod session;
mod signing_key;
pub mod suggest;
mod user;

pub use auth_log::{AuthLogAction, AuthLogEntry, AuthLogOutcome, Origin};
pub use base_urls::{Base, BaseUrlFault, BaseUrls};
pub use claims::{ClaimFault, ClaimMap};
pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use digest::{digest_of, sha256};
pub use email::{Email, EmailDomain, EmailFault};
pub use entropy::{Entropy, OsEntropy, random, spread};
pub use id::{AccountId, AuthLogId, NotAnId, SessionId, TokenId, UserId};
pub(crate) use name_enum::name_enum;
pub use permission::Permission;
pub use provider::{ProviderAccountId, ProviderId};
pub use redirect::{DeniedError, DeniedUrl, DeniedUrlFault, Disposition, RedirectUrl, resolve_redirect};
pub use revocation::{FeedEntry, Revocation};
pub use san::San;
pub use session::{EndReason, Grant, Lifetimes, RefreshState, RequestMark, Session};
pub use signing_key::{KeyRecord, KeyState, LONGEST_TOKEN, PUBLISHED_BEFORE, Succession};
pub use user::{Account, AccountKey, AccountKind, Ban, EmailKey, User};
