//! The reasons of errors and of denials, made by the build from the enums of `proto/`.
#![expect(clippy::doc_markdown, reason = "the docs are the comments of the proto")]

include!(concat!(env!("OUT_DIR"), "/reasons.rs"));
