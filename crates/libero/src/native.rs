//! A task in plain `MuJoCo`, stepped as the official environment steps it.

use mujoco_rs::mujoco_c::mj_jacSite;
use mujoco_rs::prelude::{MjData, MjModel, MjtJoint, MjtObjBase};
use nalgebra::{Matrix3, Vector3};
use thiserror::Error;
use tiller_core::{Pose, Problems};
use tiller_world::CameraGeometry;

use crate::controller::{ACTION, ARM, Controller, HalfJacobian, Inertia, Joints, Seen};
use crate::names::Names;
use crate::pack::{FixturePose, Pack, PackError, Thing};
use crate::predicates::Judge;
use crate::scenery::Scenery;
use tiller_world::Random;

/// Length of one physics step, ns.
pub const PHYSICS_NS: u64 = 2_000_000;
/// Physics steps in a control step.
pub const PHYSICS_STEPS: u32 = 25;
/// Length of one control step, ns: 20 Hz.
pub const STEP_NS: u64 = PHYSICS_NS * PHYSICS_STEPS as u64;
/// The action that does nothing and keeps the hand open: that of LIBERO's idle steps.
pub const IDLE: [f64; ACTION] = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0];

/// Places that are tried for an object before it stays where it is.
const SCATTER_ATTEMPTS: u32 = 20;

/// The body that the arm stands on.
const BASE: &str = "robot0_base";
/// The site whose pose is controlled.
const GRIP_SITE: &str = "gripper0_grip_site";
const FINGERS: [&str; 2] = ["gripper0_finger_joint1", "gripper0_finger_joint2"];
/// How actuators are named, the arm's by joint from 1.
const ARM_MOTOR: &str = "robot0_torq_j";
const FINGER_MOTORS: [&str; 2] = [
    "gripper0_gripper_finger_joint1",
    "gripper0_gripper_finger_joint2",
];

/// Why a step or a reset is refused; nothing has changed then.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[non_exhaustive]
pub enum NativeError {
    /// No such episode.
    #[error("episode {found}: expected one below {count}, as many as the pack has")]
    Episode {
        /// What was asked for.
        found: usize,
        /// How many there are.
        count: usize,
    },
    /// An action that is not finite.
    #[error("an action with {found} at index {index}: expected finite numbers")]
    Action {
        /// Which number.
        index: usize,
        /// What it is.
        found: f64,
    },
    /// The physics has diverged.
    #[error("the simulation diverged at control step {step}")]
    Diverged {
        /// Since the reset.
        step: u64,
    },
}

/// Where the robot is in `MuJoCo`'s arrays.
#[derive(Debug)]
struct Robot {
    base: usize,
    grip_site: usize,
    q: [usize; ARM],
    dof: [usize; ARM],
    motors: [usize; ARM],
    fingers: [usize; 2],
    finger_motors: [usize; 2],
    /// Middle and half of the range of each finger's command.
    finger_range: [[f64; 2]; 2],
}

impl Robot {
    fn find(names: &mut Names<'_>) -> Self {
        let joints: [_; ARM] = std::array::from_fn(|index| {
            names.scalar_joint(super::SCENE, &format!("robot0_joint{}", index + 1))
        });
        let finger_motors = FINGER_MOTORS.map(|name| names.actuator(super::SCENE, name));
        let ranges = names.model.actuator_ctrlrange();
        Self {
            q: joints.map(|[q, _]| q),
            dof: joints.map(|[_, dof]| dof),
            finger_range: finger_motors.map(|motor| {
                let [low, high] = ranges.get(motor).copied().unwrap_or_default();
                [(low + high) / 2.0, (high - low) / 2.0]
            }),
            base: names.body(super::SCENE, BASE),
            grip_site: names.site(super::SCENE, GRIP_SITE),
            motors: std::array::from_fn(|index| {
                names.actuator(super::SCENE, &format!("{ARM_MOTOR}{}", index + 1))
            }),
            fingers: FINGERS.map(|name| names.scalar_joint(super::SCENE, name)[0]),
            finger_motors,
        }
    }
}

/// What is needed to look at the arm, kept so that a step allocates nothing.
#[derive(Debug)]
struct Buffers {
    jacobian_p: Vec<f64>,
    jacobian_r: Vec<f64>,
    inertia: Vec<f64>,
}

