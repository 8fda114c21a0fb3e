//! Waits for dora's events in the node's own thread: dora's wait with a time limit wakes another thread twice for each event.

use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use dora_node_api::EventStream;

use crate::inbox::Received;

/// Wakes a node that waits at its inbox, from any thread: it then gets [`Next::Idle`](crate::Next::Idle) at once.
#[derive(Debug, Clone, Default)]
pub struct Bell(Arc<Sleeper>);

#[derive(Debug, Default)]
struct Sleeper {
    heard: Mutex<Heard>,
    something: Condvar,
}

#[derive(Debug, Default)]
struct Heard {
    /// The stream may have something.
    is_woken: bool,
    /// Somebody rang.
    is_rung: bool,
}

impl Sleeper {
    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.heard().is_woken = true;
        self.something.notify_one();
    }
}

impl Bell {
    /// Wakes the node; who rings while it is at work has it go through its inbox without waiting.
    pub fn ring(&self) {
        self.0.heard().is_rung = true;
        self.0.something.notify_one();
    }

    /// The stream's next event, unless the deadline passes or somebody rings before. What has come goes first.
    pub(crate) fn receive(&self, stream: &mut EventStream, deadline: Option<Instant>) -> Received {
        let waker = Waker::from(Arc::clone(&self.0));
        let mut context = Context::from_waker(&waker);
        let mut next = pin!(stream.recv_async());
        loop {
            if let Poll::Ready(event) = next.as_mut().poll(&mut context) {
                return event.map_or(Received::Closed, Received::Event);
            }
            if !self.is_woken_before(deadline) {
                return Received::Nothing;
            }
        }
    }

    /// Whether the stream may have something, or only time has passed or somebody rung.
    fn is_woken_before(&self, deadline: Option<Instant>) -> bool {
        let mut heard = self.0.heard();
        loop {
            if std::mem::take(&mut heard.is_woken) {
                return true;
            }
            if std::mem::take(&mut heard.is_rung) {
                return false;
            }
            let something = &self.0.something;
            heard = match deadline {
                None => something
                    .wait(heard)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return false;
                    }
                    let waited = something.wait_timeout(heard, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;

    const LONG: Duration = Duration::from_secs(300);

    #[test]
    fn who_waits_is_woken_by_the_stream_and_by_a_ring() {
        for rings in [true, false] {
            let bell = Bell::default();
            let from = bell.clone();
            let begin = Instant::now();
            let other = thread::spawn(move || match rings {
                true => from.ring(),
                false => Waker::from(from.0).wake(),
            });
            assert_eq!(bell.is_woken_before(Some(begin + LONG)), !rings);
            assert!(begin.elapsed() < LONG);
            other.join().unwrap();
        }
    }

    #[test]
    fn a_word_in_advance_is_heard_once() {
        let bell = Bell::default();
        bell.ring();
        bell.ring();
        Waker::from(Arc::clone(&bell.0)).wake();
        let soon = || Some(Instant::now() + Duration::from_millis(1));
        assert!(bell.is_woken_before(None));
        assert!(!bell.is_woken_before(None));
        // Nobody has said anything since: only the time passes.
        assert!(!bell.is_woken_before(soon()));
        assert!(!bell.is_woken_before(Some(Instant::now())));
    }
}
