//! The messages that hold a secret.

use prost_reflect::{DescriptorPool, MessageDescriptor};

/// The messages with a field that is marked `debug_redact`: they get no derived `Debug`, `src/grpc/redact.rs` gives
/// them one that tells nothing.
pub(crate) fn with_secrets(pool: &DescriptorPool) -> Vec<String> {
    let secret = |message: &MessageDescriptor| {
        message.fields().any(|field| {
            let options = field.options();
            options.get_field_by_name("debug_redact").is_some_and(|mark| mark.as_bool() == Some(true))
        })
    };
    pool.all_messages().filter(secret).map(|message| format!(".{}", message.full_name())).collect()
}
