//! Gatepass: the four Auth.js callbacks as a gRPC authentication microservice.

pub mod app;
pub mod auth;
pub mod callbacks;
pub mod cli;
pub mod config;
pub mod grpc;
pub mod http;
pub mod model;
pub mod storage;
pub mod telemetry;
pub mod tokens;
