//! Races: two programs on one database, and many clients that want the same thing at the same moment. No call may
//! report a database problem. Afterwards the database must satisfy the [`invariants`](crate::support::invariants).

mod callback;
mod grant;
mod pair;
mod refresh;
mod revoke;
mod rotations;
mod sign_up;
mod storm;
mod update;
