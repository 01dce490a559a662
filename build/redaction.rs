//! The messages that hold a secret: those with a field that is marked `debug_redact`.

use std::fmt::Write as _;

use prost_reflect::{DescriptorPool, MessageDescriptor};

use crate::names::{snake, upper_camel};

/// Their names. They get no derived `Debug`.
pub(crate) fn with_secrets(pool: &DescriptorPool) -> Vec<String> {
    secret_messages(pool).map(|message| format!(".{}", message.full_name())).collect()
}

/// Rust source: a use of the macro `redacted!` of `src/grpc/redact.rs` that lists them and their oneofs.
pub(crate) fn rust(pool: &DescriptorPool) -> String {
    let mut list = String::new();
    for message in secret_messages(pool) {
        let package = message.package_name().trim_start_matches("gatepass.").replace('.', "::");
        let within = message.full_name()[message.package_name().len() + 1..].split('.');
        let mut within: Vec<&str> = within.collect();
        let name = within.pop().unwrap_or_default();
        let module = within.iter().fold(package, |path, outer| format!("{path}::{}", snake(outer)));
        let _ = writeln!(list, "    {module}::{name},");
        // An `optional` field is a oneof of its own in descriptors only.
        for oneof in message.oneofs().filter(|oneof| !oneof.is_synthetic()) {
            let _ = writeln!(list, "    {module}::{}::{},", snake(name), upper_camel(oneof.name()));
        }
    }
    format!("redacted![\n{list}];\n")
}

fn secret_messages(pool: &DescriptorPool) -> impl Iterator<Item = MessageDescriptor> {
    pool.all_messages().filter(|message| {
        message.fields().any(|field| {
            let options = field.options();
            options.get_field_by_name("debug_redact").is_some_and(|mark| mark.as_bool() == Some(true))
        })
    })
}
