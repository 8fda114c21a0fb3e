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
