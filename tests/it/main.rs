//! The tests that boot something: one binary, a file a subject.

mod accept;
mod http_endpoints;
mod layers;
