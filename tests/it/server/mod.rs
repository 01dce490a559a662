//! The server around the calls: connections, TLS, callers, layers, health and metrics.

mod accept;
mod callers;
mod descriptors;
mod foreign_service;
mod health;
mod http_endpoints;
mod layers;
mod manners;
mod metrics;
mod mtls;
mod tls;
mod tls_reload;
