//! What the tool may do, and what that leaves to the joints.
//!
//! The tool's acceleration is `J a + d`, of the joints' accelerations `a` and of what it does at constant
//! joint rates. Of position and of orientation it lies within a ball each.

use nalgebra::{SVector, Vector3};

use crate::kinematics::{JOINTS, Jacobian, JointVector, Twist};
use crate::limits::Limits;

type Joints = SVector<f64, JOINTS>;

/// Share of the tool's highest accelerations that is planned with: joints that are cut at their bounds may
/// have to add to it.
const PLANNED_SHARE: f64 = 0.93;

/// Share of them that is left to joints that brake, however much the tool accelerates at constant rates.
const LEAST_BUDGET: f64 = 0.3;

/// How much more than the tool may accelerate is put right, in how many rounds.
const SLACK: f64 = 1.01;
const ROUNDS: usize = 20;

/// Halvings of a share.
const HALVINGS: usize = 20;

/// Highest speed and acceleration of the tool, of its position or its orientation.
#[derive(Debug, Clone, Copy)]
struct Bound {
    speed: f64,
    acceleration: f64,
    /// The first of its rows in a twist.
    row: usize,
}

impl Bound {
    fn of(&self, twist: &Twist) -> Vector3<f64> {
        twist.fixed_rows::<3>(self.row).into_owned()
    }
}

/// The tool's limits, of position and of orientation.
#[derive(Debug, Clone)]
pub(crate) struct Tool {
    bounds: [Bound; 2],
}

impl Tool {
    pub(crate) fn new(limits: &Limits) -> Self {
        let (tool, share) = (&limits.cartesian, &limits.operating);
        let bound = |row, speed, acceleration| Bound {
            speed: speed * share.velocity,
            acceleration: acceleration * share.acceleration,
            row,
        };
        Self {
            bounds: [
                bound(0, tool.speed_m_s, tool.acceleration_m_s2),
                bound(
                    3,
                    tool.rotation_speed_rad_s,
                    tool.rotation_acceleration_rad_s2,
                ),
            ],
        }
    }

    /// The share of `twist`, up to 1, that is no faster than the tool may be.
    pub(crate) fn speed_share(&self, twist: &Twist) -> f64 {
        self.bounds
            .iter()
            .map(|bound| bound.speed / bound.of(twist).norm().max(1e-12))
            .fold(1.0, f64::min)
    }

    /// The share of `acceleration`, up to 1, that together with `drift` is within what is planned with.
    pub(crate) fn acceleration_share(&self, acceleration: &Twist, drift: &Twist) -> f64 {
        let share = |bound: &Bound| {
            let most = PLANNED_SHARE * bound.acceleration;
            share_within(&bound.of(acceleration), &bound.of(drift), most)
        };
        self.bounds.iter().map(share).fold(1.0, f64::min)
    }

    /// The time in which the tool can brake from `twist`, s.
    pub(crate) fn braking_s(&self, twist: &Twist) -> f64 {
        self.bounds
            .iter()
            .map(|bound| bound.of(twist).norm() / bound.acceleration)
            .fold(0.0, f64::max)
    }

    /// The share, up to `most`, of `max_deceleration` (rad/s2) that joints may rely on at their bounds, so that
    /// those that need the accelerations `needs` there can brake with no more than it all at once.
    pub(crate) fn braking_share(
        &self,
        (jacobian, drift): (&Jacobian, &Twist),
        needs: &Joints,
        max_deceleration: &JointVector,
        most: f64,
    ) -> f64 {
        let mut share = most;
        for bound in &self.bounds {
            let planned = PLANNED_SHARE * bound.acceleration - bound.of(drift).norm();
            let budget = planned.max(LEAST_BUDGET * bound.acceleration);
            let rows = jacobian.fixed_rows::<3>(bound.row);
            let arms: [f64; JOINTS] = std::array::from_fn(|joint| rows.column(joint).norm());
            // Whichever of them brake, the tool accelerates by no more than the sum.
            let sum = |share: f64| -> f64 {
                (0..JOINTS)
                    .map(|joint| {
                        arms[joint] * needs[joint].abs().min(share * max_deceleration[joint])
                    })
                    .sum()
            };
            if sum(share) > budget {
                let mut low = 0.0;
                for _ in 0..HALVINGS {
                    let middle = 0.5 * (low + share);
                    if sum(middle) > budget {
                        share = middle;
                    } else {
                        low = middle;
                    }
                }
            }
        }
        share
    }

    /// The accelerations (rad/s2) between `lows` and `highs` that the tool may have, next to the wanted ones;
    /// where none are found, those that are the least too much for it.
    ///
    /// Dual ascent: as long as the tool accelerates too much, the wanted ones are moved against it, along
    /// the plane that touches the ball there, just as far as what they are cut to needs.
    pub(crate) fn nearest(
        &self,
        (jacobian, drift): (&Jacobian, &Twist),
        mut wanted: Joints,
        lows: &Joints,
        highs: &Joints,
    ) -> Joints {
        let mut acceleration = wanted.sup(lows).inf(highs);
        let mut best = (f64::INFINITY, acceleration);
        for _ in 0..ROUNDS {
            let excess = self.excess(&(jacobian * acceleration + drift));
            if excess < best.0 {
                best = (excess, acceleration);
            }
            if excess <= SLACK {
                break;
            }
            for bound in &self.bounds {
                let rows = jacobian.fixed_rows::<3>(bound.row);
                let part = rows * acceleration + bound.of(drift);
                let size = part.norm();
                if size > SLACK * bound.acceleration {
                    let plane = rows.tr_mul(&(part / size));
                    wanted = moved(&wanted, &plane, size - bound.acceleration, (lows, highs));
                    acceleration = wanted.sup(lows).inf(highs);
                }
            }
        }
        best.1
    }

