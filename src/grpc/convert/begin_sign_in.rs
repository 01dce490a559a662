//! The messages of `BeginSignIn`.

use super::read::Fields;
use super::write::write_timestamp;
use crate::auth::{BeginSignInRequest, Begun, Result};
use crate::grpc::proto::v1;
use crate::oauth::{ParameterFault, check_parameter, is_scope};

/// The maximum number of scopes, and the maximum size of one in bytes.
const MAX_SCOPES: usize = 64;
/// The maximum number of further parameters, and the maximum size of a value in bytes.
const MAX_PARAMS: usize = 32;
const MAX_PARAM_VALUE: usize = 1024;

pub(crate) fn read_begin_sign_in(message: v1::BeginSignInRequest) -> Result<BeginSignInRequest> {
    let mut fields = Fields::default();
    let provider = fields.parsed("provider", &message.provider);
    let scopes = read_scopes(&mut fields, message.scopes);
    let app_data = fields.app_data(message.app_data);
    let params = read_params(&mut fields, message.authorization_params);
    fields.finish(provider.map(|provider| BeginSignInRequest {
        provider,
        redirect_uri: message.redirect_uri,
        redirect_to: message.redirect_to,
        scopes,
        params,
        link_access_token: message.link_access_token,
        app_data,
    }))
}

fn read_scopes(fields: &mut Fields, scopes: Vec<String>) -> Vec<String> {
    if scopes.len() > MAX_SCOPES {
        fields.fault("scopes", "must have at most 64 entries");
        return Vec::new();
    }
    for (place, scope) in scopes.iter().enumerate() {
        if !is_scope(scope) {
            let wanted = "must be a scope of RFC 6749 section 3.3, one to an entry, at most 255 bytes";
            fields.fault(&format!("scopes[{place}]"), wanted);
        }
    }
    scopes
}

fn read_params(
    fields: &mut Fields,
    params: std::collections::HashMap<String, String>,
) -> Vec<(String, String)> {
    if params.len() > MAX_PARAMS {
        fields.fault("authorization_params", "must have at most 32 entries");
        return Vec::new();
    }
    let mut params: Vec<_> = params.into_iter().collect();
    // Equal requests give equal URLs, whatever the order of the map.
    params.sort_unstable();
    for (name, value) in &params {
        // An invalid name is not quoted: it could be of any length.
        let field = format!("authorization_params[{name}]");
        match check_parameter(name, value) {
            Ok(()) => drop(fields.text(&field, value, MAX_PARAM_VALUE)),
            Err(fault @ ParameterFault::Name) => fields.fault("authorization_params", fault.to_string()),
            Err(fault @ (ParameterFault::Ours | ParameterFault::MaxAge)) => {
                fields.fault(&field, fault.to_string());
            }
        }
    }
    params
}

pub(crate) fn write_begun(begun: Begun) -> v1::BeginSignInResponse {
    let seconds = i64::try_from(begun.max_age.as_secs()).unwrap_or(i64::MAX);
    v1::BeginSignInResponse {
        authorization_url: begun.authorization_url,
        flow: begun.flow,
        expires_at: Some(write_timestamp(begun.expires_at)),
        cookie: Some(v1::FlowCookie {
            name: begun.cookie_name,
            same_site: if begun.comes_back_by_post { "None" } else { "Lax" }.to_owned(),
            max_age: Some(prost_types::Duration { seconds, nanos: 0 }),
        }),
    }
}
