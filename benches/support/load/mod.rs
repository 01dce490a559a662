//! A load generator: HTTP/2 written by hand, so that it costs less than any server. It writes many
//! requests at once, and reads of an answer only its length, its `grpc-status` and its body.

mod connection;
mod frame;
mod header_block;

pub use connection::Connection;
