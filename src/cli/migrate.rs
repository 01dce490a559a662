//! `migrate`: brings the schema up to date.

use std::process::ExitCode;

use super::output::said;
use crate::app;
use crate::config::Config;

pub(super) async fn migrate(config: &Config) -> ExitCode {
    said(app::migrate(config).await.map(|()| vec!["the database schema is up to date".to_owned()]))
}
