//! News of recorded outcomes, so that a call that waits on the same replica continues at once.

use tokio::sync::broadcast;
use tokio::time::{Instant, timeout_at};

/// The number of unread news. A call that misses some looks at the database.
const UNREAD: usize = 256;

/// News of recorded outcomes on this replica.
#[derive(Clone)]
pub struct OutcomeNews(broadcast::Sender<[u8; 32]>);

/// Waits for the outcome of one flow.
pub(super) struct Listener {
    flow: [u8; 32],
    news: broadcast::Receiver<[u8; 32]>,
}

impl Default for OutcomeNews {
    fn default() -> Self {
        Self(broadcast::channel(UNREAD).0)
    }
}

impl OutcomeNews {
    /// Tells waiting calls that the outcome of a flow was recorded.
    pub(super) fn tell(&self, flow: [u8; 32]) {
        // Usually no call waits.
        let _ = self.0.send(flow);
    }

    pub(super) fn listen(&self, flow: [u8; 32]) -> Listener {
        Listener { flow, news: self.0.subscribe() }
    }
}

impl Listener {
    /// Waits until there may be news of the flow, at most until this time.
    pub(super) async fn wait(&mut self, until: Instant) {
        let news = async { while matches!(self.news.recv().await, Ok(flow) if flow != self.flow) {} };
        // The caller looks again in either case.
        let _ = timeout_at(until, news).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LONG: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn a_call_is_woken_by_the_news_of_its_own_flow() {
        let news = OutcomeNews::default();
        let (mut mine, mut other) = (news.listen([1; 32]), news.listen([2; 32]));
        news.tell([1; 32]);
        let begin = Instant::now();
        mine.wait(begin + LONG).await;
        assert_eq!(begin.elapsed(), Duration::ZERO);
        other.wait(begin + LONG).await;
        assert_eq!(begin.elapsed(), LONG);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_missed_news_looks_again() {
        let news = OutcomeNews::default();
        let mut mine = news.listen([1; 32]);
        for _ in 0..=UNREAD {
            news.tell([2; 32]);
        }
        let begin = Instant::now();
        mine.wait(begin + LONG).await;
        assert_eq!(begin.elapsed(), Duration::ZERO);
    }
}
