//! The table that a person reads.

use crate::measured::Spent;
use crate::session_load::Shape;

/// The cost of the same calls to Gatepass and to the bare server, round by round.
pub struct Rounds {
    pub calls: u32,
    pub spent: Vec<[Spent; 2]>,
}

impl Rounds {
    /// The client's part of a call, of whichever server, in microseconds.
    pub fn client(&self) -> f64 {
        self.a_call(|[gatepass, bare]| u64::midpoint(gatepass.client, bare.client))
    }

    fn a_call(&self, pick: impl Fn(&[Spent; 2]) -> u64) -> f64 {
        self.at(2, |pair| ratio(pick(pair), 1000) / f64::from(self.calls))
    }

    /// The value that so many quarters of all are below.
    fn at(&self, quarters: usize, pick: impl Fn(&[Spent; 2]) -> f64) -> f64 {
        let mut values: Vec<f64> = self.spent.iter().map(pick).collect();
        values.sort_by(f64::total_cmp);
        values[(values.len() - 1) * quarters / 4]
    }
}

#[expect(clippy::cast_precision_loss, reason = "less than an hour")]
fn ratio(a: u64, b: u64) -> f64 {
    a as f64 / b as f64
}

pub fn head() {
    println!(
        "GetSession: processor time of the server a call, in microseconds; ratio: the bare server's by Gatepass'"
    );
    let [ratio, quartiles, gatepass, bare, client, busy] =
        ["ratio", "quartiles", "Gatepass", "bare", "client", "busy"];
    println!("{:28}  {ratio:>5}  {quartiles:13}  {gatepass:>8}  {bare:>8}  {client:>6}  {busy:>10}", "");
}

pub fn row(case: &str, Shape { connections, streams }: Shape, rounds: &Rounds) {
    let faster = |[gatepass, bare]: &[Spent; 2]| ratio(bare.server, gatepass.server);
    let busy = |which: usize| 100.0 * rounds.at(2, |pair| ratio(pair[which].server, pair[which].could));
    println!(
        "{case:20}{:>8}  {:>5.3}  {:.3} - {:.3}  {:>8.2}  {:>8.2}  {:>6.2}  {:>3.0}%, {:>3.0}%",
        format!("{connections} x {streams}"),
        rounds.at(2, faster),
        rounds.at(1, faster),
        rounds.at(3, faster),
        rounds.a_call(|[gatepass, _]| gatepass.server),
        rounds.a_call(|[_, bare]| bare.server),
        rounds.client(),
        busy(0),
        busy(1),
    );
}
