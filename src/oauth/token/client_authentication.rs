//! Client authentication at a token endpoint (OpenID Connect Core section 9): a shared secret, or a signing key.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::super::fault::{FaultKind, ProviderFault};
use super::super::settings::ClientAuthentication;
use crate::jose::{Algorithm, SigningKey};
use crate::model::{ClaimMap, Clock, Entropy, random};

/// The lifetime of a signed assertion.
const LIFETIME: Duration = Duration::from_mins(1);
/// The type of a signed assertion.
const TOKEN_TYPE: &str = "JWT";
/// The audience of Apple's secrets.
const APPLE: &str = "https://appleid.apple.com";

/// A client, and its authentication.
pub(in crate::oauth) struct OAuthClient {
    pub(super) id: String,
    authentication: Authentication,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

enum Authentication {
    None,
    Basic(SecretString),
    Post(SecretString),
    PrivateKeyJwt(SigningKey),
    Apple { key: SigningKey, team_id: String },
}

/// The credential that is sent with a request.
pub(super) enum Credential {
    /// The client's id alone.
    None,
    /// A password beside the id (RFC 7617).
    Basic(SecretString),
    /// A secret in the form.
    Post(SecretString),
    /// A signed assertion in the form (RFC 7523 section 2.2).
    Assertion(SecretString),
}

impl OAuthClient {
    /// Reads the keys.
    pub(in crate::oauth) fn new(
        id: String,
        authentication: &ClientAuthentication,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, String> {
        let authentication =
            match authentication {
                ClientAuthentication::None => Authentication::None,
                ClientAuthentication::Basic(secret) => Authentication::Basic(secret.clone()),
                ClientAuthentication::Post(secret) => Authentication::Post(secret.clone()),
                ClientAuthentication::PrivateKeyJwt { private_key, key_id } => {
                    let read = key(private_key, key_id.as_deref());
                    Authentication::PrivateKeyJwt(read.ok_or(
                        "private_key: not a PEM private key (PKCS#8) of P-256, P-384, Ed25519 or RSA",
                    )?)
                }
                ClientAuthentication::Apple { private_key, key_id, team_id } => {
                    let read = key(private_key, Some(key_id));
                    let key = read.filter(|key| key.algorithm() == Algorithm::Es256);
                    let key = key.ok_or("private_key: not a PEM private key (PKCS#8) of P-256")?;
                    Authentication::Apple { key, team_id: team_id.clone() }
                }
            };
        Ok(Self { id, authentication, clock, entropy })
    }

    /// Makes the current credential for this audience; a signed assertion contains it.
    pub(super) fn credential(&self, audience: &str) -> Result<Credential, ProviderFault> {
        Ok(match &self.authentication {
            Authentication::None => Credential::None,
            Authentication::Basic(secret) => Credential::Basic(secret.clone()),
            Authentication::Post(secret) => Credential::Post(secret.clone()),
            Authentication::PrivateKeyJwt(key) => {
                Credential::Assertion(self.signed(key, &self.id, audience)?)
            }
            Authentication::Apple { key, team_id } => Credential::Post(self.signed(key, team_id, APPLE)?),
        })
    }

    fn signed(&self, key: &SigningKey, issuer: &str, audience: &str) -> Result<SecretString, ProviderFault> {
        let now = self.clock.now();
        let claims: [(&str, Value); 6] = [
            ("iss", issuer.into()),
            ("sub", self.id.as_str().into()),
            ("aud", audience.into()),
            ("iat", now.seconds().into()),
            ("exp", now.plus(LIFETIME).seconds().into()),
            ("jti", URL_SAFE_NO_PAD.encode(random::<16>(&*self.entropy)).into()),
        ];
        let claims: ClaimMap = claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let signed = key.sign(&claims).map(SecretString::from);
        signed.ok_or_else(|| ProviderFault::new(FaultKind::Metadata, "signing the client assertion failed"))
    }
}

/// Reads a signing key that the provider knows by this name.
fn key(pem: &SecretString, kid: Option<&str>) -> Option<SigningKey> {
    let key = SigningKey::from_pem(pem.expose_secret().as_bytes(), Algorithm::Rs256, TOKEN_TYPE);
    key.ok().map(|key| key.named(kid, TOKEN_TYPE))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{ManualClock, OsEntropy, Timestamp};

    const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/keys");

    fn pem(name: &str) -> SecretString {
        std::fs::read_to_string(format!("{KEYS}/{name}.pem")).unwrap().into()
    }

    fn client(authentication: &ClientAuthentication) -> Result<OAuthClient, String> {
        let clock = Arc::new(ManualClock::at(Timestamp::from_seconds(1000)));
        OAuthClient::new("our-id".to_owned(), authentication, clock, Arc::new(OsEntropy))
    }

    fn decoded(token: &str) -> [Value; 2] {
        let parts: Vec<&str> = token.split('.').collect();
        [parts[0], parts[1]]
            .map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap())
    }

    #[test]
    fn each_kind_of_key_signs_an_assertion() {
        for (name, alg) in [("es256", "ES256"), ("es384", "ES384"), ("eddsa", "EdDSA"), ("rsa", "RS256")] {
            let key_id = Some("the-kid".to_owned());
            let client =
                client(&ClientAuthentication::PrivateKeyJwt { private_key: pem(name), key_id }).unwrap();
            let assertion = || match client.credential("https://idp.example/token").unwrap() {
                Credential::Assertion(assertion) => decoded(assertion.expose_secret()),
                Credential::None | Credential::Basic(_) | Credential::Post(_) => panic!("an assertion"),
            };
            let [header, claims] = assertion();
            assert_eq!(header, json!({"alg": alg, "typ": "JWT", "kid": "the-kid"}));
            let jti = claims["jti"].clone();
            let wanted = json!({
                "iss": "our-id", "sub": "our-id", "aud": "https://idp.example/token",
                "iat": 1000, "exp": 1060, "jti": jti,
            });
            assert_eq!(claims, wanted);
            assert_ne!(assertion()[1]["jti"], jti);
        }
    }

    #[test]
    fn the_secret_for_apple_is_signed_by_the_team() {
        let apple = |name| ClientAuthentication::Apple {
            private_key: pem(name),
            key_id: "the-kid".to_owned(),
            team_id: "the-team".to_owned(),
        };
        let Credential::Post(secret) =
            client(&apple("es256")).unwrap().credential("https://x.example").unwrap()
        else {
            panic!("a secret in the form")
        };
        let [header, claims] = decoded(secret.expose_secret());
        assert_eq!(header, json!({"alg": "ES256", "typ": "JWT", "kid": "the-kid"}));
        let told = ["iss", "sub", "aud"].map(|name| claims[name].as_str().unwrap());
        assert_eq!(told, ["the-team", "our-id", APPLE]);
        assert!(client(&apple("rsa")).is_err());
    }

    #[test]
    fn an_invalid_key_is_a_fault_that_does_not_reveal_it() {
        let private_key = SecretString::from("no key, but secret");
        let fault = client(&ClientAuthentication::PrivateKeyJwt { private_key, key_id: None }).map(drop);
        assert!(!fault.unwrap_err().contains("but secret"));
    }
}
