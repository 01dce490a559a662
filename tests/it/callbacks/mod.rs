//! Callbacks: in the process, as configured expressions, of a gRPC service, and their order as in Auth.js.

mod authjs;
mod cases;
mod cel;
mod redirect;
mod remote;