    /// How many times what it may the tool accelerates.
    fn excess(&self, acceleration: &Twist) -> f64 {
        self.bounds
            .iter()
            .map(|bound| bound.of(acceleration).norm() / bound.acceleration)
            .fold(0.0, f64::max)
    }
}

/// `wanted` moved against `plane` until what it is cut to is lower along `plane` by `by`, or as low as it
/// can be.
fn moved(wanted: &Joints, plane: &Joints, by: f64, (lows, highs): (&Joints, &Joints)) -> Joints {
    let at = |way: f64| plane.dot(&(wanted - plane * way).sup(lows).inf(highs));
    let goal = at(0.0) - by;
    // Between the ways on which a joint comes into its interval or to its end it is a straight line.
    let corners = (0..JOINTS).flat_map(|joint| {
        [lows[joint], highs[joint]].map(|end| (wanted[joint] - end) / plane[joint])
    });
    let (mut near, mut far) = ((0.0, goal + by), None);
    for way in corners.filter(|way| way.is_finite() && *way > 0.0) {
        let corner = (way, at(way));
        if corner.1 > goal {
            if corner.0 > near.0 {
                near = corner;
            }
        } else if far.is_none_or(|(way, _)| corner.0 < way) {
            far = Some(corner);
        }
    }
    let way = far.map_or(near.0, |far| {
        let slope = near.1 - far.1;
        near.0 + (far.0 - near.0) * (near.1 - goal) / slope.max(1e-12)
    });
    wanted - plane * way
}

/// The largest share of `part`, up to 1, that together with `rest` is no longer than `most`; 1 where
/// `rest` alone is too long, for then only braking helps.
fn share_within(part: &Vector3<f64>, rest: &Vector3<f64>, most: f64) -> f64 {
    let (size, across) = (part.norm_squared(), part.dot(rest));
    let room = most * most - rest.norm_squared();
    if room <= 0.0 || size <= 1e-18 {
        return 1.0;
    }
    // |s part + rest|^2 = most^2, a quadratic equation with one positive root.
    let root = (across * across + size * room).sqrt();
    let share = if across > 0.0 {
        room / (across + root)
    } else {
        (root - across) / size
    };
    share.min(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kinematics::jacobian;

    fn joints(size: f64) -> impl Strategy<Value = Joints> {
        prop::array::uniform7(-size..size).prop_map(Joints::from)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_moved_is_lower_by_so_much_or_as_low_as_it_can_be(
            wanted in joints(30.0), plane in joints(1.0), low in joints(9.0), by in 0.0..20.0f64,
        ) {
            let high = low.add_scalar(5.0);
            let cut = |wanted: Joints| plane.dot(&wanted.sup(&low).inf(&high));
            let before = cut(wanted);
            let after = cut(moved(&wanted, &plane, by, (&low, &high)));
            let least = cut(plane * -1e12);
            prop_assert!((after - (before - by).max(least)).abs() < 1e-6, "{before} {by} {least} {after}");
        }

        /// Where some accelerations within the intervals are within the tool's limits, such are found.
        #[test]
        fn what_the_tool_may_have_is_found(
            q in joints(2.0), inner in joints(9.0), wanted in joints(15.0), drift in prop::array::uniform6(-1.0..1.0f64),
            below in prop::array::uniform7(0.0..4.0f64), above in prop::array::uniform7(0.0..4.0f64),
        ) {
            let tool = Tool::new(&Limits::fr3());
            let (jacobian, drift) = (jacobian(&q.into()), Twist::from(drift));
            let excess = |a: &Joints| tool.excess(&(jacobian * a + drift));
            let share = tool.acceleration_share(&(jacobian * inner), &drift);
            let inner = inner * share;
            let (low, high) = (inner - Joints::from(below), inner + Joints::from(above));
            let found = tool.nearest((&jacobian, &drift), wanted, &low, &high);
            prop_assert!(found == found.sup(&low).inf(&high));
            prop_assert!(excess(&found) <= SLACK, "{}", excess(&found));
            let cut = wanted.sup(&low).inf(&high);
            if excess(&cut) <= SLACK {
                prop_assert_eq!(found, cut);
            }
        }

        #[test]
        fn joints_that_brake_with_their_shares_keep_the_tool_within(
            q in joints(2.0), needs in joints(9.0), drift in prop::array::uniform6(-1.0..1.0f64), brakes in 0u8..128,
        ) {
            let tool = Tool::new(&Limits::fr3());
            let (jacobian, drift) = (jacobian(&q.into()), Twist::from(drift));
            let share = tool.braking_share((&jacobian, &drift), &needs, &[9.0; JOINTS], 0.6);
            let braking = Joints::from_fn(|joint, _| {
                if brakes >> joint & 1 == 1 { needs[joint].clamp(-9.0 * share, 9.0 * share) } else { 0.0 }
            });
            let excess = tool.excess(&(jacobian * braking + drift));
            prop_assert!(excess <= PLANNED_SHARE + 1e-4, "{excess}");
        }
    }
}
