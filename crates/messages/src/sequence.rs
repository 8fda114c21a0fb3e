//! Finding lost and repeated messages by their sequence numbers.

/// Watches the sequence numbers of one stream.
///
/// ```
/// use tiller_messages::{Arrival, SequenceCheck};
///
/// let mut check = SequenceCheck::default();
/// assert_eq!(check.observe(1), Arrival::Next);
/// assert_eq!(check.observe(4), Arrival::After { lost: 2 });
/// assert_eq!(check.observe(4), Arrival::Repeated);
/// assert_eq!(check.lost(), 2);
/// ```
#[derive(Debug, Clone, Default)]
pub struct SequenceCheck {
    last: Option<u64>,
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
    /// Not newer than one seen before.
    Repeated,
}

impl SequenceCheck {
    /// Takes note of a message. The first one seen may have any number: its receiver may have
    /// started late.
    pub fn observe(&mut self, seq: u64) -> Arrival {
        let Some(last) = self.last else {
            self.last = Some(seq);
            return Arrival::Next;
        };
        if seq <= last {
            return Arrival::Repeated;
        }
        self.last = Some(seq);
        let lost = seq - last - 1;
        self.lost += lost;
        if lost == 0 {
            Arrival::Next
        } else {
            Arrival::After { lost }
        }
    }

    /// Messages that never came.
    pub fn lost(&self) -> u64 {
        self.lost
    }
}
