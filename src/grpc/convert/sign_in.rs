//! The messages of `SignIn`.

use prost::Message as _;
use secrecy::ExposeSecret;

use super::read::Fields;
use super::write::{write_account, write_timestamp, write_user};
use crate::auth::{
    Allowed, Binding, Call, Credential, Denied, IdTokenCredential, OAuthCallback, Result, SignInOutcome,
    SignInRequest,
};
use crate::grpc::proto::v1::{self, id_token_credential, sign_in_request, sign_in_response};
use crate::model::{AccountKind, Identity, Profile, ProviderId, RequestMark, Timestamp, ToldAttributes};
use crate::oauth::{ProviderTokens, is_error_code};

/// The maximum size of an issuer, in bytes.
const MAX_ISSUER: usize = 2048;
/// The maximum size of a code, in bytes.
const MAX_CODE: usize = 16 * 1024;
/// The maximum size of a `state` or a nonce, in bytes.
const MAX_OPAQUE: usize = 4096;
/// The maximum size of an ID token, in bytes.
const MAX_ID_TOKEN: usize = 16 * 1024;
/// The maximum size of the JSON that Apple posts, in bytes.
const MAX_USER: usize = 4096;

pub(crate) fn read_sign_in(call: &mut Call, mut message: v1::SignInRequest) -> Result<SignInRequest> {
    let mut fields = Fields::default();
    let client = message.client.take();
    let request = read_request(&mut fields, call, &message, client.as_ref());
    fields.client(call, client);
    let app_data = fields.app_data(message.app_data);
    if !app_data.is_empty() && message.credential.as_ref().is_some_and(has_flow) {
        fields.fault(
            "app_data",
            "must be unset with a flow; give it to BeginSignIn, which seals it in the flow",
        );
    }
    let credential = match message.credential {
        Some(sign_in_request::Credential::Profile(profile)) => read_profile(&mut fields, profile),
        Some(sign_in_request::Credential::OauthCallback(callback)) => {
            Some(read_callback(&mut fields, callback))
        }
        Some(sign_in_request::Credential::IdToken(token)) => read_id_token(&mut fields, token),
        None => {
            fields.fault("credential", "one of oauth_callback, id_token and profile is required");
            None
        }
    };
    let (redirect_to, link_access_token) = (message.redirect_to, message.link_access_token);
    fields.finish(credential.map(|credential| SignInRequest {
        credential,
        redirect_to,
        link_access_token,
        request,
        app_data,
    }))
}

fn has_flow(credential: &sign_in_request::Credential) -> bool {
    match credential {
        sign_in_request::Credential::OauthCallback(_) => true,
        sign_in_request::Credential::IdToken(token) => {
            matches!(token.binding, Some(id_token_credential::Binding::Flow(_)))
        }
        sign_in_request::Credential::Profile(_) => false,
    }
}

/// Reads the mark of a request that may be repeated: of all its fields, but of `client` only without a flow. A browser
/// that requests a callback twice may do so from two addresses.
fn read_request(
    fields: &mut Fields,
    call: &Call,
    message: &v1::SignInRequest,
    client: Option<&v1::Client>,
) -> Option<RequestMark> {
    if message.request_id.is_empty() {
        return None;
    }
    let has_flow = matches!(&message.credential, Some(sign_in_request::Credential::OauthCallback(_)));
    let client = client.filter(|_| !has_flow).cloned();
    let compared = v1::SignInRequest { client, ..message.clone() }.encode_to_vec();
    fields.request(call, "SignIn", &message.request_id, &compared)
}

fn read_callback(fields: &mut Fields, message: v1::OAuthCallbackCredential) -> Credential {
    let at = |name: &str| format!("credential.oauth_callback.{name}");
    let error = message.error.filter(|error| !error.is_empty());
    if message.flow.is_empty() {
        fields.fault(&at("flow"), "is required; send the flow of BeginSignIn from the browser's cookie");
    }
    let state = fields.text(&at("state"), &message.state, MAX_OPAQUE);
    if state.is_empty() {
        fields.fault(&at("state"), "is required");
    }
    let code = fields.text(&at("code"), &message.code, MAX_CODE);
    if code.is_empty() && error.is_none() {
        fields.fault(&at("code"), "is required unless error is set");
    }
    if error.as_deref().is_some_and(|error| !is_error_code(error)) {
        fields.fault(&at("error"), "must be an error code of RFC 6749 section 4.1.2.1, at most 64 bytes");
    }
    let iss = fields.optional_text(&at("iss"), message.iss.as_deref(), MAX_ISSUER);
    let user = message.user.filter(|user| !user.is_empty());
    if user.as_ref().is_some_and(|user| user.len() > MAX_USER) {
        fields.fault(&at("user"), "must have at most 4096 bytes");
    }
    // An empty one is rejected, too: it would check nothing, contrary to what its caller expects.
    let provider = message.provider.and_then(|provider| fields.parsed(&at("provider"), &provider));
    Credential::OAuthCallback(OAuthCallback { flow: message.flow, code, state, iss, error, user, provider })
}

