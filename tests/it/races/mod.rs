//! Races: two programs on one database, and many clients of both that want the same thing at the same moment. No call
//! may say that the database was in the way, and afterwards the database must hold what
//! [`invariants`](crate::support::invariants) say.

mod first_sign_in;
mod grant;
mod pair;
mod refresh;
mod revoke;
mod storm;
mod update;
