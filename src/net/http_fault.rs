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
            Self::Address => f.write_str("unsupported URL"),
            Self::TimedOut => f.write_str("no response in time"),
            Self::Unreachable(cause) => f.write_str(cause),
            Self::TooLarge => f.write_str("response too large"),
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
            Self::TimedOut => "no response in time",
            Self::GivenUp => "request cancelled",
            Self::Throttled => "fetched too recently",
        })
    }
}

impl std::error::Error for FetchFault {}
