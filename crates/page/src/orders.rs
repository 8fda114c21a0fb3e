//! Orders on their way, as the page shows them: unacknowledged until the actuator says so.

use std::time::Duration;

use serde_json::{Value, json};
use tiller_messages::{ExecutionMode, ExecutionState};

use crate::OrderKind;

/// Orders that are shown.
const MOST: usize = 8;

/// After how long without a word an order counts as unacknowledged.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_millis(100);

/// The newest orders.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    known: Vec<Order>,
}

#[derive(Debug)]
struct Order {
    id: u64,
    kind: OrderKind,
    sent: Duration,
    taken: Option<Duration>,
    rested: Option<Duration>,
}

impl Orders {
    pub(crate) fn sent(&mut self, id: u64, kind: OrderKind, now: Duration) {
        if self.known.len() >= MOST {
            self.known.remove(0);
        }
        self.known.push(Order {
            id,
            kind,
            sent: now,
            taken: None,
            rested: None,
        });
    }

    /// What the actuator has taken, and whether it rests.
    pub(crate) fn see(&mut self, state: &ExecutionState, now: Duration) {
        let rests = matches!(
            state.mode,
            ExecutionMode::Stopped
                | ExecutionMode::Paused
                | ExecutionMode::Idle
                | ExecutionMode::Fault
        );
        for order in self
            .known
            .iter_mut()
            .filter(|order| order.id <= state.order)
        {
            order.taken.get_or_insert(now);
            if rests && matches!(order.kind, OrderKind::Stop | OrderKind::Pause) {
                order.rested.get_or_insert(now);
            }
        }
    }

    /// Newest last: `{id, order, taken_ms, rest_ms, unacknowledged}`.
    pub(crate) fn json(&self, now: Duration) -> Value {
        let row = |order: &Order| {
            let after = |at: Duration| at.saturating_sub(order.sent).as_secs_f64() * 1e3;
            let is_late =
                order.taken.is_none() && now.saturating_sub(order.sent) > ACKNOWLEDGED_WITHIN;
            json!({
                "id": order.id.to_string(),
                "order": order.kind.as_str(),
                "taken_ms": order.taken.map(after),
                "rest_ms": order.rested.map(after),
                "unacknowledged": is_late,
            })
        };
        self.known.iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_unacknowledged_after_100_ms_until_the_actuator_has_it() {
        let at = Duration::from_millis;
        let mut orders = Orders::default();
        orders.sent(7, OrderKind::Stop, at(1000));
        assert_eq!(orders.json(at(1090))[0]["unacknowledged"], false);
        assert_eq!(orders.json(at(1110))[0]["unacknowledged"], true);
        let state = |order, mode| ExecutionState {
            order,
            mode,
            ..Default::default()
        };
        orders.see(&state(6, ExecutionMode::Executing), at(1120));
        assert_eq!(orders.json(at(1120))[0]["unacknowledged"], true);
        orders.see(&state(7, ExecutionMode::Stopping), at(1130));
        orders.see(&state(7, ExecutionMode::Stopped), at(1430));
        orders.see(&state(7, ExecutionMode::Stopped), at(1530));
        let json = orders.json(at(9000));
        assert_eq!(json[0]["unacknowledged"], false);
        assert_eq!(
            (&json[0]["taken_ms"], &json[0]["rest_ms"]),
            (&json!(130.0), &json!(430.0))
        );
        orders.sent(8, OrderKind::Pause, at(9000));
        orders.see(&state(8, ExecutionMode::Stopping), at(9010));
        orders.see(&state(8, ExecutionMode::Paused), at(9150));
        assert_eq!(orders.json(at(9200))[1]["rest_ms"], 150.0);
    }
}
