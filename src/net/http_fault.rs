//! The faults of asking a server.

use std::fmt;

/// The fault of one exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpFault {
    /// There is no request to this address.
    Address,
    /// No answer in time.
    TimedOut,
    /// No connection, or one that broke. In words, which tell nothing that was sent or received.
    Unreachable(String),
    /// An answer larger than is read.
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

/// The fault of waiting for a fetch, apart from those of the fetch itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchFault {
    /// It did not end in time.
    TimedOut,
    /// It ended without a word.
    GivenUp,
}

impl fmt::Display for FetchFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "no answer in time",
            Self::GivenUp => "a fetch was given up",
        })
    }
}

impl std::error::Error for FetchFault {}
