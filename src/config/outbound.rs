//! `outbound`: the way to providers that are outside the network of Gatepass.

use super::entry::{Absent, AnyEntry, Authorities, Entry, Keys, List, Parsed, Secret, Text};
use super::reader::{Context, Origin, Section};
use crate::net::Proxy;
use secrecy::SecretString;
use std::path::PathBuf;

pub(super) static OUTBOUND: Entry<Keys> = Entry {
    path: "outbound",
    kind: Keys,
    absent: Absent::Default("{}"),
    doc: "The way to providers outside your network. Connections to the database and to callback services never use it.",
};

static PROXY: Entry<Secret<SecretString>> = Entry {
    path: "outbound.proxy",
    kind: Secret(proxy),
    absent: Absent::Means("`HTTPS_PROXY` of the environment, else none"),
    doc: "The proxy for requests to providers, which opens tunnels (CONNECT): `http://HOST:PORT`, or \
          `http://USER:PASSWORD@HOST:PORT`; https, too. Loopback addresses are always reached directly.",
};

static NO_PROXY: Entry<List<Text<String>>> = Entry {
    path: "outbound.no_proxy",
    kind: List {
        least: 0,
        most: 256,
        item: Text { what: "domain, IP address, network or *", pattern: None, parse: exception },
        empty: None,
    },
    absent: Absent::Means("`NO_PROXY` of the environment, else none"),
    doc: "The destinations that are reached without the proxy: domains with all names below them, IP addresses, networks \
          (`10.0.0.0/8`), or `*` for all.",
};

static CA: Entry<Authorities> = Entry {
    path: "outbound.ca",
    kind: Authorities,
    absent: Absent::Means("the public authorities"),
    doc: "The PEM file of the authorities that sign the certificates of providers without a `ca` of their own, and of the \
          proxy. It replaces the public authorities.",
};

pub(super) fn entries() -> Vec<AnyEntry> {
    vec![&OUTBOUND, &PROXY, &NO_PROXY, &CA]
}

/// The way to providers.
#[derive(Debug, Clone, Default)]
pub struct Outbound {
    /// The proxy, and the destinations that are reached without it.
    pub proxy: Option<Proxy>,
    /// The authorities of providers without authorities of their own.
    pub ca: Option<PathBuf>,
}

impl Outbound {
    pub(super) fn read(section: &mut Section) -> Self {
        let cx = section.cx;
        let written = section.has("proxy");
        let (url, no_proxy, ca) = (section.get(&PROXY), section.get(&NO_PROXY), section.get(&CA));
        let url = if written { url } else { variable(cx, ["HTTPS_PROXY", "https_proxy"]).map(Into::into) };
        let no_proxy =
            no_proxy.unwrap_or_else(|| variable(cx, ["NO_PROXY", "no_proxy"]).into_iter().collect());
        let proxy = url.and_then(|url| {
            let proxy = Proxy::new(&url, no_proxy.iter().map(String::as_str));
            // A proxy of the configuration was checked when it was read.
            let origin = Some(Origin::Variable("HTTPS_PROXY".into()));
            proxy.map_err(|message| cx.fault_at(origin, PROXY.path, message)).ok()
        });
        Self { proxy, ca }
    }
}

/// Returns the first of these variables of the environment that is set and not empty.
fn variable(cx: &Context, names: [&str; 2]) -> Option<String> {
    let mut values = names.into_iter().filter_map(|name| Some((name, cx.variables.get(name)?)));
    let (name, value) = values.find(|(_, value)| !value.is_empty())?;
    let text = value.to_str().map(str::to_owned);
    if text.is_none() {
        cx.fault_at(Some(Origin::Variable(name.into())), OUTBOUND.path, "is not UTF-8 text");
    }
    text
}

fn proxy(url: SecretString) -> Result<SecretString, String> {
    Proxy::new(&url, []).map_err(str::to_owned)?;
    Ok(url)
}

fn exception(text: &str) -> Parsed<String> {
    let usable =
        !text.is_empty() && text.len() <= 255 && text.bytes().all(|b| b.is_ascii_graphic() && b != b',');
    if !usable || text != "*" && text.contains('*') {
        return Err(
            "must be a domain, an IP address or a network such as 10.0.0.0/8; only \"*\" alone is for all"
                .into(),
        );
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use crate::config::load::assemble;
    use crate::config::settings::Config;
    use std::ffi::OsString;

    fn loaded(yaml: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
        let named = |&(name, value): &(&str, &str)| (name.to_owned(), OsString::from(value));
        let file = ("g.yaml".to_owned(), Ok(yaml.as_bytes().to_vec().into()));
        assemble(Some(file), variables.iter().map(named).collect()).map_err(|faults| faults.to_string())
    }

    fn is_used(yaml: &str, variables: &[(&str, &str)]) -> bool {
        loaded(yaml, variables).unwrap().outbound.proxy.is_some()
    }

    #[test]
    fn the_proxy_is_that_of_the_setting_or_of_the_environment() {
        assert!(!is_used("", &[]));
        assert!(!is_used("", &[("HTTPS_PROXY", ""), ("HTTP_PROXY", "http://proxy.example:3128")]));
        assert!(is_used("outbound: {proxy: 'http://ben:secret@proxy.example:3128'}", &[]));
        for name in ["HTTPS_PROXY", "https_proxy"] {
            assert!(is_used("", &[(name, "http://proxy.example:3128")]), "{name}");
        }
        let set = "outbound: {proxy: 'http://proxy.example:3128'}";
        assert!(is_used(set, &[("HTTPS_PROXY", "socks5://proxy.example")]));
    }

    #[test]
    fn a_proxy_that_is_none_is_refused_and_not_shown() {
        for (yaml, variables, at) in [
            ("outbound: {proxy: 'socks5://ben:secret@proxy.example'}", &[][..], "g.yaml:1: outbound.proxy"),
            ("", &[("HTTPS_PROXY", "socks5://ben:secret@proxy.example")], "HTTPS_PROXY: outbound.proxy"),
        ] {
            let told = loaded(yaml, variables).unwrap_err();
            assert!(told.contains(at) && told.contains("must be the http or https URL"), "{told}");
            assert!(!told.contains("secret"), "{told}");
        }
        let told = loaded("outbound: {no_proxy: ['*.corp.example']}", &[]).unwrap_err();
        assert!(told.contains("outbound.no_proxy[0]: must be a domain"), "{told}");
    }
}
