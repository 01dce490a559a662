//! Gatepass: the four Auth.js callbacks as a gRPC authentication microservice.

pub mod auth;
pub mod callbacks;
pub mod grpc;
pub mod model;
pub mod storage;
pub mod tokens;
