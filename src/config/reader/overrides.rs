//! The variables that are settings. `GATEPASS_SECTION__KEY` is one if the section exists. So are the sections that are
//! one value or one list (`GATEPASS_ISSUER`, `GATEPASS_SECRETS`, `GATEPASS_BASE_URLS`, `GATEPASS_PROVIDERS`,
//! `GATEPASS_CALLERS`). Other variables that begin with `GATEPASS_` are ignored: Kubernetes makes `GATEPASS_PORT` and
//! `GATEPASS_SERVICE_HOST` for a Service of that name. A near miss of a section before `__` is a fault.

use crate::model::suggest::nearest;

/// The names of the topmost settings.
pub(in crate::config) struct Roots {
    /// Sections of keys: `GATEPASS_SERVER__GRPC_ADDR`.
    pub(in crate::config) sections: Vec<&'static str>,
    /// Sections that are one value or one list: `GATEPASS_ISSUER`.
    pub(in crate::config) values: Vec<&'static str>,
}

#[derive(Debug, PartialEq, Eq)]
pub(in crate::config) enum Variable {
    Ignored,
    /// The path of the setting that it overrides.
    Setting(Vec<String>),
    /// Path and message of a fault.
    Misnamed(String, String),
}

/// Finds the setting for a variable of this name.
pub(in crate::config) fn variable(name: &str, roots: &Roots) -> Variable {
    let Some(rest) = name.strip_prefix("GATEPASS_") else { return Variable::Ignored };
    if rest.bytes().any(|b| b.is_ascii_lowercase()) {
        return Variable::Ignored;
    }
    let path: Vec<String> = rest.split("__").map(str::to_ascii_lowercase).collect();
    let Some((first, keys)) = path.split_first() else { return Variable::Ignored };
    let value = roots.values.contains(&first.as_str());
    match (keys.is_empty(), value) {
        (true, true) => Variable::Setting(path),
        (true, false) => Variable::Ignored,
        (false, true) => Variable::Misnamed(
            path.join("."),
            format!(
                "{first} has no keys that can be set separately; set all of it with GATEPASS_{}",
                first.to_uppercase()
            ),
        ),
        (false, false) if roots.sections.contains(&first.as_str()) => Variable::Setting(path),
        (false, false) => match nearest(first, roots.sections.iter().chain(&roots.values).copied()) {
            Some(meant) => {
                Variable::Misnamed(path.join("."), format!("unknown section; did you mean \"{meant}\"?"))
            }
            None => Variable::Ignored,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &str) -> Variable {
        super::variable(name, &crate::config::entries::roots())
    }

    #[test]
    fn sections_and_values_of_ours_are_settings() {
        for (name, path) in [
            ("GATEPASS_SERVER__GRPC_ADDR", "server.grpc_addr"),
            ("GATEPASS_SERVER__NONSENSE", "server.nonsense"),
            ("GATEPASS_SERVER__TLS__CERT", "server.tls.cert"),
            ("GATEPASS_SIGN_IN__DEFAULT_ROLE", "sign_in.default_role"),
            ("GATEPASS_ISSUER", "issuer"),
            ("GATEPASS_BASE_URLS", "base_urls"),
            ("GATEPASS_CALLERS", "callers"),
        ] {
            let path: Vec<String> = path.split('.').map(str::to_owned).collect();
            assert_eq!(variable(name), Variable::Setting(path), "{name}");
        }
    }

    #[test]
    fn unrelated_variables_are_ignored() {
        for name in [
            "PATH",
            "GATEPASS_PORT",
            "GATEPASS_SERVICE_HOST",
            "GATEPASS_SERVICE_PORT_GRPC",
            "GATEPASS_PORT_50051_TCP",
            "GATEPASS_PORT_50051_TCP_ADDR",
            "GATEPASS_CONFIG",
            "GATEPASS_SERVER",
            "GATEPASS_ADMIN__PORT_8081_TCP",
            "GATEPASS__PORT",
            "gatepass_issuer",
            "GATEPASS_issuer",
        ] {
            assert_eq!(variable(name), Variable::Ignored, "{name}");
        }
    }

    #[test]
    fn a_near_miss_of_a_section_is_named() {
        let Variable::Misnamed(path, message) = variable("GATEPASS_SESION__IDLE_TTL") else { panic!() };
        assert_eq!(
            (path.as_str(), message.as_str()),
            ("sesion.idle_ttl", "unknown section; did you mean \"session\"?")
        );
        let Variable::Misnamed(_, message) = variable("GATEPASS_CALLERS__0__ID") else { panic!() };
        assert_eq!(
            message,
            "callers has no keys that can be set separately; set all of it with GATEPASS_CALLERS"
        );
    }
}