/// A task of a pack, running.
///
/// ```no_run
/// use std::path::Path;
/// use tiller_libero::{IDLE, Native, Pack};
///
/// let mut task = Native::new(Pack::load(Path::new("packs/libero_goal/8"))?)?;
/// task.reset(0)?;
/// task.settle(10)?;
/// task.step(&[0.0, 0.0, -1.0, 0.0, 0.0, 0.0, -1.0])?;
/// assert!(!task.succeeded());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Native {
    pack: Pack,
    data: MjData<Box<MjModel>>,
    robot: Robot,
    judge: Judge,
    scenery: Scenery,
    /// By episode: bodies of fixtures and where they stand.
    fixtures: Vec<Vec<(usize, FixturePose)>>,
    buffers: Buffers,
    controller: Controller,
    seen: Seen,
    /// Whether what is seen is older than the episode's initial state.
    sees_reset: bool,
    physics_steps: u64,
}

impl Native {
    /// Compiles a pack's scene and resets it to the first episode.
    ///
    /// # Errors
    /// [`PackError::Scene`] when it does not compile, [`PackError::Values`] with everything that the pack names
    /// and the scene has not.
    pub fn new(pack: Pack) -> Result<Self, PackError> {
        let model = MjModel::from_xml_string(pack.scene_xml())
            .map_err(|reason| pack.scene_error(&reason))?;
        let mut problems = Problems::default();
        let judge = Judge::new(&pack, pack.goal(), &model, &mut problems);
        let mut names = Names {
            model: &model,
            problems: &mut problems,
        };
        let robot = Robot::find(&mut names);
        let scenery = Scenery::find(&pack, &mut names);
        let fixtures = find_fixtures(&pack, &mut names);
        check_sizes(&pack, &model, &mut problems);
        if !problems.is_empty() {
            return Err(pack.values(problems));
        }
        let data = MjData::try_new(Box::new(model)).map_err(|error| pack.scene_error(&error))?;
        let nv = data.qvel().len();
        let seen = Seen::default();
        let controller = Controller::new(pack.description().arm_at_reset_rad, &seen);
        let mut native = Self {
            pack,
            data,
            robot,
            judge,
            scenery,
            fixtures,
            buffers: Buffers {
                jacobian_p: vec![0.0; 3 * nv],
                jacobian_r: vec![0.0; 3 * nv],
                inertia: vec![0.0; nv * nv],
            },
            controller,
            seen,
            sees_reset: true,
            physics_steps: 0,
        };
        native.start(0);
        Ok(native)
    }

    /// The pack.
    #[must_use]
    pub fn pack(&self) -> &Pack {
        &self.pack
    }

    /// Starts an episode of the pack; no idle steps are made.
    ///
    /// # Errors
    /// [`NativeError::Episode`].
    pub fn reset(&mut self, episode: usize) -> Result<(), NativeError> {
        let count = self.fixtures.len();
        if episode >= count {
            return Err(NativeError::Episode {
                found: episode,
                count,
            });
        }
        self.start(episode);
        Ok(())
    }

    fn start(&mut self, episode: usize) {
        // SAFETY: only poses of bodies are written; no size, index or address changes.
        let model = unsafe { self.data.model_mut() };
        for (body, pose) in &self.fixtures[episode] {
            model.body_pos_mut()[*body] = pose.position_m;
            model.body_quat_mut()[*body] = pose.quaternion_wxyz;
        }
        // The official controller holds what it saw at the reset, the arm in its first pose and the fingers where
        // the scene has them, at rest, until it has computed a torque: setting an initial state does not tell it.
        // The first goal is relative to that.
        self.data.reset();
        let rest = self.pack.description().arm_at_reset_rad;
        for (place, q_rad) in self.robot.q.iter().zip(rest) {
            self.data.qpos_mut()[*place] = q_rad;
        }
        self.data.forward();
        self.look();
        self.controller = Controller::new(rest, &self.seen);
        self.sees_reset = true;

        self.data.reset();
        let start = &self.pack.description().episodes[episode];
        self.data.qpos_mut().copy_from_slice(&start.qpos);
        self.data.qvel_mut().copy_from_slice(&start.qvel);
        self.data.forward();
        self.physics_steps = 0;
    }

