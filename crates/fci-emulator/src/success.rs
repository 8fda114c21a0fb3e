//! The share of the last hundred commands that came in time.

/// Commands that are looked at, as the interface says.
const WINDOW: u32 = 100;

/// One bit a cycle, the newest lowest.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SuccessRate {
    bits: u128,
    seen: u32,
}

impl SuccessRate {
    pub(crate) fn add(&mut self, came: bool) {
        self.bits = (self.bits << 1) | u128::from(came);
        self.seen = (self.seen + 1).min(WINDOW);
    }

    /// From 0 to 1; 1 before the first command.
    pub(crate) fn share(&self) -> f64 {
        if self.seen == 0 {
            return 1.0;
        }
        let looked_at = self.bits & ((1 << self.seen) - 1);
        f64::from(looked_at.count_ones()) / f64::from(self.seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_hundred_count() {
        let mut rate = SuccessRate::default();
        assert_eq!(rate.share(), 1.0);
        rate.add(false);
        assert_eq!(rate.share(), 0.0);
        for _ in 0..99 {
            rate.add(true);
        }
        assert_eq!(rate.share(), 0.99);
        rate.add(true);
        assert_eq!(rate.share(), 1.0);
    }
}
