//! The postures that a path leads through, as far as it keeps clear of everything.

use crate::clearance::{Nearest, Rooms, free_way_s};
use crate::kinematics::{
    Chain, DAMPING, HOME_Q, JOINTS, JointVector, Twist, damped_inverse, damped_rates,
};
use crate::limits::Limits;
use crate::space::{self, Numbers, Space};

/// Steps of the inverse kinematics from one waypoint to the next, and to the first one, from where the
/// arm is.
const STEPS: usize = 3;
const FIRST_STEPS: usize = 8;

/// How far the elbow drifts towards [`HOME_Q`] in a step of the inverse kinematics, rad: about as far as
/// in a step of a policy.
const DRIFT_RAD: f64 = 0.005;

/// Postures that the way to a waypoint may be looked at in.
const MOST_LOOKS: usize = 64;

/// Where on its path the arm would be.
#[derive(Debug, Clone)]
pub(crate) struct Course {
    space: Space,
    q_rad: JointVector,
    rooms: Rooms,
    floors: Rooms,
    has_ended: bool,
}

impl Course {
    /// At the first waypoint, on an arm that is at `q_rad` now.
    pub(crate) fn new(limits: &Limits, space: Space, q_rad: &JointVector, first: &Numbers) -> Self {
        // Where the arm is too near to something already, it may lead away from there.
        let floors = Rooms::new(limits, &Chain::new(q_rad)).planned_floors();
        let q_rad = posture(limits, space, q_rad, first, FIRST_STEPS);
        Self {
            space,
            rooms: Rooms::new(limits, &Chain::new(&q_rad)),
            q_rad,
            floors,
            has_ended: false,
        }
    }

    /// Goes on from waypoint `from` to `to`, or as far as it may; then it has ended. Where it got to,
    /// and what was in the way.
    pub(crate) fn go(
        &mut self,
        limits: &Limits,
        from: &Numbers,
        to: &Numbers,
    ) -> (Numbers, Option<Nearest>) {
        if self.has_ended {
            return (*from, None);
        }
        let there = posture(limits, self.space, &self.q_rad, to, STEPS);
        let way = Numbers::from(there) - Numbers::from(self.q_rad);
        let here = (&self.q_rad, &self.rooms);
        let (share, obstacle) = free_way_s(limits, here, &way, 1.0, &self.floors, MOST_LOOKS);
        if obstacle.is_some() {
            self.has_ended = true;
            let part = self.space.between(from, to) * share;
            return (self.space.moved(from, &part), obstacle);
        }
        self.q_rad = there;
        self.rooms = Rooms::new(limits, &Chain::new(&there));
        (*to, None)
    }
}

/// The joints at a place: for a pose about those that following it from `q_rad` leads to.
fn posture(
    limits: &Limits,
    space: Space,
    q_rad: &JointVector,
    place: &Numbers,
    steps: usize,
) -> JointVector {
    if space == Space::Joints {
        return space::joints(place);
    }
    let target = space::rotation(place).to_rotation_matrix();
    let mut q = *q_rad;
    for _ in 0..steps {
        let chain = Chain::new(&q);
        let mut twist = Twist::zeros();
        let distance = space::position(place) - chain.position;
        twist.fixed_rows_mut::<3>(0).copy_from(&distance);
        let turn = chain.rotation_to(target.matrix());
        twist.fixed_rows_mut::<3>(3).copy_from(&turn);
        let jacobian = chain.jacobian();
        let inverse = damped_inverse(&jacobian, DAMPING);
        let drift = std::array::from_fn(|j| (HOME_Q[j] - q[j]).clamp(-DRIFT_RAD, DRIFT_RAD));
        let step = damped_rates(&jacobian, &inverse, &twist, &drift);
        for joint in 0..JOINTS {
            let (low, high) = (
                limits.joint.position_min_rad[joint],
                limits.joint.position_max_rad[joint],
            );
            q[joint] = (q[joint] + step[joint]).clamp(low, high);
        }
    }
    q
}