    /// Moves every loose object along the table by up to `most_m` along each axis, so that nothing overlaps. To be
    /// called right after a reset.
    pub(crate) fn scatter(&mut self, most_m: f64, random: &mut Random) {
        for place in self.loose_objects() {
            let before: [f64; 2] = [0, 1].map(|axis| self.data.qpos()[place + axis]);
            for attempt in 0..=SCATTER_ATTEMPTS {
                for (axis, at) in before.into_iter().enumerate() {
                    let by = random.uniform(-most_m, most_m);
                    // Where there is no room it stays.
                    let by = if attempt == SCATTER_ATTEMPTS { 0.0 } else { by };
                    self.data.qpos_mut()[place + axis] = at + by;
                }
                self.data.forward();
                if !self.overlaps() {
                    break;
                }
            }
        }
    }

    /// Where the positions of objects begin that are not fixed to anything.
    fn loose_objects(&self) -> Vec<usize> {
        let model = self.data.model();
        let things = self.pack.description().things.values();
        let place = |thing: &Thing| {
            let Thing::Object {
                is_fixture: false,
                joints,
                ..
            } = thing
            else {
                return None;
            };
            let id = model.name_to_id(MjtObjBase::mjOBJ_JOINT, joints.first()?)?;
            let is_free = model.jnt_type()[id] == MjtJoint::mjJNT_FREE;
            let place = usize::try_from(model.jnt_qposadr()[id]).ok()?;
            is_free.then_some(place)
        };
        things.filter_map(place).collect()
    }

    /// Whether two things touch.
    fn overlaps(&self) -> bool {
        let label = |geom: i32| {
            let geom = usize::try_from(geom).ok();
            let labels = &self.scenery.geom_labels;
            geom.and_then(|geom| labels.get(geom)).copied().unwrap_or(0)
        };
        self.data.contact().iter().any(|contact| {
            let [a, b] = contact.geom.map(label);
            a != b && a != 0 && b != 0
        })
    }

    /// Makes idle steps: objects begin some centimetres above the table. LIBERO's protocol has 10.
    ///
    /// # Errors
    /// [`NativeError::Diverged`].
    pub fn settle(&mut self, steps: u32) -> Result<(), NativeError> {
        (0..steps).try_for_each(|_| self.step(&IDLE))
    }

    /// Makes a control step of 50 ms. The action's first three numbers displace the hand along the world's axes
    /// (1: a goal 0.05 m away), the next three turn it (1: 0.5 rad), both clipped to -1 to 1; the last one closes
    /// the fingers when it is above 0 and opens them when it is below.
    ///
    /// # Errors
    /// [`NativeError::Action`] for one that is not finite, [`NativeError::Diverged`].
    pub fn step(&mut self, action: &[f64; ACTION]) -> Result<(), NativeError> {
        if let Some(index) = action.iter().position(|number| !number.is_finite()) {
            let found = action[index];
            return Err(NativeError::Action { index, found });
        }
        (0..PHYSICS_STEPS).for_each(|_| self.advance(action));
        self.check()
    }

    /// Makes one physics step of the control step under way; each begins with a new action.
    pub(crate) fn advance(&mut self, action: &[f64; ACTION]) {
        self.data.step1();
        if !self.sees_reset {
            self.look();
        }
        self.sees_reset = false;
        if self.is_between_steps() {
            self.controller.aim(action, &self.seen);
        }
        let bias = self.data.qfrc_bias();
        let bias = Joints::from_fn(|joint, _| bias[self.robot.dof[joint]]);
        let torque_nm = self.controller.torque_nm(&self.seen, &bias);
        let grip = self.controller.grip(action[ACTION - 1]);
        let ctrl = self.data.ctrl_mut();
        for (motor, torque_nm) in self.robot.motors.iter().zip(torque_nm.iter()) {
            ctrl[*motor] = *torque_nm;
        }
        let fingers = self.robot.finger_motors.iter();
        for ((motor, [middle, half]), grip) in fingers.zip(self.robot.finger_range).zip(grip) {
            ctrl[*motor] = middle + half * grip;
        }
        self.data.step2();
        self.physics_steps += 1;
    }

    /// Whether the next physics step begins a control step.
    pub(crate) fn is_between_steps(&self) -> bool {
        self.physics_steps.is_multiple_of(u64::from(PHYSICS_STEPS))
    }

    pub(crate) fn check(&self) -> Result<(), NativeError> {
        if self.data.qpos().iter().all(|number| number.is_finite()) {
            Ok(())
        } else {
            let step = self.physics_steps.div_ceil(u64::from(PHYSICS_STEPS));
            Err(NativeError::Diverged { step })
        }
    }

