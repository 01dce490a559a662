//! The metrics of callbacks: outcomes and durations, by callback and kind. Their time series exist from the start, at
//! zero; each call then only updates atomics.

use std::time::Instant;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::{Registry, Unit};

use crate::auth::Callback;
use crate::metrics::Durations;

/// The families.
#[derive(Debug, Clone)]
pub struct CallbackMetrics {
    calls: Family<OutcomeLabels, Counter>,
    durations: Family<CallbackLabels, Durations>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallbackLabels {
    kind: &'static str,
    callback: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    #[prometheus(flatten)]
    callback: CallbackLabels,
    outcome: &'static str,
}

/// The outcome of one call of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// `sign_in` allows the sign-in.
    Allow,
    /// `sign_in` or `jwt` denies.
    Deny,
    /// `sign_in` redirects the person.
    Redirect,
    /// Any other answer.
    Ok,
    /// No answer: the callback failed or panicked.
    Failed,
    /// No answer in time: the deadline passed, or the caller disconnected.
    Cancelled,
}

impl Outcome {
    const ALL: [Self; 6] = [Self::Allow, Self::Deny, Self::Redirect, Self::Ok, Self::Failed, Self::Cancelled];

    const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Redirect => "redirect",
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    const fn is_of(self, callback: Callback) -> bool {
        match self {
            Self::Allow | Self::Redirect => matches!(callback, Callback::SignIn),
            Self::Deny => matches!(callback, Callback::SignIn | Callback::Jwt),
            Self::Ok => !matches!(callback, Callback::SignIn),
            Self::Failed | Self::Cancelled => true,
        }
    }
}

impl CallbackMetrics {
    /// Registers the metrics.
    pub fn register(registry: &mut Registry) -> Self {
        let this = Self { calls: Family::default(), durations: Family::default() };
        registry.register("gatepass_callback_calls", "Callback calls by outcome", this.calls.clone());
        let help = "Duration of callback calls";
        registry.register_with_unit("gatepass_callback", help, Unit::Seconds, this.durations.clone());
        this
    }

    /// Returns the time series of one callback.
    pub(super) fn lines(&self, kind: &'static str, callback: Callback) -> Lines {
        let labels = CallbackLabels { kind, callback: callback.name() };
        let told = Outcome::ALL.iter().filter(|outcome| outcome.is_of(callback));
        let calls = told.map(|outcome| {
            let labels = OutcomeLabels { callback: labels, outcome: outcome.name() };
            (*outcome, self.calls.get_or_create_owned(&labels))
        });
        Lines { calls: calls.collect(), durations: self.durations.get_or_create_owned(&labels) }
    }
}

/// The time series of one callback.
#[derive(Debug)]
pub(super) struct Lines {
    calls: Vec<(Outcome, Counter)>,
    durations: Durations,
}

impl Lines {
    /// Counts a call that begins now.
    pub(super) fn begin(&self) -> Running<'_> {
        Running { lines: self, began: Instant::now(), outcome: Outcome::Cancelled }
    }
}

/// A running call of a callback. It ends when this is dropped, and counts as cancelled if [`end`](Self::end) was not
/// called.
pub(super) struct Running<'a> {
    lines: &'a Lines,
    began: Instant,
    outcome: Outcome,
}

impl Running<'_> {
    /// Ends the call with this outcome.
    pub(super) fn end(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let outcome = if std::thread::panicking() { Outcome::Failed } else { self.outcome };
        for (_, count) in self.lines.calls.iter().filter(|(told, _)| *told == outcome) {
            count.inc();
        }
        self.lines.durations.observe(self.began.elapsed());
    }
}
