//! The response of a provider, and its parsing.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Response, StatusCode};
use serde_json::Value;

use super::fault::{FaultKind, ProviderFault};
use crate::model::{ClaimMap, parse_array_leniently, parse_object_leniently};

/// A response, read completely.
pub(super) struct Answer {
    /// The kind of the endpoint.
    endpoint: &'static str,
    response: Response<Bytes>,
}

impl Answer {
    pub(super) fn new(endpoint: &'static str, response: Response<Bytes>) -> Self {
        Self { endpoint, response }
    }

    pub(super) fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    pub(super) fn body(&self) -> &[u8] {
        self.response.body()
    }

    /// Returns the object of a response with status 200.
    pub(super) fn object(&self) -> Result<ClaimMap, ProviderFault> {
        self.must_be_ok()?;
        self.object_of_any_status()
    }

    /// Returns the object, whatever the status is. Its content type is not looked at: providers label JSON in many ways.
    pub(super) fn object_of_any_status(&self) -> Result<ClaimMap, ProviderFault> {
        parse_object_leniently(self.body())
            .map_err(|fault| self.fault(FaultKind::Malformed, &fault.to_string()))
    }

    /// Returns the array of a response with status 200.
    pub(super) fn array(&self) -> Result<Vec<Value>, ProviderFault> {
        self.must_be_ok()?;
        parse_array_leniently(self.body()).map_err(|_| self.fault(FaultKind::Malformed, "not a JSON array"))
    }

    /// Returns the object or the array of a response with status 200.
    pub(super) fn document(&self) -> Result<Value, ProviderFault> {
        match self.body().trim_ascii_start().first() {
            Some(b'[') => self.array().map(Value::Array),
            _ => self.object().map(Value::Object),
        }
    }

    /// Makes the fault of an unusable status.
    pub(super) fn unwanted_status(&self) -> ProviderFault {
        self.fault(FaultKind::Status, &format!("status {}", self.status().as_u16()))
    }

    fn must_be_ok(&self) -> Result<(), ProviderFault> {
        if self.status() == StatusCode::OK { Ok(()) } else { Err(self.unwanted_status()) }
    }

    /// Returns the signed JWT of a response with status 200, or `None` if its content type is not that of one.
    pub(super) fn signed(&self) -> Result<Option<&str>, ProviderFault> {
        let content_type = self.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
        if !media_type.trim().eq_ignore_ascii_case("application/jwt") {
            return Ok(None);
        }
        self.must_be_ok()?;
        let text =
            std::str::from_utf8(self.body()).map_err(|_| self.fault(FaultKind::Malformed, "no JWT"))?;
        Ok(Some(text.trim()))
    }

    fn fault(&self, kind: FaultKind, cause: &str) -> ProviderFault {
        ProviderFault::new(kind, format!("{}: {cause}", self.endpoint))
    }
}
