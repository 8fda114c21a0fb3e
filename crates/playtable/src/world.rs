//! The physics of the play table.

use crate::assets::{self, AssetError};
use crate::camera::Camera;
use crate::collateral::Collateral;
use crate::contacts::Contacts;
use crate::goal::Goals;
use crate::labels;
use crate::layout::Layout;
use crate::objects::{Block, BlockState, ObjectStates};
use crate::oracle::{Oracle, thresholds};
use crate::task::Task;
use crate::vary::{Fixture, Outcome, Parts, Variation, dress};
use mujoco_rs::prelude::{MjData, MjModel, MjtObjBase};
use std::collections::VecDeque;
use std::sync::Arc;
use tiller_motion::kinematics;
use tiller_motion::limits::Limits;
use tiller_motion::{ArmReading, Setpoint};
use tiller_world::{CameraGeometry, Random};

/// Length of one physics step, nanoseconds.
pub const STEP_NS: u64 = 2_000_000;

/// Widest opening of the gripper, metres.
const GRIPPER_MAX_M: f64 = 0.08;
/// Joints of the arm; they come first in qpos, qvel and ctrl, followed by the fingers.
const ARM: usize = 7;
/// Fastest joint speed that is fed forward, rad/s: the Panda's limit.
const SPEED_LIMIT: f64 = 2.61;
/// Steps taken at reset so that blocks and arm are at rest when the episode starts.
const SETTLE_STEPS: usize = 50;

/// The play table could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PlayTableError {
    /// The embedded scene does not load.
    #[error(transparent)]
    Assets(#[from] AssetError),
    /// The scene lacks something that the code relies on.
    #[error("the play table's scene has no {kind} named {name}")]
    Missing {
        /// Kind of element.
        kind: &'static str,
        /// Its name.
        name: &'static str,
    },
}

/// Where the scene's elements are in MuJoCo's arrays.
#[derive(Debug)]
struct Ids {
    tcp: usize,
    cameras: [usize; 2],
    drawer: usize,
    door: usize,
    switch: usize,
    button: usize,
    blocks: [usize; 3],
    block_geoms: [usize; 3],
    handle_geom: usize,
    knob_geom: usize,
    lever_geom: usize,
    cap_geom: usize,
    lamp_geom: usize,
    left_finger: usize,
    right_finger: usize,
}

/// The simulated world: a Panda at a table with a drawer, a sliding door, a switch, a button and blocks.
///
/// ```
/// use tiller_playtable::{PlayTable, Task};
/// let mut table = PlayTable::new()?;
/// table.reset(7, Some(Task::DrawerOpen));
/// table.step();
/// assert_eq!(table.time_ns(), tiller_playtable::STEP_NS);
/// assert!(!table.succeeded(Task::DrawerOpen));
/// # Ok::<(), tiller_playtable::PlayTableError>(())
/// ```
#[derive(Debug)]
pub struct PlayTable {
    data: MjData<Box<MjModel>>,
    /// The scene as it was compiled, to return to after a varied episode.
    pristine: Arc<MjModel>,
    parts: Parts,
    /// What the episode's variation did; `None` in a plain scene.
    varied: Option<Outcome>,
    ids: Ids,
    labels: Arc<[u8]>,
    /// Damping over stiffness of each joint's actuator, seconds.
    feed_forward_s: [f64; ARM],
    oracle: Oracle,
    setpoint: Setpoint,
    /// Setpoints on their way to the actuators, oldest first; empty without latency.
    under_way: VecDeque<Setpoint>,
    last_q_rad: [f64; ARM],
    steps: u64,
    lamp_on: bool,
    button_down: bool,
}

impl PlayTable {
    /// Compiles the scene and resets it with seed 0.
    ///
    /// # Errors
    /// [`PlayTableError`] when MuJoCo does not accept the embedded scene.
    pub fn new() -> Result<Self, PlayTableError> {
        Self::with(None, |_, _| ())
    }

