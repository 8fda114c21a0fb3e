//! Where chunks start: from rest, or to carry on the one under way.

use tiller_core::{ArmColumns, Pose};

use super::Actuator;
use crate::kinematics::{Chain, JointVector};
use crate::lead::place_of;
use crate::space::{self, Numbers, Space};
use crate::status::ActuatorStatus;

impl Actuator {
    /// What the actuator is doing and where the next chunk should start.
    pub fn status(&self) -> ActuatorStatus {
        let (anchor, anchor_q_rad) = (self.anchor(), self.anchor_q_rad());
        let (step_start, step_start_q_rad) = match self.step_start() {
            Some((Space::Pose, place)) => (space::pose(place), anchor_q_rad),
            Some((Space::Joints, place)) => {
                let q_rad = space::joints(place);
                (space::pose(&place_of(&Chain::new(&q_rad))), q_rad)
            }
            None => (anchor, anchor_q_rad),
        };
        ActuatorStatus {
            chunk_seq: self.chunk_seq,
            chunk_step: self.chunk_step,
            mode: self.mode,
            anchor,
            anchor_q_rad,
            step_start,
            step_start_q_rad,
            refused_readings: self.readings.refused(),
        }
    }

    /// Where the step that is under way begins; none where nothing is.
    fn step_start(&self) -> Option<(Space, &Numbers)> {
        let begun = self.reference.steps_done();
        let place = self.reference.waypoints().get(begun)?;
        (!self.is_stopping()).then_some((self.reference.space(), place))
    }

    pub(super) fn anchor(&self) -> Pose {
        let scheduled = match (self.is_stopping(), self.reference.space()) {
            (true, _) => place_of(self.follower.chain()),
            (false, Space::Pose) => *self.reference.scheduled(),
            (false, Space::Joints) => {
                place_of(&Chain::new(&space::joints(self.reference.scheduled())))
            }
        };
        self.lead().drawn_back(
            &space::pose(&scheduled),
            self.config.max_anchor_lead_m,
            self.max_anchor_lead_rad(),
        )
    }

    /// An orientation that is only held never leads further than it does; to draw it back would
    /// give it up to whatever turns the hand.
    pub(super) fn max_anchor_lead_rad(&self) -> f64 {
        let arm = self.layout.as_ref().map(|layout| &layout.arm);
        match arm {
            None | Some(ArmColumns::Pose { rotation: None, .. }) => std::f64::consts::PI,
            Some(_) => self.config.max_anchor_lead_rad,
        }
    }

    pub(super) fn anchor_q_rad(&self) -> JointVector {
        let scheduled = match (self.is_stopping(), self.reference.space()) {
            (false, Space::Joints) => space::joints(self.reference.scheduled()),
            _ => *self.follower.q_rad(),
        };
        self.lead()
            .joints_drawn_back(&scheduled, self.config.max_anchor_lead_rad)
    }
}
