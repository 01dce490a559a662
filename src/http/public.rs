//! The public documents: the key set that verifies tokens, and the discovery document that leads to it. The key ring
//! supplies the keys; here they are bytes with an entity tag.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;

use crate::jose::PublishedJwks;

/// A replica publishes a key well longer than this before it signs with it.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=300");
/// RFC 7517 section 8.5.2.
const JWKS: HeaderValue = HeaderValue::from_static("application/jwk-set+json");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A source of the keys that verify tokens.
pub trait PublicKeys: Send + Sync + 'static {
    /// Returns the current set; `None` before the keys are read.
    fn jwks(&self) -> Option<PublishedJwks>;
    /// Returns the algorithms of that set.
    fn algorithms(&self) -> Option<Vec<&'static str>>;
}

/// The metadata of OpenID Connect Discovery that apply to Gatepass: it has none of the endpoints.
#[derive(Debug, Serialize)]
struct Discovery<'a> {
    issuer: &'a str,
    jwks_uri: String,
    // Required of every issuer; Kubernetes, which has no endpoints either, returns the same value.
    response_types_supported: [&'static str; 1],
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: &'a [&'a str],
}

/// Makes the document for this issuer, whose tokens these algorithms sign.
fn discovery(issuer: &str, algorithms: &[&str]) -> Bytes {
    let document = Discovery {
        issuer,
        jwks_uri: format!("{}/.well-known/jwks.json", issuer.trim_end_matches('/')),
        response_types_supported: ["id_token"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: algorithms,
    };
    // Strings and lists of strings only, so serialisation can't fail.
    serde_json::to_vec(&document).unwrap_or_default().into()
}

/// Makes the router of the public port's two documents.
pub fn router(keys: Arc<dyn PublicKeys>, issuer: &str) -> Router {
    let issuer: Arc<str> = issuer.into();
    let openid = async move |State(keys): State<Arc<dyn PublicKeys>>| {
        let Some(algorithms) = keys.algorithms() else {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        };
        ([(CONTENT_TYPE, JSON), (CACHE_CONTROL, CACHE)], discovery(&issuer, &algorithms)).into_response()
    };
    Router::new()
        .route("/.well-known/jwks.json", get(jwks))
        .route("/.well-known/openid-configuration", get(openid))
        .with_state(keys)
}

async fn jwks(State(keys): State<Arc<dyn PublicKeys>>, request: HeaderMap) -> Response {
    let Some(jwks) = keys.jwks() else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let mut headers = HeaderMap::new();
    headers.insert(CACHE_CONTROL, CACHE);
    if let Ok(etag) = HeaderValue::from_str(&jwks.etag) {
        headers.insert(ETAG, etag);
    }
    if request.get_all(IF_NONE_MATCH).iter().any(|known| names(known, &jwks.etag)) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    headers.insert(CONTENT_TYPE, JWKS);
    (headers, jwks.body).into_response()
}

/// Returns true if an If-None-Match contains this entity tag, by weak comparison (RFC 9110 section 13.1.2).
fn names(condition: &HeaderValue, etag: &str) -> bool {
    let Ok(condition) = condition.to_str() else { return false };
    condition.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_tag_is_found_among_others() {
        for (condition, wanted) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", \"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
            ("", false),
        ] {
            assert_eq!(names(&HeaderValue::from_static(condition), "\"a\""), wanted, "{condition}");
        }
    }

    #[test]
    fn discovery_names_only_existing_endpoints() {
        let document: serde_json::Value =
            serde_json::from_slice(&discovery("https://auth.example.com/", &["ES256"])).unwrap();
        let wanted = serde_json::json!({
            "issuer": "https://auth.example.com/",
            "jwks_uri": "https://auth.example.com/.well-known/jwks.json",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        });
        assert_eq!(document, wanted);
    }
}
