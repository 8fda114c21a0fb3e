//! What becomes of the arm when a watchdog misses something.

use tiller_messages::SafetyEvent;
use tiller_motion::{Actuator as Motion, Mode};

use super::{Actuator, ActuatorEffect, rest};
use crate::notice::Notice;
use crate::watchdog::{Alarm, Reaction, Source};

impl Actuator {
    /// A source was heard.
    pub(super) fn on_heard(&mut self, source: Source, effects: &mut Vec<ActuatorEffect>) {
        if self.watchdog.hear(source, self.now_ns) {
            self.tell_back(source, effects);
        }
    }

    /// The arm's time is known to be this. Before its first state it is 0, and what was heard then says
    /// nothing of when.
    pub(super) fn set_clock(&mut self, now_ns: u64) {
        if self.now_ns == 0 {
            self.watchdog.begin(now_ns);
        }
        self.now_ns = now_ns;
    }

    /// A round of the control loop took so long.
    pub(super) fn on_late(&mut self, took_ns: u64, effects: &mut Vec<ActuatorEffect>) {
        if let Some(alarm) = self.watchdog.round_took(took_ns, self.now_ns) {
            self.react(alarm, effects);
        }
    }

    /// Looks whether anything is missing.
    pub(super) fn watch(&mut self, effects: &mut Vec<ActuatorEffect>) {
        let is_moving = |motion: &Motion| motion.mode() == Mode::Executing;
        if self.motion.as_ref().is_some_and(is_moving) {
            // The next chunk is missed from when this one is over.
            self.watchdog.excuse(Source::Chunk, self.now_ns);
        }
        if self.watchdog.is_loop_back(self.now_ns) {
            self.tell_back(Source::Loop, effects);
        }
        while let Some(alarm) = self.watchdog.check(self.now_ns) {
            self.react(alarm, effects);
        }
    }

    fn react(&mut self, alarm: Alarm, effects: &mut Vec<ActuatorEffect>) {
        let Alarm {
            source,
            reaction,
            silent_ns,
            limit_ns,
        } = alarm;
        let (name, silent_ms, limit_ms) = (
            self.watchdog.name(source),
            silent_ns / 1_000_000,
            limit_ns / 1_000_000,
        );
        let what = match source {
            Source::Loop => format!(
                "the control loop took {silent_ms} ms for a round, expected at most {limit_ms} ms"
            ),
            _ => format!(
                "nothing of `{name}` for {silent_ms} ms, expected some within {limit_ms} ms"
            ),
        };
        let then = match reaction {
            Reaction::Stop => "the arm is stopped",
            _ => "the arm is held until that is over",
        };
        let quantity = match source {
            Source::Loop => "round_ms",
            _ => "silent_ms",
        };
        effects.push(ActuatorEffect::Safety(SafetyEvent {
            stamp_ns: self.now_ns,
            kind: source.kind().to_owned(),
            quantity: Some(quantity.to_owned()),
            limit: Some(limit_ms as f64),
            value: Some(silent_ms as f64),
            text: format!("{what}: {then}"),
            ..Default::default()
        }));
        // Who waits for a chunk rests already.
        if !self.permission.is_armed() || (source, reaction) == (Source::Chunk, Reaction::Hold) {
            return;
        }
        if reaction == Reaction::Stop {
            self.on_stop(what);
        } else if let Some(motion) = &mut self.motion {
            // A refusal is among the motion's events; the chunk under way then goes to its end.
            let _ = rest(motion, self.now_ns);
            motion.forget_sequence();
            self.chunk_session = 0;
            self.is_due = true;
        }
    }

    fn tell_back(&mut self, source: Source, effects: &mut Vec<ActuatorEffect>) {
        self.is_due = true;
        let name = self.watchdog.name(source);
        let text = match self.watchdog.missing(Reaction::Hold) {
            None => format!("`{name}` is back"),
            Some(other) => {
                let other = self.watchdog.name(other);
                format!("`{name}` is back; the arm is held for want of `{other}`")
            }
        };
        effects.push(ActuatorEffect::Tell(Notice::info("watchdog_over", text)));
    }

    /// What is missing without which nobody may allow motion again.
    pub(super) fn lacks(&self) -> Option<&str> {
        let source = self.watchdog.missing(Reaction::Stop)?;
        Some(self.watchdog.name(source))
    }

    /// Why chunks are not executed now.
    fn held_for(&self) -> Option<&str> {
        let source = self.watchdog.missing(Reaction::Hold)?;
        Some(self.watchdog.name(source))
    }

    /// The same in words.
    pub(super) fn held(&self) -> Option<String> {
        let name = self.held_for()?;
        Some(format!(
            "expected `{name}` to be there, found the arm held for want of it"
        ))
    }

    /// Whether a watchdog holds the arm.
    pub(super) fn is_held(&self) -> bool {
        self.held_for().is_some()
    }
}
