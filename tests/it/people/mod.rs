//! Sign-in of people as their providers describe them: bent documents, profiles that change, and limits.

mod bends;
mod limits;
mod sync;
mod vouched;
