//! LIBERO's tasks as one [`World`] among others: joint set-points in, the package's actions inside.

use serde_json::json;
use tiller_core::{Pose, kinematics};
use tiller_motion::{ArmReading, Setpoint};
use tiller_world::{
    ArmMeasurement, CameraGeometry, Channels, Command, Episode, EpisodeSpec, ExpertStep,
    FIRST_TRAINING_SEED, Frame, Shot, Studio, Verdict, World, WorldError, WorldKind, used,
};

use crate::controller::{ACTION, ARM};
use crate::expert::{Expert, Skill, View};
use crate::kind::{CAMERAS, LiberoKind, NAME, ROBOT, shown_names};
use crate::native::{IDLE, Native};
use crate::pack::Pack;
use crate::render::{PackShot, Painted};
use tiller_world::Random;

/// Idle steps before an episode's time begins.
const IDLE_STEPS: u32 = 10;
/// The controller comes about a third of the way to its goal in a control step.
const GAIN: f64 = 3.0;
/// How far ahead of the newest set-point it is led, in ways of the last control step.
const AHEAD: f64 = 1.25;
/// The package's initial states that they begin with.
const TRAINING_STATES: std::ops::Range<u64> = 20..50;
/// Share of the training scenes with scattered objects, and by how much along each axis, m.
const SCATTERED: f64 = 0.6;
const SCATTER_M: f64 = 0.02;
/// Between open (0.08 m) and closed.
const CLOSING_BELOW_M: f64 = 0.04;

/// A running task: its scene and its looks.
struct Running {
    id: String,
    native: Native,
    /// Which of the pack's it is.
    episode: usize,
    painted: Painted,
}

/// LIBERO's tasks, one at a time. What was commanded becomes an action whenever a control step begins: the way
/// from the hand to where the newest set-points lead it.
pub struct LiberoWorld {
    kind: LiberoKind,
    running: Option<Running>,
    studio: Studio,
    /// The last look's, to be used again.
    shot: Option<Box<dyn Shot>>,
    episode: Episode,
    /// The newest command's last set-point.
    setpoint: Option<Setpoint>,
    /// The one that the last action led to.
    followed: Option<Setpoint>,
    expert: Option<Expert>,
    action: [f64; ACTION],
    actions: Vec<[f64; ACTION]>,
}

impl LiberoWorld {
    pub(crate) fn new(kind: LiberoKind) -> Self {
        Self {
            kind,
            running: None,
            studio: Studio::default(),
            shot: None,
            episode: Episode::new(Vec::new()),
            setpoint: None,
            followed: None,
            expert: None,
            action: IDLE,
            actions: Vec::new(),
        }
    }

    /// Every action since the reset, without the idle steps: what the official environment replays as referee.
    #[must_use]
    pub fn actions(&self) -> &[[f64; ACTION]] {
        &self.actions
    }

    /// The task that runs; none before the first reset.
    #[must_use]
    pub fn native(&self) -> Option<&Native> {
        self.running.as_ref().map(|running| &running.native)
    }

    fn view<'a>(&self, native: &'a Native) -> View<'a> {
        let arm = self.arm();
        View::new(native, arm.base_from_tool, arm.reading.gripper_width_m)
    }

    fn running(&mut self) -> Result<&mut Running, WorldError> {
        self.running.as_mut().ok_or_else(no_episode)
    }

    /// Takes what a camera sees, in memory that was used before if that was of this task.
    fn take(
        &mut self,
        camera: &str,
        size: [usize; 2],
        channels: Channels,
        shot: Option<Box<dyn Shot>>,
    ) -> Result<Box<dyn Shot>, WorldError> {
        let known = CAMERAS.iter().find(|(name, _)| *name == camera);
        let Running {
            native, painted, ..
        } = self.running()?;
        let cameras = &native.pack().description().cameras;
        let place = known.and_then(|(_, theirs)| cameras.iter().position(|name| name == theirs));
        let place = place.ok_or_else(|| WorldError::Unknown {
            world: NAME,
            kind: "camera",
            expected: CAMERAS.map(|(name, _)| name).join(" or "),
            found: camera.to_owned(),
        })?;
        let mut shot = used::<PackShot>(shot)
            .filter(|shot| shot.is_of(painted))
            .unwrap_or_else(|| Box::new(PackShot::new(painted)));
        shot.take(native, place, size, channels)
            .map_err(WorldError::failed(NAME, "cannot render"))?;
        shot.still.geometry = in_base(&shot.still.geometry, &native.base());
        Ok(shot)
    }

    /// The scene of a task, compiled unless it is the one that runs.
    fn prepare(&mut self, id: &str) -> Result<&mut Running, WorldError> {
        if self.running.as_ref().is_none_or(|running| running.id != id) {
            let tasks = || self.kind.info().tasks.iter().map(|task| &*task.id);
            let pack = self.kind.pack(id).ok_or_else(|| WorldError::Unknown {
                world: NAME,
                kind: "task",
                expected: format!("one of {}", tasks().collect::<Vec<_>>().join(", ")),
                found: id.to_owned(),
            })?;
            let mut native = Native::new(pack.clone())
                .map_err(WorldError::failed(NAME, "the scene does not load"))?;
            // The world's labels are those of all its tasks.
            let shown = shown_names(pack);
            let of_world = |name: &str| {
                let mut labels = self.kind.info().labels.iter();
                labels
                    .find(|(_, known)| known == name)
                    .map_or(0, |(id, _)| *id)
            };
            let labels = native.labels().iter().map(|(_, name)| {
                let found = shown.iter().find(|(_, known)| known == name);
                of_world(found.map_or(ROBOT, |(shown, _)| shown))
            });
            let labels: Vec<u8> = std::iter::once(0).chain(labels).collect();
            for label in native.geom_labels_mut() {
                *label = labels[usize::from(*label)];
            }
            let painted = Painted::new(&native, self.kind.look());
            // The one before gives back its scene and its painters first.
            self.running = None;
            self.studio = Studio::default();
            self.running = Some(Running {
                id: id.to_owned(),
                native,
                episode: 0,
                painted,
            });
        }
        self.running()
    }
}

