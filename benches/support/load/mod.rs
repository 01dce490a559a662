//! A load generator: HTTP/2 written by hand, so that it costs a small part of what any server costs. It writes as many
//! requests at once as may be open. Of an answer it reads only the length, the `grpc-status` and the body.

mod connection;
mod frame;
mod header_block;

pub use connection::Connection;
