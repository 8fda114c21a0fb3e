//! What the arm's thread hears and tells: rings of a fixed size, so that it neither waits for anybody nor
//! asks for memory.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam_queue::ArrayQueue;
use tiller_closed_loop::{ActuatorEffect, ActuatorEvent};

/// Events that may wait: the thread takes them every millisecond.
const EVENTS: usize = 256;

/// Effects that may wait: about ten seconds of an arm that is only told of.
const EFFECTS: usize = 1024;

/// Both rings, and what else the thread and the node share.
pub(crate) struct Rings {
    events: ArrayQueue<ActuatorEvent>,
    effects: ArrayQueue<ActuatorEffect>,
    lost: AtomicU64,
    is_ending: AtomicBool,
    is_stopped: AtomicBool,
}

impl Rings {
    /// Both empty; an arm that has not moved is stopped.
    pub(crate) fn new() -> Self {
        Self {
            events: ArrayQueue::new(EVENTS),
            effects: ArrayQueue::new(EFFECTS),
            lost: AtomicU64::new(0),
            is_ending: AtomicBool::new(false),
            is_stopped: AtomicBool::new(true),
        }
    }

    /// For the thread; false where it has not listened for long.
    pub(crate) fn send(&self, event: ActuatorEvent) -> bool {
        self.events.push(event).is_ok()
    }

    /// The next event.
    pub(crate) fn hear(&self) -> Option<ActuatorEvent> {
        self.events.pop()
    }

    /// From the thread; where nobody collects, it is lost, and counted.
    pub(crate) fn tell(&self, effect: ActuatorEffect) {
        if self.effects.push(effect).is_err() {
            self.lost.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// The next effect.
    pub(crate) fn collect(&self) -> Option<ActuatorEffect> {
        self.effects.pop()
    }

    /// Effects that were lost since the last call.
    pub(crate) fn take_lost(&self) -> u64 {
        self.lost.swap(0, Ordering::AcqRel)
    }

    /// The thread is to end, with the arm at rest.
    pub(crate) fn end(&self) {
        self.is_ending.store(true, Ordering::Release);
    }

    /// Whether it is.
    pub(crate) fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::Acquire)
    }

    /// Notes whether the arm stands still for good.
    pub(crate) fn note_stopped(&self, is_stopped: bool) {
        self.is_stopped.store(is_stopped, Ordering::Release);
    }

    /// Whether it does.
    pub(crate) fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_collects_is_lost_and_counted_once() {
        let rings = Rings::new();
        for _ in 0..EFFECTS + 3 {
            rings.tell(ActuatorEffect::Setpoint([0.0; 7], 0.0));
        }
        assert_eq!((rings.take_lost(), rings.take_lost()), (3, 0));
        assert_eq!(std::iter::from_fn(|| rings.collect()).count(), EFFECTS);
    }

    #[test]
    fn who_does_not_listen_is_known() {
        let rings = Rings::new();
        assert!((0..EVENTS).all(|_| rings.send(ActuatorEvent::Time)));
        assert!(!rings.send(ActuatorEvent::Time));
        assert!(rings.hear().is_some());
        assert!(rings.send(ActuatorEvent::Time));
    }
}
