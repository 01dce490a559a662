//! The responses of the endpoints without a fault.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gatepass::model::{ClaimMap, sha256};
use http::StatusCode;
use serde_json::{Value, json};

use super::{CLIENT_ID, CLIENT_SECRET, Endpoint, Person, Pkce, Seen, Shared, State};

/// A response: a status and JSON, or the text of a signed JWT.
pub struct Reply {
    pub status: StatusCode,
    pub body: Value,
    pub content_type: &'static str,
    pub cache_control: Option<&'static str>,
}

/// Finds the endpoint of a path. An issuer with a path has its own metadata; GitHub Enterprise has its API below
/// `/api/v3`.
pub fn at(path: &str) -> Option<Endpoint> {
    match path.strip_prefix("/api/v3").unwrap_or(path) {
        "/jwks" => Some(Endpoint::Jwks),
        "/token" | "/login/oauth/access_token" => Some(Endpoint::Token),
        "/userinfo" => Some(Endpoint::Userinfo),
        "/user" => Some(Endpoint::User),
        "/user/emails" => Some(Endpoint::Emails),
        path if path.ends_with("/.well-known/openid-configuration") => Some(Endpoint::Discovery),
        _ => None,
    }
}

pub fn answer(shared: &Shared, endpoint: Endpoint, seen: &Seen) -> Reply {
    let mut state = shared.state();
    let content_type = state.content_type;
    let reply = match endpoint {
        Endpoint::Discovery => ok(edited(metadata(shared, &state), state.edit_metadata.as_ref())),
        Endpoint::Jwks => {
            let keys: Vec<Value> = state.keys.iter().map(|key| key.jwk.clone()).collect();
            let body = edited(object(json!({"keys": keys})), state.edit_keys.as_ref());
            Reply { cache_control: state.cache_keys, ..ok(body) }
        }
        Endpoint::Token => token(shared, &mut state, seen),
        Endpoint::Userinfo => with_token(&state, seen, |person| {
            let mut claims = person.claims();
            claims.insert("sub".into(), person.id.clone().into());
            match &state.signs_userinfo {
                Some((edit, by_its_key)) => signed(&state, claims, edit, *by_its_key),
                None => edited(claims, state.edit_userinfo.as_ref()),
            }
        }),
        Endpoint::User => {
            with_token(&state, seen, |person| edited(person.user(), state.edit_userinfo.as_ref()))
        }
        Endpoint::Emails => with_token(&state, seen, Person::emails),
    };
    let content_type = if reply.body.is_string() { "application/jwt" } else { content_type };
    Reply { content_type, ..reply }
}

fn signed(state: &State, mut claims: ClaimMap, edit: &super::Edit, by_its_key: bool) -> Value {
    edit(&mut claims);
    let published = state.keys.last().unwrap();
    let header = object(json!({"alg": published.name(), "kid": published.kid}));
    let key = if by_its_key { published } else { &state.hidden };
    key.sign(&header, &claims).into()
}

fn metadata(shared: &Shared, state: &State) -> ClaimMap {
    let at = |path: &str| format!("{}{path}", shared.origin);
    object(json!({
        "issuer": shared.origin,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "userinfo_endpoint": at("/userinfo"),
        "jwks_uri": at("/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        "authorization_response_iss_parameter_supported": state.sends_iss,
    }))
}

/// Redeems a code once (RFC 6749 section 4.1.3, RFC 7636 section 4.6). GitHub reports errors with status 200.
fn token(shared: &Shared, state: &mut State, seen: &Seen) -> Reply {
    let is_github = seen.path == "/login/oauth/access_token";
    let refuse = |error: &str, of_github: &str| Reply {
        status: if is_github { StatusCode::OK } else { StatusCode::BAD_REQUEST },
        ..ok(json!({"error": if is_github { of_github } else { error }, "error_description": "no"}))
    };
    let Some(client_id) = client(state, seen) else {
        return refuse("invalid_client", "incorrect_client_credentials");
    };
    let field = |name: &str| seen.form.get(name).map_or("", String::as_str);
    let Some(grant) = state.codes.remove(field("code")) else {
        return refuse("invalid_grant", "bad_verification_code");
    };
    let challenge = match seen.form.get("code_verifier") {
        Some(verifier) => URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes())),
        None if state.pkce == Pkce::Refused => String::new(),
        None => return refuse("invalid_grant", "bad_verification_code"),
    };
    if grant.client_id != client_id
        || grant.redirect_uri != field("redirect_uri")
        || grant.challenge != challenge
        || field("grant_type") != "authorization_code"
    {
        return refuse("invalid_grant", "bad_verification_code");
    }
    let access_token = state.fresh("access-token");
    state.access_tokens.insert(access_token.clone(), grant.person.clone());
    let body = if is_github {
        object(
            json!({"access_token": access_token, "token_type": "bearer", "scope": grant.scope.replace(' ', ",")}),
        )
    } else {
        let nonce = grant.nonce.as_deref();
        let id_token = state.id_token(shared, &grant.person, nonce, &client_id, Some(&access_token));
        let mut body = object(json!({
            "access_token": access_token, "token_type": "Bearer", "expires_in": 3600,
            "refresh_token": state.fresh("refresh-token"), "scope": grant.scope,
        }));
        body.extend(id_token.map(|token| ("id_token".to_owned(), token.into())));
        body
    };
    ok(edited(body, state.edit_answer.as_ref()))
}

/// Identifies the client by `client_secret_basic`, escaped as in RFC 6749 section 2.3.1, or by `client_secret_post`.
fn client(state: &State, seen: &Seen) -> Option<String> {
    let form_id = seen.form.get("client_id").cloned();
    if state.takes_any_client {
        return Some(form_id.unwrap_or_else(|| CLIENT_ID.to_owned()));
    }
    let (id, secret) = match seen.headers.get("authorization") {
        Some(basic) => {
            let basic = STANDARD.decode(basic.to_str().ok()?.strip_prefix("Basic ")?).ok()?;
            let basic = String::from_utf8(basic).ok()?;
            let (id, secret) = basic.split_once(':')?;
            (unescaped(id)?, unescaped(secret)?)
        }
        None => (form_id?, seen.form.get("client_secret")?.clone()),
    };
    (id == CLIENT_ID && secret == CLIENT_SECRET).then_some(id)
}

fn unescaped(text: &str) -> Option<String> {
    let pair = format!("x={text}");
    url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned())
}

fn with_token(state: &State, seen: &Seen, body: impl FnOnce(&Person) -> Value) -> Reply {
    let header = seen.headers.get("authorization").and_then(|header| header.to_str().ok());
    match header.and_then(|header| header.strip_prefix("Bearer ")).and_then(|t| state.access_tokens.get(t)) {
        Some(person) => ok(body(person)),
        None => Reply { status: StatusCode::UNAUTHORIZED, ..ok(json!({"error": "invalid_token"})) },
    }
}

fn ok(body: Value) -> Reply {
    Reply { status: StatusCode::OK, body, content_type: "application/json", cache_control: None }
}

fn object(value: Value) -> ClaimMap {
    match value {
        Value::Object(map) => map,
        _ => unreachable!("an object"),
    }
}

fn edited(mut map: ClaimMap, edit: Option<&super::Edit>) -> Value {
    if let Some(edit) = edit {
        edit(&mut map);
    }
    Value::Object(map)
}
