//! Floor 2, where the signing keys come from: PEM files, which stay as they are, or keys that Gatepass makes, seals,
//! rotates and revokes itself. Several replicas do that at the same time, and commands beside them; what each may do
//! follows from the records that it read, and the store takes it only while they are the same.

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
