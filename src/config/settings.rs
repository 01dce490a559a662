//! The whole configuration.

use super::auth_log::AuthLog;
use super::callbacks::{self, Callbacks};
use super::callers::{self, Caller};
use super::claims;
use super::database::Database;
use super::outbound::{self, Outbound};
use super::output::Effective;
use super::providers::{self, Common, Provider};
use super::reader::Section;
use super::server::{Server, is_on_loopback};
use super::session::Session;
use super::sign_in::SignIn;
use super::telemetry::Telemetry;
use super::tokens::Tokens;
use super::{
    auth_log, base_urls, database, issuer, redirect_schemes, secrets, server, session, sign_in, telemetry,
    tokens,
};
use crate::model::{BaseUrls, ClaimTypes};
use secrecy::SecretString;

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Config {
    /// Listeners and their limits.
    pub server: Server,
    /// The database and its pool.
    pub database: Database,
    /// The secrets; the first one makes tokens. `None`: one is generated and stored beside the database.
    pub secrets: Option<Vec<SecretString>>,
    /// The `iss` of every token.
    pub issuer: String,
    /// The origins and the apps that may be redirected to.
    pub base_urls: BaseUrls,
    /// Access tokens.
    pub tokens: Tokens,
    /// Sessions.
    pub session: Session,
    /// The built-in policy of sign-in.
    pub sign_in: SignIn,
    /// The types of the claims that callbacks add; empty if any may be added.
    pub claims: ClaimTypes,
    /// The providers that authenticate people.
    pub providers: Vec<Provider>,
    /// The way to providers.
    pub outbound: Outbound,
    /// The callbacks of the configuration.
    pub callbacks: Callbacks,
    /// The backends that may call.
    pub callers: Vec<Caller>,
    /// The auth log.
    pub auth_log: AuthLog,
    /// Log and metrics.
    pub telemetry: Telemetry,
    pub(super) effective: Effective,
}

impl Config {
    /// Returns true if calls need no credential: no caller is configured and every listener is on loopback.
    #[must_use]
    pub fn open_on_loopback(&self) -> bool {
        self.callers.is_empty() && self.server.listeners().iter().all(|(_, addr)| is_on_loopback(*addr))
    }

    /// Returns the configuration as it was loaded, defaults included, in YAML. A secret appears only as its variable or
    /// file.
    #[must_use]
    pub fn print(&self) -> String {
        self.effective.to_string()
    }

    pub(super) fn read(root: &mut Section) -> Option<Self> {
        root.not_yet("authjs");
        let tokens = root.section(&tokens::TOKENS, Tokens::read)?;
        let outbound = root.section(&outbound::OUTBOUND, |section| Some(Outbound::read(section)))?;
        let common = Common { clock_leeway: tokens.clock_leeway, outbound: &outbound };
        let providers = providers::read(root, &common);
        let server = root.section(&server::SERVER, Server::read)?;
        let database = root.section(&database::DATABASE, Database::read)?;
        let secrets = root.get(&secrets::SECRETS);
        let issuer = root.get(&issuer::ISSUER)?;
        let schemes = root.get(&redirect_schemes::REDIRECT_SCHEMES)?;
        let base_urls = root.get(&base_urls::BASE_URLS)?.with_schemes(schemes);
        let session = root.section(&session::SESSION, Session::read)?;
        let sign_in = root.section(&sign_in::SIGN_IN, |section| SignIn::read(section, &base_urls))?;
        Some(Self {
            callbacks: root.section(&callbacks::CALLBACKS, Callbacks::read)?,
            callers: callers::read(root),
            claims: root.get(&claims::CLAIMS)?,
            auth_log: root.section(&auth_log::AUTH_LOG, AuthLog::read)?,
            telemetry: root.section(&telemetry::TELEMETRY, Telemetry::read)?,
            server,
            database,
            secrets,
            issuer,
            base_urls,
            tokens,
            session,
            sign_in,
            providers,
            outbound,
            effective: Effective::default(),
        })
    }
}
