//! Floor 2, the source of signing keys: PEM files, which do not change, or keys that Gatepass creates, seals, rotates
//! and revokes. Several replicas and commands may do so at the same time. Each plans its changes from the records that
//! it read. The store applies them only if the records are unchanged.

mod fault;
mod files;
mod key_ops;
mod maintenance;
mod managed;
mod reseal;
mod revoke;
mod rotate;
mod unknown_kid;
mod unsealed;

pub use fault::KeysFault;
pub use files::{ConstantKeys, KeyFile, keys_of_files};
pub use key_ops::KeyOps;
pub use managed::ManagedKeys;
pub use revoke::RevokedKey;
pub use rotate::Rotated;
