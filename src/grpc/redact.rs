//! `Debug` for the messages that carry secrets: it prints only their name. The build lists the messages with a field
//! that is marked `debug_redact`, and their oneofs.

use std::fmt;

use super::proto::{callback, v1};

macro_rules! redacted {
    ($($message:ty),* $(,)?) => {
        $(impl fmt::Debug for $message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($message), " { .. }"))
            }
        })*

        /// The names of these messages, for the tests.
        #[cfg(test)]
        const REDACTED: &[&str] = &[$(stringify!($message)),*];
    };
}

include!(concat!(env!("OUT_DIR"), "/redacted.rs"));

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use prost_types::FileDescriptorSet;

    use super::super::proto::FILE_DESCRIPTOR_SET;
    use super::*;

    /// Names of fields that always hold a secret.
    const SECRETS: &[&str] = &[
        "access_token",
        "code",
        "cookie_header",
        "flow",
        "grant",
        "id_token",
        "link_access_token",
        "nonce",
        "refresh_token",
        "state",
        "token",
    ];

    #[test]
    fn every_message_with_a_secret_is_redacted() {
        let mut seen = Vec::new();
        for file in FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap().file {
            let Some(package) = file.package().strip_prefix("gatepass.") else { continue };
            for message in &file.message_type {
                for field in message.field.iter().filter(|field| SECRETS.contains(&field.name())) {
                    let name = format!("{}::{}", package.replace('.', "::"), message.name());
                    assert!(REDACTED.contains(&name.as_str()), "{name} shows {}", field.name());
                    seen.push(field.name().to_owned());
                }
            }
        }
        assert!(SECRETS.iter().all(|secret| seen.iter().any(|name| name == secret)), "{seen:?}");
    }

    #[test]
    fn debug_prints_the_name_of_a_message_and_none_of_its_secrets() {
        let secret = || "s3cret".to_owned();
        let sign_in = v1::SignInRequest {
            credential: Some(v1::sign_in_request::Credential::IdToken(v1::IdTokenCredential {
                provider: "google".to_owned(),
                token: secret(),
                binding: Some(v1::id_token_credential::Binding::Nonce(secret())),
            })),
            link_access_token: secret(),
            request_id: secret(),
            ..Default::default()
        };
        assert_eq!(format!("{sign_in:?}"), "v1::SignInRequest { .. }");
        assert_eq!(format!("{:?}", sign_in.credential), "Some(v1::sign_in_request::Credential { .. })");

        let allowed = v1::SignInAllowed {
            grant: Some(secret()),
            provider_tokens: Some(v1::ProviderTokens { access_token: secret(), ..Default::default() }),
            ..Default::default()
        };
        let answer = v1::SignInResponse { outcome: Some(v1::sign_in_response::Outcome::Allowed(allowed)) };
        assert_eq!(
            format!("{answer:?}"),
            "SignInResponse { outcome: Some(Allowed(v1::SignInAllowed { .. })) }"
        );

        let cookie = v1::get_session_request::Credential::CookieHeader(secret());
        let read = v1::GetSessionRequest { credential: Some(cookie), ..Default::default() };
        assert!(!format!("{read:#?}").contains("s3cret"));
    }
}