fn no_episode() -> WorldError {
    WorldError::Unsupported {
        world: NAME,
        what: "episode yet: it has to be reset first".to_owned(),
    }
}

impl World for LiberoWorld {
    fn kind(&self) -> &dyn WorldKind {
        &self.kind
    }

    /// One task. Below 1 000 000 the seed is that of one of the pack's episodes; from there on it draws a training
    /// scene: the package's initial state 20 + seed % 30, in 60 % of the seeds with every loose object moved by up
    /// to 2 cm.
    fn reset(&mut self, spec: &EpisodeSpec) -> Result<(), WorldError> {
        let [task] = spec.tasks.as_slice() else {
            return Err(WorldError::Unsupported {
                world: NAME,
                what: format!("episode of {} tasks: expected one", spec.tasks.len()),
            });
        };
        if let Some(variation) = &spec.variation {
            return Err(WorldError::Unsupported {
                world: NAME,
                what: format!("departure `{variation}`: its suites are departures"),
            });
        }
        let running = self.prepare(task)?;
        let episode = episode(running.native.pack(), spec.seed)?;
        running.episode = episode;
        let native = &mut running.native;
        let failed = || WorldError::failed(NAME, "the episode does not begin");
        native.reset(episode).map_err(failed())?;
        if spec.seed >= FIRST_TRAINING_SEED {
            let mut random = Random::new(spec.seed, 0);
            if random.chance(SCATTERED) {
                native.scatter(SCATTER_M, &mut random);
            }
        }
        native.settle(IDLE_STEPS).map_err(failed())?;
        native.start_clock();
        let achieved = native.succeeded();
        // The benchmark's protocol: success is the moment in which the goal holds.
        self.episode = Episode::holding(spec.tasks.clone(), 0);
        self.episode.observe(0, achieved);
        self.expert = None;
        self.setpoint = None;
        self.followed = None;
        self.action = IDLE;
        self.actions.clear();
        Ok(())
    }

    fn time_ns(&self) -> u64 {
        self.native().map_or(0, Native::time_ns)
    }

    fn arm(&self) -> ArmMeasurement {
        let native = self.native();
        let q_rad = native.map_or(kinematics::HOME_Q, Native::arm_q_rad);
        let [left_m, right_m] = native.map_or([0.0; 2], Native::fingers_m);
        ArmMeasurement {
            reading: ArmReading {
                q_rad,
                dq_rad_s: native.map_or([0.0; ARM], Native::arm_dq_rad_s),
                gripper_width_m: left_m - right_m,
            },
            base_from_tool: tool(&q_rad),
        }
    }

    fn look(
        &mut self,
        camera: &str,
        size: [usize; 2],
        channels: Channels,
        frame: &mut Frame,
    ) -> Result<(), WorldError> {
        let used = self.shot.take();
        let mut shot = self.take(camera, size, channels, used)?;
        let drawn = shot.draw(&mut self.studio, frame);
        self.shot = Some(shot);
        drawn
    }

    fn shoot(
        &mut self,
        camera: &str,
        size: [usize; 2],
        channels: Channels,
        used: Option<Box<dyn Shot>>,
    ) -> Option<Result<Box<dyn Shot>, WorldError>> {
        Some(self.take(camera, size, channels, used))
    }

    fn command(&mut self, command: &Command<'_>) -> Result<(), WorldError> {
        let Command::Joints(setpoints) = command else {
            return Err(WorldError::Unsupported {
                world: NAME,
                what: "controller for anything but joint set-points".to_owned(),
            });
        };
        self.setpoint = setpoints.last().copied().or(self.setpoint);
        Ok(())
    }

