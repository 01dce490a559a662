//! Callbacks that may be repeated: a browser often requests the callback route twice, and a flow is used once. With a
//! `request_id`, the second call gets the outcome of the first one, on any replica.

pub(in crate::auth) mod claim;
mod failure;
pub(in crate::auth) mod news;
mod record;
pub(in crate::auth) mod repeats;