    /// Compiles a scene that includes the table's, and changes its model for good.
    ///
    /// # Errors
    /// [`PlayTableError`] when MuJoCo does not accept it.
    pub(crate) fn with(
        added: Option<&str>,
        change: impl FnOnce(&mut MjModel, &Parts),
    ) -> Result<Self, PlayTableError> {
        let mut model = Box::new(assets::load_model(added)?);
        let ids = find_ids(&model)?;
        let parts = Parts::find(&model)?;
        change(&mut model, &parts);
        let labels = geom_labels(&model);
        // A position actuator's force is gain * ctrl + bias[1] * q + bias[2] * dq.
        let bias = model.actuator_biasprm();
        let feed_forward_s = std::array::from_fn(|joint| bias[joint][2] / bias[joint][1]);
        let mut table = Self {
            pristine: Arc::new((*model).clone()),
            data: MjData::new(model),
            parts,
            varied: None,
            ids,
            labels: labels.into(),
            feed_forward_s,
            oracle: Oracle::new(ObjectStates::default(), [0.0; 3], &Goals::default()),
            setpoint: Setpoint {
                q_rad: kinematics::HOME_Q,
                gripper_width_m: 0.0,
            },
            under_way: VecDeque::new(),
            last_q_rad: kinematics::HOME_Q,
            steps: 0,
            lamp_on: false,
            button_down: false,
        };
        table.reset(0, None);
        Ok(table)
    }

    /// Starts the episode of a seed at time zero. The same seed gives the same scene; with a task, the one
    /// fixture that it concerns starts in the other state, so that the task is not yet achieved.
    pub fn reset(&mut self, seed: u64, task: Option<Task>) {
        self.reset_varied(seed, task.as_slice(), None);
    }

    /// Like [`reset`](Self::reset), for any number of tasks that are to be achieved one after the other, and
    /// with a departure from the scenes that policies were trained on. Of tasks that ask for opposite states of
    /// one fixture the first one decides how it starts.
    pub fn reset_varied(&mut self, seed: u64, tasks: &[Task], variation: Option<Variation>) {
        self.reset_goals(seed, &Goals::tasks(tasks), variation);
    }

    /// Has the oracle follow other goals from now on, in the scene as it is.
    pub fn ask(&mut self, goals: &Goals) {
        self.oracle = Oracle::new(self.objects(), self.rest_height_m(), goals);
    }

    /// Like [`reset_varied`](Self::reset_varied), for goals that say where to and what to leave alone. The
    /// oracle follows them: see [`holds`](Self::holds) and [`collateral`](Self::collateral).
    pub fn reset_goals(&mut self, seed: u64, goals: &Goals, variation: Option<Variation>) {
        let mut layout = Layout::sample(seed, &goals.starts());
        let outcome = variation.map(|variation| self.vary(variation, seed, &mut layout));
        if outcome.is_none() && self.varied.is_some() {
            self.data.swap_model(self.fresh());
        }
        self.varied = outcome;
        self.begin(&layout, |_| ());
        self.oracle = Oracle::new(self.objects(), self.rest_height_m(), goals);
    }

    /// Starts an episode in which the model is first changed, then the hand starts there and things lie as
    /// `place` puts them. Nothing is asked for.
    pub(crate) fn reset_laid(
        &mut self,
        seed: u64,
        hand_m: [f64; 3],
        change: impl FnOnce(&mut MjModel, &Parts),
        place: impl FnOnce(&mut MjData<Box<MjModel>>),
    ) {
        let mut model = self.fresh();
        change(&mut model, &self.parts);
        self.put(model);
        let layout = Layout {
            tcp_m: hand_m,
            ..Layout::sample(seed, &[])
        };
        self.begin(&layout, place);
        self.oracle = Oracle::new(self.objects(), self.rest_height_m(), &Goals::default());
    }