    /// The action that leads the hand to where these joints would have it: `gain` times the way. To be asked
    /// between control steps only: it leaves positions of bodies that the next step computes anew.
    pub(crate) fn towards(&mut self, q_rad: &[f64; ARM], gain: f64) -> [f64; 6] {
        let site = self.robot.grip_site;
        let pose = |data: &MjData<Box<MjModel>>| {
            let rotation = Matrix3::from_row_slice(&data.site_xmat()[site]);
            (Vector3::from(data.site_xpos()[site]), rotation)
        };
        let (here_m, here) = pose(&self.data);
        let places = self.robot.q;
        let before = places.map(|place| self.data.qpos()[place]);
        let put = |data: &mut MjData<Box<MjModel>>, q_rad: &[f64; ARM]| {
            for (place, q_rad) in places.iter().zip(q_rad) {
                data.qpos_mut()[*place] = *q_rad;
            }
        };
        put(&mut self.data, q_rad);
        self.data.kinematics();
        let (there_m, there) = pose(&self.data);
        put(&mut self.data, &before);
        Controller::action_for(there_m - here_m, &(there * here.transpose()), gain)
    }

    /// Reads what the controller has to know of the arm.
    fn look(&mut self) {
        let nv = self.data.qvel().len();
        let Buffers {
            jacobian_p,
            jacobian_r,
            inertia,
        } = &mut self.buffers;
        // SAFETY: the site exists, both buffers hold 3 x nv numbers, and neither model nor data is written.
        unsafe {
            mj_jacSite(
                self.data.model().ffi(),
                self.data.ffi(),
                jacobian_p.as_mut_ptr(),
                jacobian_r.as_mut_ptr(),
                self.robot.grip_site as i32,
            );
        }
        // Its length is right: it was made as nv x nv.
        let _cannot_fail = self.data.full_m(inertia);
        let dof = self.robot.dof;
        let half = |from: &[f64]| HalfJacobian::from_fn(|row, joint| from[row * nv + dof[joint]]);
        let (qpos, qvel) = (self.data.qpos(), self.data.qvel());
        self.seen = Seen {
            position_m: Vector3::from(self.data.site_xpos()[self.robot.grip_site]),
            rotation: Matrix3::from_row_slice(&self.data.site_xmat()[self.robot.grip_site]),
            jacobian_p: half(jacobian_p),
            jacobian_r: half(jacobian_r),
            inertia: Inertia::from_fn(|row, column| inertia[dof[row] * nv + dof[column]]),
            q_rad: Joints::from_fn(|joint, _| qpos[self.robot.q[joint]]),
            dq_rad_s: Joints::from_fn(|joint, _| qvel[dof[joint]]),
        };
    }

    /// Time since the reset, ns.
    #[must_use]
    pub fn time_ns(&self) -> u64 {
        self.physics_steps * PHYSICS_NS
    }