fn read_id_token(fields: &mut Fields, message: v1::IdTokenCredential) -> Option<Credential> {
    let at = |name: &str| format!("credential.id_token.{name}");
    let provider: Option<ProviderId> = fields.parsed(&at("provider"), &message.provider);
    if message.token.is_empty() || message.token.len() > MAX_ID_TOKEN {
        fields.fault(&at("token"), "is required, with at most 16384 bytes");
    }
    let binding = match message.binding {
        Some(id_token_credential::Binding::Flow(flow)) if !flow.is_empty() => Some(Binding::Flow(flow)),
        Some(id_token_credential::Binding::Nonce(nonce)) if !nonce.is_empty() => {
            Some(Binding::Nonce(fields.text(&at("nonce"), &nonce, MAX_OPAQUE)))
        }
        // An empty one would bind nothing, contrary to what its caller expects.
        Some(_) => {
            fields.fault(&at("binding"), "must not be empty");
            None
        }
        // Some providers need none.
        None => None,
    };
    let token = message.token;
    Some(Credential::IdToken(IdTokenCredential { provider: provider?, token, binding }))
}

fn read_profile(fields: &mut Fields, message: v1::ProfileCredential) -> Option<Credential> {
    let at = |name: &str| format!("credential.profile.{name}");
    let provider: Option<ProviderId> = fields.parsed(&at("provider"), &message.provider);
    let provider_account_id = fields.parsed(&at("provider_account_id"), &message.provider_account_id);
    let raw = fields.json(&at("raw"), message.raw);
    let identity = Identity {
        provider: provider?,
        issuer: String::new(),
        provider_account_id: provider_account_id?,
        kind: AccountKind::Profile,
        scope: None,
    };
    let told = ToldAttributes {
        email: message.email,
        email_verified: message.email_verified,
        name: message.name,
        image: message.image,
        unusable: Vec::new(),
    };
    Some(Credential::Profile(Box::new(Profile::new(identity, told, raw))))
}

pub(crate) fn write_sign_in(outcome: SignInOutcome, now: Timestamp) -> v1::SignInResponse {
    let outcome = match outcome {
        SignInOutcome::Allowed(allowed) => sign_in_response::Outcome::Allowed(write_allowed(*allowed, now)),
        SignInOutcome::Denied(denied) => sign_in_response::Outcome::Denied(write_denied(denied)),
        SignInOutcome::Redirect(url) => {
            sign_in_response::Outcome::Redirect(v1::SignInRedirect { url: url.into() })
        }
    };
    v1::SignInResponse { outcome: Some(outcome) }
}

fn write_allowed(allowed: Allowed, now: Timestamp) -> v1::SignInAllowed {
    let linked = allowed.grant.is_none();
    let (grant, grant_expires_at) = allowed.grant.unzip();
    v1::SignInAllowed {
        user: Some(write_user(allowed.user, now)),
        account: Some(write_account(allowed.account)),
        is_new_user: allowed.is_new_user,
        linked,
        grant: grant.map(|grant| grant.encode()),
        grant_expires_at: grant_expires_at.map(write_timestamp),
        redirect_to: allowed.redirect_to.into(),
        provider_tokens: allowed.provider_tokens.map(write_provider_tokens),
    }
}

/// Writes a provider's tokens: the one place where they leave their secret wrappers.
fn write_provider_tokens(tokens: ProviderTokens) -> v1::ProviderTokens {
    v1::ProviderTokens {
        access_token: tokens.access_token.expose_secret().to_owned(),
        token_type: tokens.token_type,
        expires_at: tokens.expires_at.map(write_timestamp),
        refresh_token: tokens.refresh_token.map(|token| token.expose_secret().to_owned()),
        id_token: tokens.id_token.map(|token| token.expose_secret().to_owned()),
        scope: tokens.scope,
    }
}

fn write_denied(denied: Denied) -> v1::SignInDenied {
    v1::SignInDenied {
        reason: denied.denial.reason.number(),
        detail: denied.denial.detail,
        linked_providers: denied.linked_providers.iter().map(ToString::to_string).collect(),
        redirect_to: denied.redirect_to.into(),
        ban: denied
            .ban
            .map(|ban| v1::Ban { reason: ban.reason, expires_at: ban.expires_at.map(write_timestamp) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DenialReason;

    #[test]
    fn each_reason_of_a_denial_has_its_name_under_its_number() {
        for reason in DenialReason::ALL {
            let wire = v1::DenialReason::try_from(reason.number()).unwrap();
            assert_eq!(wire.as_str_name(), format!("DENIAL_REASON_{}", reason.name()));
        }
        let next = i32::try_from(DenialReason::ALL.len()).unwrap() + 1;
        assert!(v1::DenialReason::try_from(next).is_err(), "a reason that the model lacks");
    }
}
