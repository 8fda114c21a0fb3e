//! A moving average that never drifts.

use crate::space::Numbers;

/// Moving average over a fixed window, summed anew each time round.
#[derive(Debug, Clone)]
pub(crate) struct Average<const N: usize> {
    samples: [Numbers; N],
    next: usize,
    sum: Numbers,
    /// The sample that left the window last.
    left: Numbers,
}

impl<const N: usize> Average<N> {
    pub(crate) fn new(at: Numbers) -> Self {
        Self {
            samples: [at; N],
            next: 0,
            sum: at * N as f64,
            left: at,
        }
    }

    /// The sample that left the window last, and the one that leaves it next.
    pub(crate) fn oldest(&self) -> (&Numbers, &Numbers) {
        (&self.left, &self.samples[self.next])
    }

    pub(crate) fn push(&mut self, sample: Numbers) -> Numbers {
        self.left = self.samples[self.next];
        self.sum += sample - self.left;
        self.samples[self.next] = sample;
        self.next += 1;
        if self.next == N {
            self.next = 0;
            self.sum = self.samples.iter().sum();
        }
        self.sum / N as f64
    }
}
