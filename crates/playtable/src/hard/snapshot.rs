//! The true state of a suite's things. Privileged: for its oracle and its scripted hand.

use mujoco_rs::prelude::{MjData, MjModel, MjtJoint, MjtObjBase};

use crate::labels::ROBOT;
use crate::oracle::thresholds::LIFT_M;
use crate::world::{PlayTableError, find_id};

/// A thing at one step.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct ThingState {
    /// Origin of its body in the world frame, m.
    pub(crate) position_m: [f64; 3],
    /// Rotation about z, rad.
    pub(crate) yaw_rad: f64,
    /// Cosine of the angle between its own z axis and the vertical.
    pub(crate) upright: f64,
    /// The robot touches it.
    pub(crate) touched: bool,
    /// Both fingers touch it.
    pub(crate) gripped: bool,
}

impl ThingState {
    /// A point given in the thing's frame, turned about z alone, in the world frame, m.
    pub(crate) fn at(&self, [x, y, z]: [f64; 3]) -> [f64; 3] {
        let (sin, cos) = self.yaw_rad.sin_cos();
        let [px, py, pz] = self.position_m;
        [px + cos * x - sin * y, py + sin * x + cos * y, pz + z]
    }

    /// Whether it is held above where it was, as in the plain task.
    pub(crate) fn is_lifted(&self, from: &Self) -> bool {
        self.gripped && self.position_m[2] - from.position_m[2] > LIFT_M
    }

    /// A point of the world frame in the thing's frame, turned about z alone, m.
    pub(crate) fn local(&self, point_m: [f64; 3]) -> [f64; 3] {
        let (sin, cos) = self.yaw_rad.sin_cos();
        let [x, y, z] = [0, 1, 2].map(|axis| point_m[axis] - self.position_m[axis]);
        [cos * x + sin * y, cos * y - sin * x, z]
    }
}

/// All things at one step, in the order of the suite's lists.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Snapshot {
    pub(crate) things: Vec<ThingState>,
    /// m or rad.
    pub(crate) joints: Vec<f64>,
    /// The tool centre point, or where the next action starts from, m.
    pub(crate) hand_m: [f64; 3],
    /// How far the hand is turned about z from pointing ahead, rad.
    pub(crate) hand_yaw_rad: f64,
    /// Opening of the fingers, m.
    pub(crate) width_m: f64,
}

/// Where the things are in MuJoCo's arrays.
#[derive(Debug)]
pub(super) struct Ids {
    pub(super) bodies: Vec<usize>,
    /// Places in qpos.
    pub(super) joints: Vec<usize>,
    /// Places in qvel.
    pub(super) dofs: Vec<usize>,
    fingers: [usize; 2],
}

impl Ids {
    /// Looks everything up.
    ///
    /// # Errors
    /// [`PlayTableError::Missing`] names what the scene lacks.
    pub(super) fn find(
        model: &MjModel,
        things: &[&'static str],
        joints: &[&'static str],
    ) -> Result<Self, PlayTableError> {
        let body = |name| find_id(model, MjtObjBase::mjOBJ_BODY, "body", name);
        let joint = |name| find_id(model, MjtObjBase::mjOBJ_JOINT, "joint", name);
        let index = |value: i32| usize::try_from(value).unwrap_or_default();
        let found: Vec<usize> = joints
            .iter()
            .map(|name| joint(name))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            bodies: things
                .iter()
                .map(|name| body(name))
                .collect::<Result<_, _>>()?,
            joints: found
                .iter()
                .map(|id| index(model.jnt_qposadr()[*id]))
                .collect(),
            dofs: found
                .iter()
                .map(|id| index(model.jnt_dofadr()[*id]))
                .collect(),
            fingers: [body("left_finger")?, body("right_finger")?],
        })
    }

    /// Where a thing's pose is in qpos, if it is free.
    pub(super) fn free(&self, model: &MjModel, thing: usize) -> Option<usize> {
        let joint = usize::try_from(model.body_jntadr()[self.bodies[thing]]).ok()?;
        let is_free = model.jnt_type()[joint] == MjtJoint::mjJNT_FREE;
        usize::try_from(model.jnt_qposadr()[joint])
            .ok()
            .filter(|_| is_free)
    }

    /// Takes the present state in. Allocates only the first time.
    pub(super) fn read(&self, data: &MjData<Box<MjModel>>, labels: &[u8], into: &mut Snapshot) {
        let (positions, turns) = (data.xpos(), data.xmat());
        into.things.resize(self.bodies.len(), ThingState::default());
        for (thing, body) in into.things.iter_mut().zip(&self.bodies) {
            let turn = turns[*body];
            *thing = ThingState {
                position_m: positions[*body],
                yaw_rad: turn[3].atan2(turn[0]),
                upright: turn[8],
                touched: false,
                gripped: false,
            };
        }
        into.joints.clear();
        into.joints
            .extend(self.joints.iter().map(|at| data.qpos()[*at]));
        self.touch(data, labels, &mut into.things);
    }

    /// What the robot touches.
    fn touch(&self, data: &MjData<Box<MjModel>>, labels: &[u8], things: &mut [ThingState]) {
        let bodies = data.model().geom_bodyid();
        let body_of = |geom: usize| usize::try_from(bodies[geom]).unwrap_or_default();
        // A bit each finger and thing.
        let mut fingers = [0_u64; 2];
        for contact in data.contact() {
            let [Ok(a), Ok(b)] = contact.geom.map(usize::try_from) else {
                continue;
            };
            let (link, other) = match (labels.get(a), labels.get(b)) {
                (Some(&ROBOT), Some(&label)) if label != ROBOT => (a, b),
                (Some(&label), Some(&ROBOT)) if label != ROBOT => (b, a),
                _ => continue,
            };
            let (link, other) = (body_of(link), body_of(other));
            let Some(thing) = self.bodies.iter().position(|body| *body == other) else {
                continue;
            };
            things[thing].touched = true;
            for (touched, finger) in fingers.iter_mut().zip(self.fingers) {
                *touched |= u64::from(link == finger) << thing;
            }
        }
        for (index, thing) in things.iter_mut().enumerate() {
            thing.gripped = fingers.iter().all(|touched| touched >> index & 1 == 1);
        }
    }
}