    /// Whether the goal holds at this step, as the official environment would say.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.judge.all(&self.data)
    }

    /// Whether each predicate of the goal holds at this step, in their order.
    pub fn holds(&self) -> impl Iterator<Item = bool> + '_ {
        self.judge.each(&self.data)
    }

    /// Positions of the whole scene, as the last step left them.
    #[must_use]
    pub fn qpos(&self) -> &[f64] {
        self.data.qpos()
    }

    /// Position of a body in the world frame, m; none where the scene has no such body.
    pub(crate) fn body_m(&self, name: &str) -> Option<Vector3<f64>> {
        let id = self.data.model().name_to_id(MjtObjBase::mjOBJ_BODY, name)?;
        Some(self.data.xpos()[id].into())
    }

    /// Position of a site in the world frame, m.
    pub(crate) fn site_m(&self, name: &str) -> Option<Vector3<f64>> {
        let id = self.data.model().name_to_id(MjtObjBase::mjOBJ_SITE, name)?;
        Some(self.data.site_xpos()[id].into())
    }

    /// Position of a joint, m or rad; of one with several numbers the first.
    pub(crate) fn joint(&self, name: &str) -> Option<f64> {
        let model = self.data.model();
        let id = model.name_to_id(MjtObjBase::mjOBJ_JOINT, name)?;
        let place = usize::try_from(model.jnt_qposadr()[id]).ok()?;
        self.data.qpos().get(place).copied()
    }

    /// Counts time from now.
    pub(crate) fn start_clock(&mut self) {
        self.physics_steps = 0;
    }

    /// Joint velocities of the arm, rad/s.
    pub(crate) fn arm_dq_rad_s(&self) -> [f64; ARM] {
        self.robot.dof.map(|place| self.data.qvel()[place])
    }

    /// Pose of the arm's base in the world frame.
    #[must_use]
    pub fn base(&self) -> Pose {
        let rotation = Matrix3::from_row_slice(&self.data.xmat()[self.robot.base]);
        Pose::new(self.data.xpos()[self.robot.base].into(), &rotation)
    }

    /// Joint positions of the arm, rad.
    #[must_use]
    pub fn arm_q_rad(&self) -> [f64; ARM] {
        self.robot.q.map(|place| self.data.qpos()[place])
    }

    /// Pose of the grip site between the fingertips in the world frame, as of the last physics step's beginning.
    #[must_use]
    pub fn hand(&self) -> Pose {
        let rotation = Matrix3::from_row_slice(&self.data.site_xmat()[self.robot.grip_site]);
        let position_m = self.data.site_xpos()[self.robot.grip_site];
        Pose::new(position_m.into(), &rotation)
    }

    /// Positions of the two fingers as the package reports them: 0 to 0.04 m and 0 to -0.04 m.
    #[must_use]
    pub fn fingers_m(&self) -> [f64; 2] {
        self.robot.fingers.map(|place| self.data.qpos()[place])
    }

    /// Ids and names of what a segmentation image can hold: objects and fixtures by their names, `robot`, and parts
    /// of fixtures that move or glow (`wooden_cabinet_1 middle drawer`). 0 is everything else.
    #[must_use]
    pub fn labels(&self) -> &[(u8, String)] {
        &self.scenery.labels
    }

    /// Geometry of one of the pack's cameras, by its place among them, for images of that many columns and rows,
    /// at this step; none where the pack has no such camera.
    #[must_use]
    pub fn camera_geometry(&self, camera: usize, size: [usize; 2]) -> Option<CameraGeometry> {
        let id = *self.scenery.cameras.get(camera)?;
        let fov_y_deg = self.data.model().cam_fovy()[id];
        let (position_m, rotation) = (self.data.cam_xpos()[id], self.data.cam_xmat()[id]);
        Some(CameraGeometry::of_opengl(
            fov_y_deg, size, position_m, rotation,
        ))
    }

    pub(crate) fn camera_id(&self, camera: usize) -> usize {
        self.scenery.cameras[camera]
    }

    /// Label of each geom, by geom id.
    pub(crate) fn geom_labels(&self) -> &[u8] {
        &self.scenery.geom_labels
    }

    /// Shows what glows while a thing is turned on, and hides it otherwise.
    pub(crate) fn light_sites(&mut self) {
        for lamp in &self.scenery.lamps {
            let opacity = lamp.opacity(self.data.qpos());
            // SAFETY: only an opacity is written; no size, index or address changes.
            let model = unsafe { self.data.model_mut() };
            model.site_rgba_mut()[lamp.site][3] = opacity;
        }
    }

    /// Label of each geom, by geom id, to be changed.
    pub(crate) fn geom_labels_mut(&mut self) -> &mut [u8] {
        &mut self.scenery.geom_labels
    }

    pub(crate) fn data(&self) -> &MjData<Box<MjModel>> {
        &self.data
    }

    pub(crate) fn data_mut(&mut self) -> &mut MjData<Box<MjModel>> {
        &mut self.data
    }
}

fn find_fixtures(pack: &Pack, names: &mut Names<'_>) -> Vec<Vec<(usize, FixturePose)>> {
    let episodes = pack.description().episodes.iter().enumerate();
    episodes
        .map(|(index, start)| {
            let fixtures = start.fixtures.iter();
            fixtures
                .map(|(body, pose)| {
                    let at = format!("episodes[{index}].fixtures");
                    (names.body(&at, body), *pose)
                })
                .collect()
        })
        .collect()
}

/// Notes states that are not as long as the scene's.
fn check_sizes(pack: &Pack, model: &MjModel, problems: &mut Problems) {
    let (nq, nv) = (model.ffi().nq as usize, model.ffi().nv as usize);
    for (index, start) in pack.description().episodes.iter().enumerate() {
        for (key, numbers, count) in [("qpos", &start.qpos, nq), ("qvel", &start.qvel, nv)] {
            problems.require(
                format!("episodes[{index}].{key}"),
                numbers.len() == count,
                format!("{count} numbers, as the scene has them"),
                numbers.len(),
            );
        }
    }
}
