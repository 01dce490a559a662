//! How we prove to a provider who we are: `token_endpoint_auth_method`, and the secrets that it takes. A secret that the
//! method has no use for is a fault, since somebody meant something by it.

use crate::config::read::{Section, Setting};
use crate::jose::{Algorithm, SigningKey};
use crate::oauth::{AssertionAudience, ClientAuthentication};
use secrecy::{ExposeSecret, SecretString};

#[derive(Clone, Copy, PartialEq)]
enum Method {
    Basic,
    Post,
    None,
    PrivateKeyJwt,
    Apple,
}

const METHODS: [(&str, Method); 5] = [
    ("client_secret_basic", Method::Basic),
    ("client_secret_post", Method::Post),
    ("none", Method::None),
    ("private_key_jwt", Method::PrivateKeyJwt),
    ("apple", Method::Apple),
];

/// `client_assertion_audience`.
pub(super) const AUDIENCES: [(&str, AssertionAudience); 2] =
    [("issuer", AssertionAudience::Issuer), ("token_endpoint", AssertionAudience::TokenEndpoint)];

/// `client_id`: 1 to 512 printable ASCII characters (RFC 6749 appendix A.1).
pub(super) fn id(setting: Setting) -> Option<String> {
    let text = setting.text()?;
    // RFC 6749 appendix A.1: spaces too, though not where nobody would see them.
    if text.len() > 512 || text.trim() != text || !text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return setting.refuse("must have 1 to 512 printable ASCII characters, and no space at its ends");
    }
    Some(text)
}

/// `token_endpoint_auth_method`. Default `client_secret_basic` (`OpenID` Connect Core section 9) with a secret, else none.
pub(super) fn authentication(section: &mut Section) -> Option<ClientAuthentication> {
    let written = section.take("token_endpoint_auth_method").map(|s| s.choice(&METHODS));
    let keys = Keys {
        secret: section.take("client_secret"),
        private_key: section.take("private_key"),
        key_id: section.take("key_id"),
        team_id: section.take("team_id"),
    };
    let method = match written {
        Some(method) => method?,
        None if keys.secret.is_some() => Method::Basic,
        None if keys.private_key.is_some() => {
            let message = "needs token_endpoint_auth_method: private_key_jwt beside it";
            return keys.private_key.and_then(|setting| setting.refuse(message));
        }
        None => Method::None,
    };
    keys.authentication(section, method)
}

/// What proves us, as far as it was written.
struct Keys<'a> {
    secret: Option<Setting<'a>>,
    private_key: Option<Setting<'a>>,
    key_id: Option<Setting<'a>>,
    team_id: Option<Setting<'a>>,
}

impl Keys<'_> {
    fn authentication(mut self, section: &Section, method: Method) -> Option<ClientAuthentication> {
        let answer = self.taken(section, method);
        for setting in [self.secret, self.private_key, self.key_id, self.team_id].into_iter().flatten() {
            let method = method.name();
            setting.refuse::<()>(format!(
                "has no effect with token_endpoint_auth_method {method}; remove one of the two"
            ));
        }
        answer
    }

    /// What the method takes of them; the rest is left.
    fn taken(&mut self, section: &Section, method: Method) -> Option<ClientAuthentication> {
        Some(match method {
            Method::None => ClientAuthentication::None,
            Method::Basic => ClientAuthentication::Basic(self.secret(section, method)?),
            Method::Post => ClientAuthentication::Post(self.secret(section, method)?),
            Method::PrivateKeyJwt => {
                let private_key = self.private_key(section, method);
                let key_id = self.key_id.take().and_then(|setting| name(&setting));
                ClientAuthentication::PrivateKeyJwt { private_key: private_key?, key_id }
            }
            Method::Apple => {
                let private_key = self.private_key(section, method);
                let needed_name = |key, wanted, setting: &mut Option<Setting>| {
                    name(&needed(section, method, key, wanted, setting.take())?)
                };
                let key_id = needed_name("key_id", "the id of the key", &mut self.key_id);
                let team_id = needed_name("team_id", "the id of your team", &mut self.team_id);
                ClientAuthentication::Apple { private_key: private_key?, key_id: key_id?, team_id: team_id? }
            }
        })
    }

    fn secret(&mut self, section: &Section, method: Method) -> Option<SecretString> {
        let wanted = "the one that the provider made for you";
        needed(section, method, "client_secret", wanted, self.secret.take())?.secret()
    }

    /// A private key, which is one that can be used.
    fn private_key(&mut self, section: &Section, method: Method) -> Option<SecretString> {
        let wanted = "the private key, as {file: PATH}";
        let setting = needed(section, method, "private_key", wanted, self.private_key.take())?;
        let (cx, path) = (setting.cx, setting.path.clone());
        let pem = setting.secret()?;
        let refuse = |message: String| {
            cx.fault(&path, message);
            None
        };
        match SigningKey::from_pem(pem.expose_secret().as_bytes(), Algorithm::Rs256, "JWT") {
            Ok(key) if method == Method::Apple && key.algorithm() != Algorithm::Es256 => {
                refuse("must be a key of P-256, as Apple's are".to_owned())
            }
            Ok(_) => Some(pem),
            Err(fault) => refuse(format!("is {fault}")),
        }
    }
}

impl Method {
    fn name(self) -> &'static str {
        METHODS.iter().find(|(_, method)| *method == self).map_or("", |(name, _)| name)
    }
}

/// A setting that the method can't do without.
fn needed<'a>(
    section: &Section,
    method: Method,
    key: &str,
    wanted: &str,
    setting: Option<Setting<'a>>,
) -> Option<Setting<'a>> {
    if setting.is_none() {
        let method = method.name();
        let message = format!("has no {key}, which token_endpoint_auth_method {method} needs; give {wanted}");
        section.cx.fault(&section.path, message);
    }
    setting
}

/// The name of a key or a team: it goes into the head of a JWT.
fn name(setting: &Setting) -> Option<String> {
    let text = setting.text()?;
    if text.len() > 255 || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return setting.refuse("must have 1 to 255 visible ASCII characters, without spaces");
    }
    Some(text)
}
