//! Signing keys and secrets: rotation and revocation over several replicas.

mod managed;
mod rotations;
mod secret_rotation;
