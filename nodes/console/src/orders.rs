//! Orders that wait for the actuator: when it has taken them, and when the arm rests.

use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use serde_json::json;
use tiller_messages::{ExecutionMode, ExecutionState, SafetyEvent};

use crate::request::Kind;

/// How long an order is waited for, and after it the arm's rest.
const LIMIT: Duration = Duration::from_secs(10);

/// Safety events that say why an order was not obeyed.
const REFUSALS: [&str; 2] = ["not_armed", "not_resumed"];

/// An execution state older than this says nothing of now.
const FRESH: Duration = Duration::from_secs(1);

/// An order on its way.
struct Pending {
    id: u64,
    kind: Kind,
    sent: Instant,
    is_taken: bool,
    /// Why it was not obeyed.
    refusal: Option<String>,
    answer: Sender<String>,
}

/// All of them, and what the actuator said last.
#[derive(Default)]
pub(crate) struct Orders {
    pending: Vec<Pending>,
    last: Option<(ExecutionMode, Instant)>,
}

impl Orders {
    /// An order was sent under this number.
    pub(crate) fn sent(&mut self, id: u64, kind: Kind, now: Instant, answer: Sender<String>) {
        self.pending.push(Pending {
            id,
            kind,
            sent: now,
            is_taken: false,
            refusal: None,
            answer,
        });
    }

    /// The actuator refuses something.
    pub(crate) fn hear(&mut self, event: &SafetyEvent) {
        if !REFUSALS.contains(&event.kind.as_str()) {
            return;
        }
        for order in self.pending.iter_mut().filter(|order| !order.is_taken) {
            order.refusal = Some(event.text.clone());
        }
    }

    /// What the actuator is doing: orders that it has taken are answered, and stops once more when
    /// the arm rests.
    pub(crate) fn see(&mut self, state: &ExecutionState, now: Instant) {
        self.last = Some((state.mode, now));
        self.pending
            .retain_mut(|order| order.see(state, now) && now.duration_since(order.sent) < LIMIT);
    }

    /// What the actuator is doing, as a line of JSON.
    pub(crate) fn look(&self, now: Instant) -> String {
        let fresh = self
            .last
            .filter(|(_, seen)| now.duration_since(*seen) < FRESH);
        match fresh {
            Some((mode, _)) => json!({ "mode": mode.as_str() }),
            None => json!({ "error": "the actuator says nothing: expected its execution state" }),
        }
        .to_string()
    }
}

impl Pending {
    /// Whether there is more to come.
    fn see(&mut self, state: &ExecutionState, now: Instant) -> bool {
        if state.order < self.id {
            return true;
        }
        let ms = now.duration_since(self.sent).as_secs_f64() * 1e3;
        let mode = state.mode.as_str();
        if !self.is_taken {
            self.is_taken = true;
            let line = match self.refusal.take() {
                None => json!({ "order": self.id, "taken_ms": ms, "mode": mode }),
                Some(reason) => {
                    json!({ "order": self.id, "taken_ms": ms, "mode": mode, "refused": reason })
                }
            };
            if self.answer.send(line.to_string()).is_err() || self.kind != Kind::Stop {
                return false;
            }
        }
        // Only a stop is waited for to its end.
        let rests = matches!(
            state.mode,
            ExecutionMode::Stopped | ExecutionMode::Idle | ExecutionMode::Fault
        );
        if rests {
            let line = json!({ "order": self.id, "rest_ms": ms, "mode": mode });
            let _ = self.answer.send(line.to_string());
        }
        !rests
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};

    use serde_json::Value;

    use super::*;

    fn ordered(kind: Kind) -> (Orders, Receiver<String>, Instant) {
        let (sender, receiver) = channel();
        let (mut orders, now) = (Orders::default(), Instant::now());
        orders.sent(7, kind, now, sender);
        (orders, receiver, now)
    }

    fn state(order: u64, mode: ExecutionMode) -> ExecutionState {
        ExecutionState {
            order,
            mode,
            ..Default::default()
        }
    }

    fn line(receiver: &Receiver<String>) -> Value {
        serde_json::from_str(&receiver.try_recv().unwrap()).unwrap()
    }

    #[test]
    fn a_stop_is_answered_when_it_is_taken_and_when_the_arm_rests() {
        let (mut orders, answer, now) = ordered(Kind::Stop);
        let after = |ms| now + Duration::from_millis(ms);
        orders.see(&state(6, ExecutionMode::Executing), after(5));
        assert!(answer.try_recv().is_err());
        orders.see(&state(7, ExecutionMode::Stopping), after(9));
        let taken = line(&answer);
        assert_eq!(taken["mode"], "stopping");
        assert!((taken["taken_ms"].as_f64().unwrap() - 9.0).abs() < 1e-6);
        orders.see(&state(7, ExecutionMode::Stopping), after(200));
        orders.see(&state(7, ExecutionMode::Stopped), after(300));
        assert!((line(&answer)["rest_ms"].as_f64().unwrap() - 300.0).abs() < 1e-6);
        orders.see(&state(7, ExecutionMode::Stopped), after(320));
        assert!(answer.recv().is_err(), "nothing more comes");
    }

    #[test]
    fn why_an_order_is_not_obeyed_is_told() {
        let (mut orders, answer, now) = ordered(Kind::Arm);
        let event = |kind: &str| SafetyEvent {
            kind: kind.to_owned(),
            text: format!("{kind}, for a reason"),
            ..Default::default()
        };
        orders.hear(&event("stale"));
        orders.hear(&event("not_armed"));
        orders.see(&state(7, ExecutionMode::Stopped), now);
        let taken = line(&answer);
        assert_eq!(taken["refused"], "not_armed, for a reason");
        assert!(answer.recv().is_err(), "nothing more comes");
    }

    #[test]
    fn an_old_state_says_nothing_of_now() {
        let (mut orders, _answer, now) = ordered(Kind::Arm);
        assert!(orders.look(now).contains("error"));
        orders.see(&state(0, ExecutionMode::Ready), now);
        assert_eq!(orders.look(now), r#"{"mode":"ready"}"#);
        assert!(orders.look(now + 2 * FRESH).contains("error"));
    }
}
