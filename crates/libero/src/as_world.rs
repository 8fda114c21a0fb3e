//! LIBERO's tasks as one [`World`] among others: joint set-points in, the package's actions inside.

use serde_json::json;
use tiller_core::{Pose, kinematics};
use tiller_motion::{ArmReading, Setpoint};
use tiller_world::{
    ArmMeasurement, CameraGeometry, Channels, Command, Episode, EpisodeSpec, Frame, Verdict, World,
    WorldError, WorldKind,
};

use crate::controller::{ACTION, ARM};
use crate::kind::{CAMERAS, LiberoKind, NAME, ROBOT, shown_names};
use crate::native::{IDLE, Native};
use crate::render::Renderer;

/// Idle steps before an episode's time begins.
const IDLE_STEPS: u32 = 10;
/// The controller comes about a third of the way to its goal in a control step.
const GAIN: f64 = 3.0;
/// Between open (0.08 m) and closed.
const CLOSING_BELOW_M: f64 = 0.04;

/// A running task: its scene and its renderers.
struct Running {
    id: String,
    native: Native,
    /// Which of the pack's it is.
    episode: usize,
    /// One a size; made when first looked through.
    renderers: Vec<([usize; 2], Renderer)>,
}

/// LIBERO's tasks, one at a time. What was commanded becomes an action whenever a control step begins: the way
/// from the hand to where the newest set-points lead it.
pub struct LiberoWorld {
    kind: LiberoKind,
    running: Option<Running>,
    episode: Episode,
    /// The newest command's last set-point.
    setpoint: Option<Setpoint>,
    action: [f64; ACTION],
    actions: Vec<[f64; ACTION]>,
    was_achieved: bool,
}

impl LiberoWorld {
    pub(crate) fn new(kind: LiberoKind) -> Self {
        Self {
            kind,
            running: None,
            episode: Episode::new(Vec::new()),
            setpoint: None,
            action: IDLE,
            actions: Vec::new(),
            was_achieved: false,
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

    fn running(&mut self) -> Result<&mut Running, WorldError> {
        self.running.as_mut().ok_or_else(no_episode)
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
            // The one before gives back its scene and its renderers first.
            self.running = None;
            self.running = Some(Running {
                id: id.to_owned(),
                native,
                episode: 0,
                renderers: Vec::new(),
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

    /// One task; the seed is that of one of the pack's episodes.
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
        let episodes = &running.native.pack().description().episodes;
        let seeds = || episodes.iter().map(|start| start.seed);
        let episode = seeds().position(|seed| u64::from(seed) == spec.seed);
        let episode = episode.ok_or_else(|| WorldError::Unknown {
            world: NAME,
            kind: "seed",
            expected: format!("one of {}", list(seeds())),
            found: spec.seed.to_string(),
        })?;
        running
            .native
            .reset(episode)
            .and_then(|()| running.native.settle(IDLE_STEPS))
            .map_err(WorldError::failed(NAME, "the episode does not begin"))?;
        running.episode = episode;
        running.native.start_clock();
        self.was_achieved = running.native.succeeded();
        self.episode = Episode::new(spec.tasks.clone());
        self.episode.observe(0, self.was_achieved);
        self.setpoint = None;
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
        let known = CAMERAS.iter().find(|(name, _)| *name == camera);
        let running = self.running()?;
        let cameras = &running.native.pack().description().cameras;
        let place = known.and_then(|(_, theirs)| cameras.iter().position(|name| name == theirs));
        let place = place.ok_or_else(|| WorldError::Unknown {
            world: NAME,
            kind: "camera",
            expected: CAMERAS.map(|(name, _)| name).join(" or "),
            found: camera.to_owned(),
        })?;
        let look = self.kind.look();
        let Running {
            native, renderers, ..
        } = self.running()?;
        let index = match renderers.iter().position(|(known, _)| *known == size) {
            Some(index) => index,
            None => {
                let made = Renderer::new(native, size[0], size[1], look)
                    .map_err(WorldError::failed(NAME, "cannot start the renderer"))?;
                renderers.push((size, made));
                renderers.len() - 1
            }
        };
        renderers[index]
            .1
            .render(native, place, channels, frame)
            .map_err(WorldError::failed(NAME, "cannot render"))?;
        frame.geometry = in_base(&frame.geometry, &native.base());
        Ok(())
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
        let setpoint = self.setpoint;
        let native = &mut self.running.as_mut().ok_or_else(no_episode)?.native;
        if native.is_between_steps() {
            self.action = match setpoint {
                Some(setpoint) => action(native, &setpoint),
                None => IDLE,
            };
            self.actions.push(self.action);
        }
        native.advance(&self.action);
        if native.is_between_steps() {
            native
                .check()
                .map_err(WorldError::failed(NAME, "the physics fails"))?;
            let achieved = native.succeeded();
            self.was_achieved |= achieved;
            self.episode.observe(native.time_ns(), achieved);
            let tasks = self.episode.verdict().tasks.clone();
            let done = tasks.iter().filter(|_| self.was_achieved);
            self.episode.completed(done.map(String::as_str));
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

    fn renderer(&self) -> Option<&str> {
        let (_, renderer) = self.running.as_ref()?.renderers.first()?;
        Some(renderer.device())
    }
}

/// Numbers in a row; of many the first and the last ones.
fn list(numbers: impl Iterator<Item = u32>) -> String {
    let numbers: Vec<_> = numbers.map(|number| number.to_string()).collect();
    match numbers.as_slice() {
        [first, second, .., last] if numbers.len() > 10 => format!("{first}, {second}, .. {last}"),
        all => all.join(", "),
    }
}

fn action(native: &mut Native, setpoint: &Setpoint) -> [f64; ACTION] {
    let [x, y, z, a, b, c] = native.towards(&setpoint.q_rad, GAIN);
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
