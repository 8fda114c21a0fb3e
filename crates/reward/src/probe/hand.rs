//! How the hand is turned and how far its gripper is open on the way of a probe.

use super::{Motion, Random};
use crate::program::DOWN;

impl Random {
    /// A unit quaternion `w, x, y, z`.
    fn quaternion(&mut self) -> [f64; 4] {
        loop {
            let q: [f64; 4] = std::array::from_fn(|_| self.between(-1.0, 1.0));
            let square: f64 = q.iter().map(|v| v * v).sum();
            if (0.01..1.0).contains(&square) {
                return q.map(|v| v / square.sqrt());
            }
        }
    }

    /// Anyhow turned axes.
    pub(crate) fn axes(&mut self) -> [[f64; 3]; 3] {
        matrix(self.quaternion())
    }
}

/// The rotation of a unit quaternion.
fn matrix([w, x, y, z]: [f64; 4]) -> [[f64; 3]; 3] {
    [
        [
            1.0 - 2.0 * (y * y + z * z),
            2.0 * (x * y - w * z),
            2.0 * (x * z + w * y),
        ],
        [
            2.0 * (x * y + w * z),
            1.0 - 2.0 * (x * x + z * z),
            2.0 * (y * z - w * x),
        ],
        [
            2.0 * (x * z - w * y),
            2.0 * (y * z + w * x),
            1.0 - 2.0 * (x * x + y * y),
        ],
    ]
}

/// Rotations and openings, `[P]` each: a hand that stands still keeps both, straight down, open or
/// closed; one that moves turns and moves its fingers.
pub(super) fn path(
    motion: Motion,
    random: &mut Random,
    points: usize,
) -> Vec<([[f64; 3]; 3], f64)> {
    let (from, to) = (random.quaternion(), random.quaternion());
    let (opening, later) = (random.between(0.0, 1.0), random.between(0.0, 1.0));
    let last = points.saturating_sub(1).max(1) as f64;
    (0..points)
        .map(|point| match motion {
            Motion::Still => (DOWN, 1.0),
            Motion::StillAtKeypoint => (DOWN, 0.0),
            _ => {
                let share = point as f64 / last;
                let between: [f64; 4] =
                    std::array::from_fn(|i| from[i] + share * (to[i] - from[i]));
                let length = between.iter().map(|v| v * v).sum::<f64>().sqrt();
                let turned = if length > 1e-3 {
                    between.map(|v| v / length)
                } else {
                    from
                };
                (matrix(turned), opening + share * (later - opening))
            }
        })
        .collect()
}
