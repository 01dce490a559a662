//! The context of a call, read from its request.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName};
use tokio::time::Instant;

use super::request_id::RequestId;
use crate::auth::CallContext;
use crate::grpc::http_types::Request;

static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Makes the context of a call with this deadline and this maximum duration.
pub(super) fn context(request: &Request, due: Instant, most: Duration) -> CallContext {
    CallContext {
        request_id: Arc::from(request.extensions().get::<RequestId>().map_or("", RequestId::as_str)),
        traceparent: traceparent(request.headers()),
        due: Some(due),
        most,
    }
}

/// Returns the client's trace, if it is of version 00 (W3C Trace Context section 3.2); other versions have unknown
/// content.
fn traceparent(headers: &HeaderMap) -> Option<Arc<str>> {
    let text = headers.get(&TRACEPARENT)?.to_str().ok()?;
    let hex = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let parts: Vec<&str> = text.split('-').collect();
    let lengths = parts.iter().map(|part| part.len());
    (lengths.eq([2, 32, 16, 2]) && parts[0] == "00" && parts.iter().all(|part| hex(part)))
        .then(|| Arc::from(text))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_a_trace_of_the_known_version_is_accepted() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(&TRACEPARENT, HeaderValue::from_bytes(text.as_bytes()).unwrap());
            traceparent(&headers)
        };
        assert_eq!(read(good).as_deref(), Some(good));
        for bad in [
            "",
            "00",
            &good.replace("00-4", "01-4"),
            &good.to_uppercase(),
            &format!("{good}-x"),
            &good.replace('a', "g"),
            &good.replace('-', "_"),
            "00-é",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(traceparent(&HeaderMap::new()), None);
    }
}
