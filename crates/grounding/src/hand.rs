//! Where the hand was when a frame was taken.

use std::collections::VecDeque;

use tiller_core::Pose;

/// States that are kept: over a second of an arm that speaks at 50 Hz.
const KEPT: usize = 64;
/// Farthest that a state may lie from the frame's stamp, ns; three periods of such an arm.
const APART_NS: u64 = 60_000_000;

/// The hand at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hand {
    /// When it was measured, ns, on the clock of the frames.
    pub stamp_ns: u64,
    /// Pose of the tool centre point, between the fingertips, in the world frame.
    pub world_from_tool: Pose,
    /// Opening between the fingers, m.
    pub gripper_width_m: f64,
}

/// What was heard of the hand lately.
#[derive(Debug, Default)]
pub struct Hands {
    /// By stamp, ascending.
    heard: VecDeque<Hand>,
}

impl Hands {
    /// Notes a state; one with an earlier stamp than the last begins anew.
    pub fn hear(&mut self, hand: Hand) {
        if self
            .heard
            .back()
            .is_some_and(|last| hand.stamp_ns < last.stamp_ns)
        {
            self.heard.clear();
        }
        if self.heard.len() == KEPT {
            self.heard.pop_front();
        }
        self.heard.push_back(hand);
    }

    /// The hand at a stamp, between the states before and after it; none if they lie too far away.
    pub fn at(&self, stamp_ns: u64) -> Option<Hand> {
        let after = self.heard.partition_point(|hand| hand.stamp_ns < stamp_ns);
        let before = after.checked_sub(1).and_then(|index| self.heard.get(index));
        let near = |hand: &&Hand| hand.stamp_ns.abs_diff(stamp_ns) <= APART_NS;
        match (before.filter(near), self.heard.get(after).filter(near)) {
            (Some(a), Some(b)) => {
                let span = (b.stamp_ns - a.stamp_ns).max(1) as f64;
                Some(between(a, b, (stamp_ns - a.stamp_ns) as f64 / span))
            }
            (a, b) => a.or(b).copied(),
        }
    }
}

fn between(a: &Hand, b: &Hand, share: f64) -> Hand {
    let (from, to) = (a.world_from_tool.isometry(), b.world_from_tool.isometry());
    let position = from.translation.vector.lerp(&to.translation.vector, share);
    let turned = from.rotation.try_slerp(&to.rotation, share, 1e-9);
    Hand {
        stamp_ns: a.stamp_ns + ((b.stamp_ns - a.stamp_ns) as f64 * share) as u64,
        world_from_tool: Pose::from_parts(position, &turned.unwrap_or(to.rotation)),
        gripper_width_m: a.gripper_width_m + share * (b.gripper_width_m - a.gripper_width_m),
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::{UnitQuaternion, Vector3};

    use super::*;

    fn hand(stamp_ms: u64, x: f64, yaw_rad: f64) -> Hand {
        let turned = UnitQuaternion::from_axis_angle(&Vector3::z_axis(), yaw_rad);
        Hand {
            stamp_ns: stamp_ms * 1_000_000,
            world_from_tool: Pose::from_parts(Vector3::new(x, 0.0, 0.1), &turned),
            gripper_width_m: x,
        }
    }

    #[test]
    fn between_two_states_the_hand_is_between_them() {
        let mut hands = Hands::default();
        hands.hear(hand(20, 0.1, 0.0));
        hands.hear(hand(40, 0.3, 0.4));
        let found = hands.at(25_000_000).unwrap();
        let (off_m, off_rad) = found
            .world_from_tool
            .distance_to(&hand(25, 0.15, 0.1).world_from_tool);
        assert!(off_m < 1e-9 && off_rad < 1e-6, "{found:?}");
        assert!((found.gripper_width_m - 0.15).abs() < 1e-9);
    }

    #[test]
    fn a_hand_of_long_ago_is_not_known() {
        let mut hands = Hands::default();
        assert_eq!(hands.at(0), None);
        hands.hear(hand(100, 0.1, 0.0));
        assert_eq!(hands.at(150_000_000), Some(hand(100, 0.1, 0.0)));
        assert_eq!(hands.at(170_000_000), None);
        assert_eq!(hands.at(30_000_000), None);
    }

    #[test]
    fn an_arm_that_starts_anew_is_heard_anew() {
        let mut hands = Hands::default();
        hands.hear(hand(90_000, 0.1, 0.0));
        hands.hear(hand(20, 0.2, 0.0));
        assert_eq!(hands.at(20_000_000), Some(hand(20, 0.2, 0.0)));
        assert_eq!(hands.at(90_000_000_000), None);
    }
}
