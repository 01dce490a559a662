//! Proving who a person is, by each kind of credential.

pub(in crate::auth) mod callback;
