//! Floor 3: plain HTTP. The public port has the key set and its discovery document, the admin port the probes and gRPC
//! health. Both run on the accept loop of `net/`, with its limits and its drain.

pub mod admin;
pub mod public;
mod serve;

pub use serve::serve;
