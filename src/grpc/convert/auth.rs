//! The messages of `AuthService`.

use prost::Message as _;

use super::read::Fields;
use super::write::{write_account, write_session, write_timestamp, write_user};
use crate::auth::{
    Allowed, Call, DenialReason, Denied, Error, GetSession, IssueToken, Issued, RefreshToken, Result,
    Rotation, SessionAnswer, SignIn, SignInOutcome, SignOut, SignOutToken,
};
use crate::grpc::proto::v1::{
    self, get_session_request, sign_in_request, sign_in_response, sign_out_request,
};
use crate::model::{AccountKind, Email, Profile, ProviderId, Timestamp};

/// The most bytes of a display name.
const MAX_NAME: usize = 512;
/// The most bytes of an address of a picture.
const MAX_URL: usize = 2048;

pub(crate) fn read_sign_in(call: &mut Call, message: v1::SignInRequest) -> Result<SignIn> {
    let mut fields = Fields::default();
    let bytes = message.encode_to_vec();
    fields.client(call, message.client);
    let request = fields.request(call, "SignIn", &message.request_id, &bytes);
    if !message.link_access_token.is_empty() {
        return Err(Error::NotImplemented("link_access_token"));
    }
    let profile = match message.credential {
        Some(sign_in_request::Credential::Profile(profile)) => read_profile(&mut fields, profile),
        Some(sign_in_request::Credential::OauthCallback(_)) => {
            return Err(Error::NotImplemented("oauth_callback"));
        }
        Some(sign_in_request::Credential::IdToken(_)) => return Err(Error::NotImplemented("id_token")),
        None => {
            fields.fault("credential", "one of oauth_callback, id_token and profile is required");
            None
        }
    };
    let signing_in = profile.map(|profile| SignIn { profile, redirect_to: message.redirect_to, request });
    fields.finish(signing_in)
}

fn read_profile(fields: &mut Fields, message: v1::ProfileCredential) -> Option<Profile> {
    let at = |name: &str| format!("credential.profile.{name}");
    let provider: Option<ProviderId> = fields.parsed(&at("provider"), &message.provider);
    let provider_account_id = fields.parsed(&at("provider_account_id"), &message.provider_account_id);
    let email = message.email.filter(|text| !text.is_empty()).and_then(|text| {
        Email::parse(&text).map_err(|fault| fields.fault(&at("email"), fault.to_string())).ok()
    });
    if message.email_verified && email.is_none() {
        fields.fault(&at("email_verified"), "needs an email");
    }
    let name = fields.optional_text(&at("name"), message.name.as_deref(), MAX_NAME);
    let image = fields.optional_text(&at("image"), message.image.as_deref(), MAX_URL);
    let raw = fields.json(&at("raw"), message.raw);
    Some(Profile {
        provider: provider?,
        issuer: String::new(),
        provider_account_id: provider_account_id?,
        kind: AccountKind::Profile,
        scope: None,
        email,
        email_verified: message.email_verified,
        name,
        image,
        raw,
    })
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
    v1::SignInAllowed {
        user: Some(write_user(allowed.user, now)),
        account: Some(write_account(allowed.account)),
        is_new_user: allowed.is_new_user,
        linked: false,
        grant: Some(allowed.grant.encode()),
        grant_expires_at: Some(write_timestamp(allowed.grant_expires_at)),
        redirect_to: allowed.redirect_to.into(),
        provider_tokens: None,
    }
}

fn write_denied(denied: Denied) -> v1::SignInDenied {
    v1::SignInDenied {
        reason: write_denial_reason(denied.denial.reason).into(),
        detail: denied.denial.detail,
        linked_providers: denied.linked_providers.iter().map(ToString::to_string).collect(),
        redirect_to: denied.redirect_to.into(),
    }
}

fn write_denial_reason(reason: DenialReason) -> v1::DenialReason {
    match reason {
        DenialReason::AccessDenied => v1::DenialReason::AccessDenied,
        DenialReason::UserBanned => v1::DenialReason::UserBanned,
        DenialReason::EmailNotAllowed => v1::DenialReason::EmailNotAllowed,
        DenialReason::EmailNotVerified => v1::DenialReason::EmailNotVerified,
        DenialReason::SignUpClosed => v1::DenialReason::SignUpClosed,
        DenialReason::AccountNotLinked => v1::DenialReason::AccountNotLinked,
        DenialReason::CallbackDenied => v1::DenialReason::CallbackDenied,
    }
}

