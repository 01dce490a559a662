//! The printed table of results.

use crate::measured::Round;
use crate::session_load::Shape;

/// The measurements of Gatepass and of the bare server, round by round.
#[derive(Default)]
pub struct Rounds(Vec<[Round; 2]>);

impl Rounds {
    pub fn push(&mut self, pair: [Round; 2]) {
        self.0.push(pair);
    }

    /// The client's share of a call, for either server.
    pub fn client(&self) -> f64 {
        self.middle(|[gatepass, bare]| f64::midpoint(gatepass.client, bare.client))
    }

    fn middle(&self, pick: impl Fn(&[Round; 2]) -> f64) -> f64 {
        self.at(2, pick)
    }

    /// Returns the value below which this many quarters of the rounds lie.
    fn at(&self, quarters: usize, pick: impl Fn(&[Round; 2]) -> f64) -> f64 {
        let mut values: Vec<f64> = self.0.iter().map(pick).collect();
        values.sort_by(f64::total_cmp);
        values[(values.len() - 1) * quarters / 4]
    }
}

pub fn head() {
    println!("GetSession: processor time of the server a call, bare tonic by Gatepass");
    println!(
        "{:20} {:>8}  {:>5}  {:13}  {:>8}  {:>8}  {:>8}  {:>9}",
        "", "", "ratio", "quartiles", "Gatepass", "bare", "client", "busy"
    );
}

pub fn row(case: &str, Shape { connections, streams }: Shape, rounds: &Rounds) {
    let ratio = |[gatepass, bare]: &[Round; 2]| bare.server / gatepass.server;
    let micros = |pick: fn(&[Round; 2]) -> f64| format!("{:.2} us", rounds.middle(pick) / 1000.0);
    println!(
        "{case:20} {:>8}  {:>5.3}  {:.3} - {:.3}  {:>8}  {:>8}  {:>8}  {:>3.0}%, {:>3.0}%",
        format!("{connections} x {streams}"),
        rounds.middle(ratio),
        rounds.at(1, ratio),
        rounds.at(3, ratio),
        micros(|[gatepass, _]| gatepass.server),
        micros(|[_, bare]| bare.server),
        format!("{:.2} us", rounds.client() / 1000.0),
        100.0 * rounds.middle(|[gatepass, _]| gatepass.busy),
        100.0 * rounds.middle(|[_, bare]| bare.busy),
    );
}
