//! The list of all settings.

use super::entry::{AnyEntry, Described, Shape};
use super::reader::Roots;
use super::{
    auth_log, base_urls, callbacks, callers, claims, database, issuer, outbound, providers, redirect_schemes,
    secrets, server, session, sign_in, telemetry, tokens,
};

/// Sections of later versions, whose variables are rejected instead of ignored.
const LATER: [&str; 1] = ["authjs"];

/// Every setting, section by section; each section comes before its content.
pub(super) fn all() -> Vec<AnyEntry> {
    let sections: [Vec<AnyEntry>; 16] = [
        server::entries(),
        database::entries(),
        vec![&secrets::SECRETS],
        vec![&issuer::ISSUER],
        vec![&base_urls::BASE_URLS],
        vec![&redirect_schemes::REDIRECT_SCHEMES],
        tokens::entries(),
        session::entries(),
        sign_in::entries(),
        callbacks::entries(),
        outbound::entries(),
        vec![&claims::CLAIMS],
        providers::entries(),
        callers::entries(),
        auth_log::entries(),
        telemetry::entries(),
    ];
    sections.concat()
}

/// The topmost settings.
pub(super) fn roots() -> Roots {
    let top: Vec<_> = all().into_iter().filter(|entry| entry.parent().is_empty()).collect();
    let (sections, values): (Vec<_>, Vec<_>) =
        top.into_iter().partition(|entry| matches!(entry.shape(), Shape::Section));
    let names = |entries: Vec<AnyEntry>| entries.into_iter().map(Described::key);
    Roots { sections: names(sections).chain(LATER).collect(), values: names(values).collect() }
}
