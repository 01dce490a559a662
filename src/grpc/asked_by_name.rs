//! The bound of what anybody may ask.

/// The most bytes of a message to what answers anybody: health and reflection are asked by a name. Each stream may hold
/// as much, and who opens them is not known.
pub(super) const MAX_BYTES: usize = 1024;
