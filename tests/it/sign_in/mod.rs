//! Sign-ins: at a provider's page, with an ID token, with a profile that the caller vouches for, and linking.

mod app_data;
mod ban_told;
mod begin;
mod callback;
mod id_token;
mod linking;
mod profile;
mod repeated_callback;
