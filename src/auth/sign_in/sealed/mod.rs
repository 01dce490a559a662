//! The sealed forms of what a sign-in keeps outside its own process.

pub(super) mod account_record;
pub(super) mod flow_record;
