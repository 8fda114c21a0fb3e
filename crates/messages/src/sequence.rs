//! Finding lost and repeated messages by their sequence numbers.

/// Watches the sequence numbers of one stream.
///
/// ```
/// use tiller_messages::{Arrival, SequenceCheck};
///
/// let mut check = SequenceCheck::default();
/// assert_eq!(check.observe(7, 1), Arrival::Next);
/// assert_eq!(check.observe(7, 4), Arrival::After { lost: 2 });
/// assert_eq!(check.observe(7, 4), Arrival::Repeated);
/// assert_eq!(check.lost(), 2);
/// assert_eq!(check.observe(9, 1), Arrival::Restarted);
/// assert_eq!(check.observe(7, 5), Arrival::Late { last: (9, 1) }, "of the session before");
/// ```
#[derive(Debug, Clone, Default)]
pub struct SequenceCheck {
    last: Option<(u64, u64)>,
    lost: u64,
}

/// How a message follows the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Nothing is missing.
    Next,
    /// Some messages before this one never came.
    After {
        /// How many.
        lost: u64,
    },
    /// The first that is seen of a sender that was started anew.
    Restarted,
    /// The same as the last one: latched messages are sent again and again.
    Repeated,
    /// Older than one seen before.
    Late {
        /// Session and number of the newest one.
        last: (u64, u64),
    },
}

impl SequenceCheck {
    /// Takes note of a message. The first one seen of a session may have any number: its receiver
    /// may have started late.
    pub fn observe(&mut self, session: u64, seq: u64) -> Arrival {
        let last = self.last;
        match last {
            Some(last) if (session, seq) == last => return Arrival::Repeated,
            Some(last) if (session, seq) < last => return Arrival::Late { last },
            _ => {}
        }
        self.last = Some((session, seq));
        match last {
            None => Arrival::Next,
            Some((last_session, _)) if session != last_session => Arrival::Restarted,
            Some((_, last)) if seq == last + 1 => Arrival::Next,
            Some((_, last)) => {
                let lost = seq - last - 1;
                self.lost += lost;
                Arrival::After { lost }
            }
        }
    }

    /// Messages that never came.
    pub fn lost(&self) -> u64 {
        self.lost
    }
}
