//! The box that the tool centre point works in.

use serde::{Deserialize, Serialize};

/// An axis-aligned box in the robot base frame, m.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WorkspaceBox {
    /// Lower corner, m.
    pub min_m: [f64; 3],
    /// Upper corner, m.
    pub max_m: [f64; 3],
}

impl WorkspaceBox {
    /// Whether a position is inside, edges included.
    #[must_use]
    pub fn contains(&self, position_m: [f64; 3]) -> bool {
        (0..3).all(|axis| (self.min_m[axis]..=self.max_m[axis]).contains(&position_m[axis]))
    }

    /// The nearest position inside, of a sound box.
    ///
    /// # Panics
    /// When an edge is not a number or the corners are swapped.
    #[must_use]
    pub fn clamp(&self, position_m: [f64; 3]) -> [f64; 3] {
        std::array::from_fn(|axis| position_m[axis].clamp(self.min_m[axis], self.max_m[axis]))
    }

    /// Whether every edge is finite and has a length.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        (0..3).all(|axis| {
            let (min, max) = (self.min_m[axis], self.max_m[axis]);
            min.is_finite() && max.is_finite() && min < max
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TABLE: WorkspaceBox = WorkspaceBox {
        min_m: [0.2, -0.4, 0.0],
        max_m: [0.7, 0.4, 0.5],
    };

    proptest! {
        #[test]
        fn what_is_inside_stays_and_what_is_outside_comes_to_the_edge(
            position in prop::array::uniform3(-1.0..1.0f64),
        ) {
            let clamped = TABLE.clamp(position);
            prop_assert!(TABLE.contains(clamped));
            prop_assert_eq!(clamped == position, TABLE.contains(position));
            prop_assert_eq!(TABLE.clamp(clamped), clamped);
            // No corner is nearer.
            let distance = |a: [f64; 3]| (0..3).map(|i| (a[i] - position[i]).powi(2)).sum::<f64>();
            prop_assert!(distance(clamped) <= distance(TABLE.min_m).min(distance(TABLE.max_m)));
        }
    }

    #[test]
    fn edges_are_inside_and_what_is_no_number_is_not() {
        assert!(TABLE.contains(TABLE.min_m) && TABLE.contains(TABLE.max_m));
        assert!(!TABLE.contains([f64::NAN, 0.0, 0.1]));
    }

    #[test]
    fn a_box_without_a_volume_is_not_sound() {
        assert!(TABLE.is_sound());
        for max_m in [[0.7, 0.4, 0.0], [0.7, -0.5, 0.5], [f64::INFINITY, 0.4, 0.5]] {
            assert!(!WorkspaceBox { max_m, ..TABLE }.is_sound(), "{max_m:?}");
        }
        let lost = [f64::NAN; 3];
        assert!(
            !WorkspaceBox {
                min_m: lost,
                ..TABLE
            }
            .is_sound()
        );
    }
}
