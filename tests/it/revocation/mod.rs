//! The feed of changes between replicas.

mod feed_went_back;
mod replicas;