    fn step(&mut self) -> Result<(), WorldError> {
        let (setpoint, followed) = (self.setpoint, self.followed);
        let native = &mut self.running.as_mut().ok_or_else(no_episode)?.native;
        if native.is_between_steps() {
            self.action = match setpoint {
                Some(setpoint) => action(native, &setpoint, followed.as_ref()),
                None => IDLE,
            };
            self.followed = setpoint;
            self.actions.push(self.action);
        }
        native.advance(&self.action);
        if native.is_between_steps() {
            native
                .check()
                .map_err(WorldError::failed(NAME, "the physics fails"))?;
            let achieved = native.succeeded();
            self.episode.observe(native.time_ns(), achieved);
            if self.episode.verdict().success {
                let tasks = self.episode.verdict().tasks.clone();
                self.episode.completed(tasks.iter().map(String::as_str));
            }
        }
        Ok(())
    }

    fn verdict(&self) -> &Verdict {
        self.episode.verdict()
    }

    fn record(&self) -> Option<String> {
        let running = self.running.as_ref()?;
        let description = running.native.pack().description();
        let start = &description.episodes[running.episode];
        let record = json!({
            "suite": description.suite,
            "task": description.task,
            "seed": start.seed,
            "init_state": start.init_state,
            "actions": self.actions,
        });
        Some(record.to_string())
    }

    fn call_expert(&mut self, task: &str, seed: u64) -> Result<(), WorldError> {
        let unsupported = |what| WorldError::Unsupported { world: NAME, what };
        let description = self.kind.pack(task).map(Pack::description);
        let skill = description.and_then(|it| Skill::of(&it.suite, it.task));
        let skill = skill.ok_or_else(|| unsupported(format!("expert for the task `{task}`")))?;
        let native = self.native().ok_or_else(no_episode)?;
        if let Some(missing) = Expert::missing(native) {
            return Err(unsupported(format!(
                "expert in a scene without `{missing}`"
            )));
        }
        self.expert = Some(Expert::new(skill, &self.view(native), seed));
        Ok(())
    }

    fn expert_step(&mut self, anchor: Pose) -> Option<ExpertStep> {
        let mut expert = self.expert.take()?;
        let step = expert.step(&self.view(self.native()?), &anchor)?;
        self.expert = Some(expert);
        Some(step)
    }

    fn renderer(&self) -> Option<&str> {
        self.studio.device()
    }
}

/// Which of the pack's episodes a seed begins with.
fn episode(pack: &Pack, seed: u64) -> Result<usize, WorldError> {
    let episodes = &pack.description().episodes;
    let unknown = |expected| WorldError::Unknown {
        world: NAME,
        kind: "seed",
        expected,
        found: seed.to_string(),
    };
    if seed < FIRST_TRAINING_SEED {
        let mut seeds = episodes.iter().map(|start| u64::from(start.seed));
        let all = || list(episodes.iter().map(|start| start.seed));
        return seeds
            .position(|known| known == seed)
            .ok_or_else(|| unknown(format!("one of {}", all())));
    }
    let wanted = TRAINING_STATES.start + seed % (TRAINING_STATES.end - TRAINING_STATES.start);
    let mut states = episodes.iter().map(|start| start.init_state.map(u64::from));
    states
        .position(|state| state == Some(wanted))
        .ok_or_else(|| {
            unknown(format!(
                "a pack with the initial states {} to {}, of which training scenes are made",
                TRAINING_STATES.start,
                TRAINING_STATES.end - 1
            ))
        })
}

/// Numbers in a row; of many the first and the last ones.
fn list(numbers: impl Iterator<Item = u32>) -> String {
    let numbers: Vec<_> = numbers.map(|number| number.to_string()).collect();
    match numbers.as_slice() {
        [first, second, .., last] if numbers.len() > 10 => format!("{first}, {second}, .. {last}"),
        all => all.join(", "),
    }
}

/// To where the set-point leads, ahead of it by as much as the controller lags at this speed.
fn action(native: &mut Native, setpoint: &Setpoint, before: Option<&Setpoint>) -> [f64; ACTION] {
    let before = before.unwrap_or(setpoint);
    let ahead_q_rad = std::array::from_fn(|joint| {
        let (now, before) = (setpoint.q_rad[joint], before.q_rad[joint]);
        now + AHEAD * (now - before)
    });
    let [x, y, z, a, b, c] = native.towards(&ahead_q_rad, GAIN);
    let is_closing = setpoint.gripper_width_m < CLOSING_BELOW_M;
    [x, y, z, a, b, c, if is_closing { 1.0 } else { -1.0 }]
}

/// The tool between the fingertips, as everybody else has it.
fn tool(q_rad: &[f64; ARM]) -> Pose {
    let pose = tiller_motion::kinematics::forward(q_rad);
    Pose {
        position_m: pose.position_m,
        quaternion_wxyz: pose.quaternion_wxyz,
    }
}

/// A camera's geometry with the arm's base as the world.
fn in_base(geometry: &CameraGeometry, world_from_base: &Pose) -> CameraGeometry {
    let base_from_world = world_from_base.isometry().inverse().to_homogeneous();
    let world_from_camera = nalgebra::Matrix4::from_row_slice(&geometry.world_from_camera);
    let base_from_camera = base_from_world * world_from_camera;
    CameraGeometry {
        world_from_camera: std::array::from_fn(|at| base_from_camera[(at / 4, at % 4)]),
        ..*geometry
    }
}
