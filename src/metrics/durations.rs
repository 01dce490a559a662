//! A histogram of durations in seconds. An observation costs two atomic additions. The histogram of prometheus-client
//! takes a lock, for which all calls of a server would contend.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// The upper bounds of the buckets. Reading a session takes some hundred microseconds; a callback may take seconds.
const BOUNDS: [Duration; 16] = [
    Duration::from_micros(100),
    Duration::from_micros(250),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_micros(2500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_millis(2500),
    Duration::from_secs(5),
    Duration::from_secs(10),
];

/// A histogram of durations; clones share their counts.
#[derive(Debug, Clone, Default)]
pub struct Durations(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// One bucket for each bound, and one for longer durations.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    nanos: AtomicU64,
}

impl Durations {
    /// Records a duration.
    pub fn observe(&self, took: Duration) {
        let bucket = BOUNDS.partition_point(|bound| *bound < took);
        self.0.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.0.nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

impl TypedMetric for Durations {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Durations {
    fn encode(&self, mut encoder: MetricEncoder) -> fmt::Result {
        let bounds = BOUNDS.iter().map(Duration::as_secs_f64).chain([f64::INFINITY]);
        let counts = self.0.buckets.iter().map(|count| count.load(Ordering::Relaxed));
        let buckets: Vec<_> = bounds.zip(counts).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = Duration::from_nanos(self.0.nanos.load(Ordering::Relaxed)).as_secs_f64();
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::prometheus_text;
    use prometheus_client::registry::Registry;

    use super::*;

    #[test]
    fn a_duration_is_counted_in_every_bucket_that_holds_it() {
        let mut registry = Registry::default();
        let durations = Durations::default();
        registry.register("took", "How long", durations.clone());
        for micros in [0, 100, 101, 2_500_000, 10_000_000, 10_000_001] {
            durations.observe(Duration::from_micros(micros));
        }
        let mut text = String::new();
        prometheus_text::encode(&mut text, &registry).unwrap();
        let wanted = [
            ("0.0001", 2),
            ("0.00025", 3),
            ("0.0005", 3),
            ("0.001", 3),
            ("0.0025", 3),
            ("0.005", 3),
            ("0.01", 3),
            ("0.025", 3),
            ("0.05", 3),
            ("0.1", 3),
            ("0.25", 3),
            ("0.5", 3),
            ("1", 3),
            ("2.5", 4),
            ("5", 4),
            ("10", 5),
            ("+Inf", 6),
        ];
        let buckets =
            wanted.map(|(bound, count)| format!("took_bucket{{le=\"{bound}\"}} {count}\n")).concat();
        let whole = format!(
            "# HELP took How long.\n# TYPE took histogram\n{buckets}took_sum 22.500202\ntook_count 6\n"
        );
        assert_eq!(text, whole);
    }
}
