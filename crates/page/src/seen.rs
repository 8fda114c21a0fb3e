//! When each input was seen last, and how often it comes.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

/// Share of a new interval in the mean.
const SHARE: f64 = 0.1;

/// Arrivals by input.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    inputs: BTreeMap<String, Arrivals>,
}

#[derive(Debug)]
struct Arrivals {
    last: Duration,
    /// Mean time between two, s.
    between_s: Option<f64>,
    /// How far what came is behind the arm's clock, ms.
    lag_ms: Option<f64>,
}

impl Seen {
    /// Something came; `lag_ms` says how old it was by the arm's clock.
    pub(crate) fn mark(&mut self, input: &str, now: Duration, lag_ms: Option<f64>) {
        let Some(known) = self.inputs.get_mut(input) else {
            let first = Arrivals {
                last: now,
                between_s: None,
                lag_ms,
            };
            self.inputs.insert(input.to_owned(), first);
            return;
        };
        let interval_s = now.saturating_sub(known.last).as_secs_f64();
        known.between_s = Some(match known.between_s {
            Some(mean) => mean + SHARE * (interval_s - mean),
            None => interval_s,
        });
        known.last = now;
        known.lag_ms = lag_ms.or(known.lag_ms);
    }

    /// `{INPUT: {age_ms, rate_hz, lag_ms}}`.
    pub(crate) fn json(&self, now: Duration) -> Value {
        let rows = self.inputs.iter().map(|(input, arrivals)| {
            let age_ms = now.saturating_sub(arrivals.last).as_millis();
            let rate_hz = arrivals
                .between_s
                .filter(|between| *between > 0.0)
                .map(|between| (10.0 / between).round() / 10.0);
            let lag_ms = arrivals.lag_ms.map(f64::round);
            let row = json!({ "age_ms": age_ms as u64, "rate_hz": rate_hz, "lag_ms": lag_ms });
            (input.clone(), row)
        });
        Value::Object(rows.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_rates_and_lags_are_told_by_input() {
        let mut seen = Seen::default();
        let at = Duration::from_millis;
        seen.mark("image", at(0), None);
        for n in 1..=100 {
            seen.mark("image", at(50 * n), Some(30.0));
        }
        let json = seen.json(at(5200));
        assert_eq!(json["image"]["age_ms"], 200);
        assert_eq!(json["image"]["rate_hz"], 20.0);
        assert_eq!(json["image"]["lag_ms"], 30.0);
    }
}