pub(crate) fn read_issue_token<'a>(
    call: &mut Call,
    message: &'a v1::IssueTokenRequest,
) -> Result<IssueToken<'a>> {
    let mut fields = Fields::default();
    fields.client(call, message.client.clone());
    let request = fields.request(call, "IssueToken", &message.request_id, &message.encode_to_vec());
    let audiences = fields.audiences(message.audiences.clone());
    fields.finish(Some(IssueToken { grant: &message.grant, audiences, request }))
}

pub(crate) fn read_refresh_token<'a>(
    call: &mut Call,
    message: &'a v1::RefreshTokenRequest,
) -> Result<RefreshToken<'a>> {
    let mut fields = Fields::default();
    fields.client(call, message.client.clone());
    let update = fields.json("update", message.update.clone());
    let audiences = fields.audiences(message.audiences.clone());
    fields.finish(Some(RefreshToken { refresh_token: &message.refresh_token, update, audiences }))
}

pub(crate) fn write_issued(issued: Issued) -> v1::IssueTokenResponse {
    let refreshed = write_refreshed(issued);
    v1::IssueTokenResponse {
        access_token: refreshed.access_token,
        token_type: refreshed.token_type,
        access_token_expires_at: refreshed.access_token_expires_at,
        refresh_token: refreshed.refresh_token,
        refresh_token_expires_at: refreshed.refresh_token_expires_at,
        session: refreshed.session,
        rotation: refreshed.rotation,
    }
}

pub(crate) fn write_refreshed(issued: Issued) -> v1::RefreshTokenResponse {
    let rotation = match issued.rotation {
        Rotation::Issued => v1::Rotation::Issued,
        Rotation::Rotated => v1::Rotation::Rotated,
        Rotation::Replayed => v1::Rotation::Replayed,
        Rotation::Recovered => v1::Rotation::Recovered,
    };
    v1::RefreshTokenResponse {
        access_token: issued.access_token,
        token_type: "Bearer".to_owned(),
        access_token_expires_at: Some(write_timestamp(issued.access_token_expires_at)),
        refresh_token: issued.refresh_token.encode(),
        refresh_token_expires_at: Some(write_timestamp(issued.refresh_token_expires_at)),
        session: Some(write_session(issued.session)),
        rotation: rotation.into(),
    }
}

pub(crate) fn read_get_session(message: &v1::GetSessionRequest) -> Result<GetSession<'_>> {
    let mut fields = Fields::default();
    let max_staleness = fields.duration("max_staleness", message.max_staleness);
    let access_token = match &message.credential {
        Some(get_session_request::Credential::AccessToken(token)) => Some(token.as_str()),
        Some(get_session_request::Credential::CookieHeader(_)) => {
            return Err(Error::NotImplemented("cookie_header"));
        }
        None => {
            fields.fault("credential", "access_token is required");
            None
        }
    };
    let audience = message.audience.as_str();
    fields.finish(access_token.map(|access_token| GetSession { access_token, audience, max_staleness }))
}

pub(crate) fn write_session_answer(answer: SessionAnswer) -> v1::GetSessionResponse {
    v1::GetSessionResponse {
        session: Some(write_session(answer.session)),
        revocations_checked_at: Some(write_timestamp(answer.revocations_checked_at)),
    }
}

pub(crate) fn read_sign_out<'a>(call: &mut Call, message: &'a v1::SignOutRequest) -> Result<SignOut<'a>> {
    let mut fields = Fields::default();
    fields.client(call, message.client.clone());
    let token = match &message.credential {
        Some(sign_out_request::Credential::AccessToken(token)) => Some(SignOutToken::Access(token)),
        Some(sign_out_request::Credential::RefreshToken(token)) => Some(SignOutToken::Refresh(token)),
        None => {
            fields.fault("credential", "one of access_token and refresh_token is required");
            None
        }
    };
    let (everywhere, except_current) = (message.everywhere, message.except_current);
    fields.finish(token.map(|token| SignOut { token, everywhere, except_current }))
}