    /// Lays a scene and lets it come to rest.
    fn begin(&mut self, layout: &Layout, place: impl FnOnce(&mut MjData<Box<MjModel>>)) {
        self.data.reset();
        let arm = arm_at(layout.tcp_m);
        let rest_height_m = self.rest_height_m();
        let qpos = self.data.qpos_mut();
        qpos[..ARM].copy_from_slice(&arm);
        qpos[ARM..ARM + 2].fill(0.0);
        qpos[self.ids.drawer] = layout.drawer_m;
        qpos[self.ids.door] = layout.door_m;
        qpos[self.ids.switch] = layout.switch_rad;
        for block in Block::ALL {
            let [x, y, yaw] = layout.blocks[block.index()];
            let z = rest_height_m[block.index()];
            let at = self.ids.blocks[block.index()];
            let (sin, cos) = (yaw / 2.0).sin_cos();
            qpos[at..at + 7].copy_from_slice(&[x, y, z, cos, 0.0, 0.0, sin]);
        }
        place(&mut self.data);
        let hold = Setpoint {
            q_rad: arm,
            gripper_width_m: 0.0,
        };
        self.command(&hold);
        let latency = self.varied.as_ref().map_or(0, |it| it.latency_ns / STEP_NS);
        self.under_way.clear();
        self.under_way.extend((0..latency).map(|_| hold));
        self.last_q_rad = arm;
        for _ in 0..SETTLE_STEPS {
            self.actuate();
            self.data.step();
        }
        self.data.forward();
        self.steps = 0;
        self.lamp_on = false;
        self.button_down = false;
    }

    /// Gives the scene as it stands random looks; `base` is its model before it was dressed.
    pub(crate) fn dress(&mut self, base: &MjModel, random: &mut Random) {
        let mut model = Box::new(base.clone());
        let varied = self.varied.get_or_insert_default();
        varied.patterns = dress(random, &self.parts, varied.table_z_m, &mut model);
        self.data.swap_model(model);
        self.data.forward();
    }

    /// Puts the hand somewhere at once, pointing straight down, whatever is there.
    pub(crate) fn put_hand(&mut self, tcp_m: [f64; 3], gripper_width_m: f64) {
        let qpos = self.data.qpos_mut();
        qpos[..ARM].copy_from_slice(&arm_at(tcp_m));
        qpos[ARM..ARM + 2].fill(gripper_width_m / 2.0);
        self.data.forward();
    }

    /// Puts a block somewhere at once, level, whatever is there.
    pub(crate) fn put_block(&mut self, block: Block, position_m: [f64; 3], yaw_rad: f64) {
        let at = self.ids.blocks[block.index()];
        let (sin, cos) = (yaw_rad / 2.0).sin_cos();
        let [x, y, z] = position_m;
        self.data.qpos_mut()[at..at + 7].copy_from_slice(&[x, y, z, cos, 0.0, 0.0, sin]);
        self.data.forward();
    }

    /// A copy of the scene as it was compiled.
    fn fresh(&self) -> Box<MjModel> {
        Box::new((*self.pristine).clone())
    }

    /// Puts a varied copy of the scene in place of the present one.
    fn vary(&mut self, variation: Variation, seed: u64, layout: &mut Layout) -> Outcome {
        let mut model = self.fresh();
        let outcome = variation.apply(seed, &self.parts, &mut model, layout);
        self.put(model);
        outcome
    }

    /// Puts a changed copy of the scene in place of the present one.
    fn put(&mut self, model: Box<MjModel>) {
        self.data.swap_model(model);
        // What MuJoCo derives from masses and sizes; the extent scales depths and has to stay.
        let extent = self.pristine.stat().extent;
        self.data.set_const();
        self.data.model_stat_mut().extent = extent;
    }

    /// Height of each block's centre when it lies on the table, metres.
    fn rest_height_m(&self) -> [f64; 3] {
        let table_z_m = self.varied.as_ref().map_or(0.0, |it| it.table_z_m);
        let sizes = self.data.model().geom_size();
        Block::ALL.map(|block| table_z_m + sizes[self.ids.block_geoms[block.index()]][2])
    }

    /// Simulation time since reset, nanoseconds.
    pub fn time_ns(&self) -> u64 {
        self.steps * STEP_NS
    }

