//! The resources of the process that use cases are built from.

use std::sync::Arc;

use crate::auth::{AnyCallbacks, DroppedAttributes, Follower, ReloadKeys, Revocations, SignInCounts};
use crate::metrics::LeftOutClaims;
use crate::model::{Clock, Entropy};
use crate::oauth::Providers;
use crate::storage::Database;
use crate::tokens::{KeyRing, Secrets};

/// The clock, stores, keys and callbacks of the process.
pub(in crate::app) struct Resources {
    pub(in crate::app) clock: Arc<dyn Clock>,
    pub(in crate::app) entropy: Arc<dyn Entropy>,
    pub(in crate::app) stores: Arc<Database>,
    pub(in crate::app) providers: Arc<Providers>,
    pub(in crate::app) callbacks: AnyCallbacks,
    pub(in crate::app) left_out: LeftOutClaims,
    pub(in crate::app) sign_ins: SignInCounts,
    pub(in crate::app) secrets: Arc<Secrets>,
    pub(in crate::app) ring: Arc<KeyRing>,
    pub(in crate::app) keys: Arc<dyn ReloadKeys>,
    pub(in crate::app) index: Arc<Revocations>,
    pub(in crate::app) follower: Arc<Follower>,
    pub(in crate::app) dropped_attributes: DroppedAttributes,
}
