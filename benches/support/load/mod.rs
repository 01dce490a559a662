//! A load generator: HTTP/2 written by hand, so that it costs a small part of what any server costs. It writes as many
//! requests at once as it may have open, and reads of an answer only its length, its `grpc-status` and its body.

mod connection;
mod frame;
mod header_block;

pub use connection::Connection;