    /// Measured joints and gripper.
    pub fn reading(&self) -> ArmReading {
        let mut reading = ArmReading {
            q_rad: [0.0; ARM],
            dq_rad_s: [0.0; ARM],
            gripper_width_m: 0.0,
        };
        reading.q_rad.copy_from_slice(&self.data.qpos()[..ARM]);
        reading.dq_rad_s.copy_from_slice(&self.data.qvel()[..ARM]);
        reading.gripper_width_m = self.data.qpos()[ARM] + self.data.qpos()[ARM + 1];
        reading
    }

    /// Measured position of the tool centre point between the fingertips, world frame, metres.
    pub fn tcp_position_m(&self) -> [f64; 3] {
        self.data.site_xpos()[self.ids.tcp]
    }

    /// Measured orientation of the tool centre point, world frame, w x y z.
    pub fn tcp_quaternion_wxyz(&self) -> [f64; 4] {
        kinematics::forward(&self.reading().q_rad).quaternion_wxyz
    }

    /// Sets the joint positions and the gripper opening that the actuators hold from now on.
    pub fn command(&mut self, setpoint: &Setpoint) {
        self.setpoint = *setpoint;
    }

    /// Position control with velocity feed-forward, as arms have it: without the latter the joints would
    /// trail their setpoints by damping over stiffness, 20 to 28 ms.
    fn actuate(&mut self) {
        let setpoint = match self.under_way.pop_front() {
            Some(oldest) => {
                self.under_way.push_back(self.setpoint);
                oldest
            }
            None => self.setpoint,
        };
        let mut leads = [0.0; ARM];
        for (joint, lead) in leads.iter_mut().enumerate() {
            let moved = setpoint.q_rad[joint] - self.last_q_rad[joint];
            let speed = moved / (STEP_NS as f64 * 1e-9);
            *lead = self.feed_forward_s[joint] * speed.clamp(-SPEED_LIMIT, SPEED_LIMIT);
        }
        let ctrl = self.data.ctrl_mut();
        for (ctrl, (wanted, lead)) in ctrl.iter_mut().zip(setpoint.q_rad.iter().zip(leads)) {
            *ctrl = wanted + lead;
        }
        ctrl[ARM] = setpoint.gripper_width_m.clamp(0.0, GRIPPER_MAX_M);
        self.last_q_rad = setpoint.q_rad;
    }

    /// Advances the physics by [`STEP_NS`] and lets the oracle look.
    pub fn step(&mut self) {
        self.actuate();
        self.data.step();
        self.steps += 1;
        let travel = self.data.qpos()[self.ids.button];
        if !self.button_down && travel > thresholds::BUTTON_PRESSED_M {
            self.button_down = true;
            self.lamp_on = !self.lamp_on;
        } else if self.button_down && travel < thresholds::BUTTON_RELEASED_M {
            self.button_down = false;
        }
        let contacts = self.contacts();
        let objects = self.objects_with(&contacts);
        self.oracle.observe(&objects, &contacts.touched);
    }

    /// Every task achieved at any time since reset, relative to the state at reset.
    pub fn completed(&self) -> Vec<Task> {
        Task::ALL
            .into_iter()
            .filter(|task| self.oracle.achieved(*task))
            .collect()
    }

    /// True once the task was achieved at any time since reset; see [`thresholds`].
    pub fn succeeded(&self, task: Task) -> bool {
        self.oracle.achieved(task)
    }

    /// True once all of them were achieved since reset, for the first time in this order.
    pub fn succeeded_in_order(&self, tasks: &[Task]) -> bool {
        self.oracle.achieved_in_order(tasks)
    }

    /// How many goals of the episode were reached, in order; each is judged against the state in which the
    /// one before was reached.
    pub fn reached(&self) -> usize {
        self.oracle.reached()
    }

    /// True while all goals of the episode have been reached and the last one holds at this very step.
    /// False in an episode without goals.
    pub fn holds(&self) -> bool {
        self.oracle.holds()
    }

    /// What happened to things that the goals do not name or forbid to touch, one entry a thing, and
    /// a number that grows with every change. See [`thresholds`].
    pub fn collateral(&self) -> (&[Collateral], u64) {
        self.oracle.collateral()
    }

