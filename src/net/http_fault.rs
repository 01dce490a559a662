//! The faults of HTTP requests.

use std::fmt;

/// The fault of one exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpFault {
    /// The address allows no request.
    Address,
    /// The response did not arrive in time.
    TimedOut,
    /// The connection failed or broke. The text contains no data that was sent or received.
    Unreachable(String),
    /// The response exceeds the limit.
    TooLarge,
}

impl fmt::Display for HttpFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address => f.write_str("an address that can't be asked"),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Unreachable(cause) => f.write_str(cause),
            Self::TooLarge => f.write_str("more bytes than are read"),
        }
    }
}

impl std::error::Error for HttpFault {}

/// The fault of waiting for a fetch, other than those of the fetch itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchFault {
    /// It did not end in time.
    TimedOut,
    /// It ended without a result.
    GivenUp,
    /// It may not begin yet: another one ended too recently.
    Throttled,
}

impl fmt::Display for FetchFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "no answer in time",
            Self::GivenUp => "a fetch was given up",
            Self::Throttled => "fetched too recently to be fetched again",
        })
    }
}

impl std::error::Error for FetchFault {}
