//! Sessions: their tokens, how they are read, renewed and ended, under both strategies.

mod get_session;
mod issue_token;
mod lifetime;
mod reference_forgery;
mod refresh_audiences;
mod refresh_predecessors;
mod refresh_token;
mod request_id;
mod rotation_model;
mod rows;
mod sign_out;
mod strategy_database;
mod token_forgery;
