//! Hysteresis: a threshold that noise cannot make chatter.

/// A change of a [`SchmittTrigger`]'s state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crossing {
    /// The value reached the upper threshold while low.
    Up,
    /// The value fell to the lower threshold while high.
    Down,
}

/// A two-threshold switch: goes high at or above `upper`, low at or below `lower`, and keeps its
/// state in between.
///
/// ```
/// use tiller_stages::{Crossing, SchmittTrigger};
/// let mut trigger = SchmittTrigger::new(0.6, 0.8);
/// assert_eq!(trigger.update(0.82), Some(Crossing::Up));
/// assert_eq!(trigger.update(0.70), None);
/// assert_eq!(trigger.update(0.59), Some(Crossing::Down));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SchmittTrigger {
    lower: f64,
    upper: f64,
    high: bool,
}

impl SchmittTrigger {
    /// A trigger in the low state; `lower` should be below `upper`.
    pub fn new(lower: f64, upper: f64) -> Self {
        Self {
            lower,
            upper,
            high: false,
        }
    }

    /// Feeds a value; NaN changes nothing.
    pub fn update(&mut self, value: f64) -> Option<Crossing> {
        if !self.high && value >= self.upper {
            self.high = true;
            Some(Crossing::Up)
        } else if self.high && value <= self.lower {
            self.high = false;
            Some(Crossing::Down)
        } else {
            None
        }
    }

    /// Whether the state is high.
    pub fn is_high(&self) -> bool {
        self.high
    }

    /// Back to the low state.
    pub fn reset(&mut self) {
        self.high = false;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn not_a_number_changes_nothing() {
        let mut trigger = SchmittTrigger::new(0.6, 0.8);
        assert_eq!(trigger.update(f64::NAN), None);
        trigger.update(0.9);
        assert_eq!(trigger.update(f64::NAN), None);
        assert!(trigger.is_high());
    }

    proptest! {
        /// Noise smaller than the band can flip the state at most once.
        #[test]
        fn noise_inside_the_band_never_chatters(
            centre in -0.2f64..1.2,
            noise in prop::collection::vec(-0.0999f64..0.0999, 1..200),
        ) {
            let mut trigger = SchmittTrigger::new(0.6, 0.8);
            let flips = noise.iter().filter(|n| trigger.update(centre + *n).is_some()).count();
            prop_assert!(flips <= 1, "{flips} flips around {centre}");
        }
    }
}
