//! Floor 0: newtypes and pure rules. No I/O, no async, no framework; every other floor may use it.

mod auth_log;
mod claim_types;
pub mod claims;
mod digest;
mod email;
mod entropy;
mod id;
mod json;
mod name_enum;
mod permission;
mod profile;
mod provider;
mod reasons;
mod redirect;
mod revocation;
mod san;
mod session;
mod signing_key;
pub mod suggest;
mod time;
mod used_mark;
mod user;

pub use auth_log::{AuthLogAction, AuthLogEntry, AuthLogOutcome, Origin};
pub use claim_types::{ClaimType, ClaimTypeFault, ClaimTypes, DeclaredClaim};
pub use claims::{ClaimFault, ClaimMap};
pub use digest::{digest_of, sha256};
pub use email::{Email, EmailDomain, EmailFault};
pub use entropy::{Entropy, OsEntropy, random, spread};
pub use id::{AccountId, AuthLogId, NotAnId, SessionId, TokenId, UserId};
pub use json::{JsonFault, parse_array_leniently, parse_object, parse_object_leniently};
pub(crate) use name_enum::name_enum;
pub use permission::Permission;
pub use profile::{
    Attribute, Identity, MAX_KEPT_PROFILE, MAX_SEEN_PROFILE, Profile, ToldAttributes, VisibleProfile,
};
pub use provider::{ProviderAccountId, ProviderId};
pub use reasons::{DenialReason, LogNote, LogReason, ProviderFaultKind, ProviderFaultMeaning, Reason};
pub use redirect::{
    Base, BaseUrlFault, BaseUrls, DeniedError, DeniedUrl, DeniedUrlFault, Disposition, RedirectScheme,
    RedirectUrl, resolve_redirect,
};
pub use revocation::{FeedEntry, Revocation};
pub use san::San;
pub use session::{
    EndReason, Grant, Lifetimes, Predecessor, RefreshState, RequestMark, Session, SessionLifetime,
};
pub use signing_key::{KeyRecord, KeyState, LONGEST_TOKEN, PUBLISHED_BEFORE, Succession};
pub use time::{Clock, ManualClock, SuspendAwareInstant, SystemClock, Timestamp};
pub use used_mark::UsedMark;
pub use user::{Account, AccountKey, AccountKind, Ban, EmailKey, EmailSource, User};
