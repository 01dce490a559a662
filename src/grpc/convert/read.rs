//! Readers of fields: each is bounded and typed, and all faults are reported together.

use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use crate::auth::{Call, Error, FieldFault, Result};
use crate::grpc::proto::v1;
use crate::model::{ClaimMap, RequestMark, Timestamp, claims};

/// The faults so far.
#[derive(Debug, Default)]
pub(crate) struct Fields(Vec<FieldFault>);

/// The maximum number of faults that are reported.
const MOST_FAULTS: usize = 16;

/// The maximum size of the data of an application, in bytes of JSON.
const MAX_APP_DATA: usize = 1024;

impl Fields {
    /// Records a fault. A request can have any number of them; the response is limited.
    pub(crate) fn fault(&mut self, field: &str, description: impl Into<String>) {
        if self.0.len() >= MOST_FAULTS {
            return;
        }
        self.0.push(FieldFault { field: field.to_owned(), description: description.into() });
    }

    /// Returns the value, if no field had a fault.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            Some(_) | None => Err(Error::InvalidRequest(self.0)),
        }
    }

    /// Reads a value that is parsed from text.
    pub(crate) fn parsed<T: FromStr<Err: ToString>>(&mut self, field: &str, text: &str) -> Option<T> {
        text.parse().map_err(|fault: T::Err| self.fault(field, fault.to_string())).ok()
    }

    /// Reads a printable text of at most so many bytes.
    pub(crate) fn text(&mut self, field: &str, text: &str, max: usize) -> String {
        if text.len() > max {
            self.fault(field, format!("must have at most {max} bytes"));
        } else if text.chars().any(char::is_control) {
            self.fault(field, "must have no control characters");
        }
        text.to_owned()
    }

    /// Reads an optional text; an empty text counts as not set.
    pub(crate) fn optional_text(&mut self, field: &str, text: Option<&str>, max: usize) -> Option<String> {
        text.filter(|text| !text.is_empty()).map(|text| self.text(field, text, max))
    }

    /// Reads arbitrary JSON.
    pub(crate) fn json(&mut self, field: &str, message: Option<prost_types::Struct>) -> ClaimMap {
        let read = message.map_or_else(|| Some(ClaimMap::new()), super::json::read_struct);
        read.unwrap_or_else(|| {
            self.fault(field, "holds a number that is not finite");
            ClaimMap::new()
        })
    }

    /// Reads the data of the application: JSON of at most 1,024 bytes.
    pub(crate) fn app_data(&mut self, message: Option<prost_types::Struct>) -> ClaimMap {
        let data = self.json("app_data", message);
        let checked = claims::check_free(&data).and_then(|()| claims::check_size(&data, MAX_APP_DATA));
        if let Err(fault) = checked {
            self.fault("app_data", fault.to_string());
        }
        data
    }

    /// Reads a point in time.
    pub(crate) fn timestamp(&mut self, field: &str, message: prost_types::Timestamp) -> Option<Timestamp> {
        let nanos = u32::try_from(message.nanos).ok().filter(|nanos| *nanos < 1_000_000_000);
        match nanos {
            Some(nanos) if (0..=Timestamp::LAST.seconds()).contains(&message.seconds) => {
                Some(Timestamp::from_seconds(message.seconds).plus(Duration::from_nanos(nanos.into())))
            }
            Some(_) | None => {
                self.fault(field, "must be a time from 1970 to 9999");
                None
            }
        }
    }

    /// Reads a duration.
    pub(crate) fn duration(
        &mut self,
        field: &str,
        message: Option<prost_types::Duration>,
    ) -> Option<Duration> {
        // Converting the smallest duration overflows, so negative durations are rejected first.
        let read = |message: prost_types::Duration| {
            if message.seconds < 0 || message.nanos < 0 { None } else { Duration::try_from(message).ok() }
        };
        message.and_then(|message| {
            let duration = read(message);
            if duration.is_none() {
                self.fault(field, "must be a duration of zero or more");
            }
            duration
        })
    }

    /// Reads audiences: a few short texts.
    pub(crate) fn audiences(&mut self, audiences: Vec<String>) -> Vec<String> {
        if audiences.len() > 64 {
            self.fault("audiences", "must have at most 64 entries");
        }
        audiences
    }

    /// Reads the person's client. A user agent is for display, and browsers send long ones: it is truncated, not
    /// rejected.
    pub(crate) fn client(&mut self, call: &mut Call, client: Option<v1::Client>) {
        let Some(client) = client else { return };
        call.origin.ip_address = client.ip_address.filter(|text| !text.is_empty()).and_then(|text| {
            let address = self.parsed::<IpAddr>("client.ip_address", &text);
            address.map(|address| address.to_canonical().to_string())
        });
        call.origin.user_agent = client.user_agent.filter(|text| !text.is_empty()).map(|text| {
            let end = text.floor_char_boundary(512);
            text[..end].chars().filter(|c| !c.is_control()).collect()
        });
    }

    /// Reads the id of a request that may be repeated.
    pub(crate) fn request(
        &mut self,
        call: &Call,
        rpc: &str,
        id: &str,
        request: &[u8],
    ) -> Option<RequestMark> {
        if id.is_empty() {
            return None;
        }
        if !(16..=255).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.fault(
                "request_id",
                "must be 16 to 255 visible ASCII characters with at least 128 random bits",
            );
        }
        Some(call.request_mark(rpc, id, request))
    }
}