    /// For the experts, which know the plain scene by heart: the objects, and a position, as seen from a
    /// frame in which the task's fixture stands where it always stands.
    pub(crate) fn seen_for(&self, task: Task, position_m: [f64; 3]) -> (ObjectStates, [f64; 3]) {
        let shift_m = self.varied.as_ref().map_or([0.0; 3], |varied| {
            let [x, y] = Fixture::of(task).map_or([0.0; 2], |it| varied.shift_m[it as usize]);
            [x, y, varied.table_z_m]
        });
        let seen_m = [0, 1, 2].map(|axis| position_m[axis] - shift_m[axis]);
        (self.objects().seen_from(shift_m), seen_m)
    }

    /// True state of all objects. PRIVILEGED: for the oracle and the experts only.
    pub fn objects(&self) -> ObjectStates {
        self.objects_with(&self.contacts())
    }

    fn objects_with(&self, contacts: &Contacts) -> ObjectStates {
        let (qpos, geoms) = (self.data.qpos(), self.data.geom_xpos());
        ObjectStates {
            drawer_m: qpos[self.ids.drawer],
            drawer_handle_m: geoms[self.ids.handle_geom],
            door_m: qpos[self.ids.door],
            door_handle_m: geoms[self.ids.knob_geom],
            switch_rad: qpos[self.ids.switch],
            switch_m: geoms[self.ids.lever_geom],
            button_m: qpos[self.ids.button],
            button_cap_m: geoms[self.ids.cap_geom],
            lamp_on: self.lamp_on,
            blocks: Block::ALL.map(|block| self.block(block, contacts)),
        }
    }

    fn block(&self, block: Block, contacts: &Contacts) -> BlockState {
        let at = self.ids.blocks[block.index()];
        let pose = &self.data.qpos()[at..at + 7];
        let [w, x, y, z] = [pose[3], pose[4], pose[5], pose[6]];
        BlockState {
            position_m: [pose[0], pose[1], pose[2]],
            yaw_rad: (2.0 * (w * z + x * y)).atan2(1.0 - 2.0 * (y * y + z * z)),
            gripped: contacts.grip(block),
        }
    }

    fn contacts(&self) -> Contacts {
        let fingers = [self.ids.left_finger, self.ids.right_finger];
        Contacts::read(&self.data, &self.labels, fingers)
    }

    /// Geometry of a camera for an image of that size, at the present state (the wrist camera moves).
    pub fn camera_geometry(&self, camera: Camera, width: usize, height: usize) -> CameraGeometry {
        let id = self.camera_id(camera);
        CameraGeometry::of_opengl(
            self.data.model().cam_fovy()[id],
            [width, height],
            self.data.cam_xpos()[id],
            self.data.cam_xmat()[id],
        )
    }

    pub(crate) fn camera_id(&self, camera: Camera) -> usize {
        self.ids.cameras[camera as usize]
    }

    pub(crate) fn data(&self) -> &MjData<Box<MjModel>> {
        &self.data
    }

    pub(crate) fn data_mut(&mut self) -> &mut MjData<Box<MjModel>> {
        &mut self.data
    }

    pub(crate) fn model(&self) -> &MjModel {
        self.data.model()
    }

    /// Label of each geom, by geom id; 0 for the background.
    pub(crate) fn geom_labels(&self) -> &Arc<[u8]> {
        &self.labels
    }

    /// The scene as it was compiled: textures and meshes are never varied.
    pub(crate) fn pristine(&self) -> &Arc<MjModel> {
        &self.pristine
    }

    /// Geoms that are drawn with a material's pattern, and the material.
    pub(crate) fn patterns(&self) -> &[(usize, usize)] {
        self.varied.as_ref().map_or(&[], |varied| &varied.patterns)
    }

    /// The lamp's geom, and whether it is lit.
    pub(crate) fn lamp(&self) -> (usize, bool) {
        (self.ids.lamp_geom, self.lamp_on)
    }
}

/// Joints that hold the TCP at a position, pointing straight down.
fn arm_at(tcp_m: [f64; 3]) -> [f64; ARM] {
    let target = kinematics::Pose::down(tcp_m);
    // The neutral region lies deep inside the workspace; home is a safe answer in any case.
    kinematics::inverse(&target, &kinematics::HOME_Q, &Limits::panda().joint)
        .unwrap_or(kinematics::HOME_Q)
}

fn geom_labels(model: &MjModel) -> Vec<u8> {
    let bodies = model.geom_bodyid();
    (0..bodies.len())
        .map(|geom| {
            let name = model
                .id_to_name(MjtObjBase::mjOBJ_GEOM, geom)
                .unwrap_or_default();
            let body = usize::try_from(bodies[geom]).unwrap_or_default();
            let body = model
                .id_to_name(MjtObjBase::mjOBJ_BODY, body)
                .unwrap_or_default();
            labels::label_of(name, body).unwrap_or(0)
        })
        .collect()
}

/// The index of a named thing of the scene.
pub(crate) fn find_id(
    model: &MjModel,
    object: MjtObjBase,
    kind: &'static str,
    name: &'static str,
) -> Result<usize, PlayTableError> {
    model
        .name_to_id(object, name)
        .ok_or(PlayTableError::Missing { kind, name })
}

fn find_ids(model: &MjModel) -> Result<Ids, PlayTableError> {
    let find = |object, kind, name| find_id(model, object, kind, name);
    let geom = |name| find(MjtObjBase::mjOBJ_GEOM, "geom", name);
    let body = |name| find(MjtObjBase::mjOBJ_BODY, "body", name);
    let camera = |name| find(MjtObjBase::mjOBJ_CAMERA, "camera", name);
    let joint = |name| {
        let id = find(MjtObjBase::mjOBJ_JOINT, "joint", name)?;
        usize::try_from(model.jnt_qposadr()[id]).map_err(|_| PlayTableError::Missing {
            kind: "joint",
            name,
        })
    };
    let [red, blue, pink] = Block::ALL.map(Block::body);
    Ok(Ids {
        tcp: find(MjtObjBase::mjOBJ_SITE, "site", "tcp")?,
        cameras: [
            camera(Camera::Static.name())?,
            camera(Camera::Wrist.name())?,
        ],
        drawer: joint("drawer")?,
        door: joint("door")?,
        switch: joint("switch")?,
        button: joint("button")?,
        blocks: [joint(red)?, joint(blue)?, joint(pink)?],
        block_geoms: [geom(red)?, geom(blue)?, geom(pink)?],
        handle_geom: geom("handle_bar")?,
        knob_geom: geom("door_knob")?,
        lever_geom: geom("switch_lever")?,
        cap_geom: geom("button_cap")?,
        lamp_geom: geom("lamp")?,
        left_finger: body("left_finger")?,
        right_finger: body("right_finger")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_the_scene_s_sizes() {
        let table = PlayTable::new().expect("scene");
        for block in Block::ALL {
            let geom = table.ids.block_geoms[block.index()];
            assert_eq!(table.model().geom_size()[geom], block.half_size_m());
        }
    }

    #[test]
    fn joints_are_fed_forward_by_some_milliseconds() {
        let table = PlayTable::new().expect("scene");
        assert!(
            table
                .feed_forward_s
                .iter()
                .all(|lead| (0.01..0.05).contains(lead))
        );
    }

    #[test]
    fn the_arm_starts_at_rest_near_neutral() {
        let mut table = PlayTable::new().expect("scene");
        for seed in 0..10 {
            table.reset(seed, None);
            let tcp = Layout::sample(seed, &[]).tcp_m;
            let found = table.tcp_position_m();
            assert!(
                (0..3).all(|axis| (tcp[axis] - found[axis]).abs() < 1e-3),
                "{found:?}"
            );
            assert!(
                table
                    .reading()
                    .dq_rad_s
                    .iter()
                    .all(|speed| speed.abs() < 1e-2)
            );
        }
    }
}
