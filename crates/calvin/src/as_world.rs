//! The environment's process as a [`World`].

use serde::Serialize;
use serde::de::DeserializeOwned;
use tiller_core::{Pose, kinematics};
use tiller_motion::{ArmReading, Setpoint};
use tiller_world::{
    ArmMeasurement, CameraGeometry, Channels, Command, EpisodeSpec, ExpertStep, Frame, Verdict,
    World, WorldError, WorldKind,
};

use crate::child::{Child, ChildError};
use crate::kind::{CAMERAS, CalvinKind, NAME, STEP_NS};
use crate::words::{Advice, Done, Greeting, Order, Seen, State, VERSION};

/// What draws its pictures.
const RENDERER: &str = "PyBullet's software renderer";
/// Least and most columns and rows of a picture, pixels.
pub(crate) const SIDES: std::ops::RangeInclusive<usize> = 16..=1024;

/// CALVIN's environment. Its oracle is the judge: an episode succeeds in the moment in which it names the task.
pub struct CalvinWorld {
    kind: CalvinKind,
    /// None once it broke, until the next reset starts another.
    child: Option<Child>,
    /// Our label of each of its own.
    labels: [u8; 256],
    state: State,
    verdict: Verdict,
    /// The newest command's last set-point.
    setpoint: Option<Setpoint>,
    has_drawn: bool,
    bytes: Vec<u8>,
}

impl CalvinWorld {
    /// Starts the environment, with a free run from seed 0.
    pub(crate) fn start(kind: CalvinKind) -> Result<Self, WorldError> {
        let (mut child, labels) = greet(&kind)?;
        let reset = Order::Reset {
            task: None,
            seed: 0,
        };
        let state = child.ask(&reset);
        let state = state.map_err(WorldError::failed(NAME, "the first episode does not begin"))?;
        Ok(Self {
            kind,
            child: Some(child),
            labels,
            state,
            verdict: Verdict::default(),
            setpoint: None,
            has_drawn: false,
            bytes: Vec::new(),
        })
    }

    /// Asks the process, and lets go of one that broke.
    fn ask<T: DeserializeOwned>(
        &mut self,
        order: &impl Serialize,
        what: &'static str,
    ) -> Result<T, WorldError> {
        self.with_child(what, |child| child.ask(order))
    }

    fn with_child<T>(
        &mut self,
        what: &'static str,
        act: impl FnOnce(&mut Child) -> Result<T, ChildError>,
    ) -> Result<T, WorldError> {
        let child = self.child.as_mut().ok_or_else(|| WorldError::Unsupported {
            world: NAME,
            what: "environment since it broke: the next reset starts another".to_owned(),
        })?;
        let done = act(child);
        if done.as_ref().is_err_and(|error| !error.is_refusal()) {
            self.child = None;
        }
        done.map_err(WorldError::failed(NAME, what))
    }

    /// Takes in how the episode stands.
    fn take(&mut self, state: State) {
        let verdict = &mut self.verdict;
        verdict.achieved = state.achieved;
        verdict.success = state.success;
        if self.state.completed != state.completed {
            let tasks = self.kind.info().tasks.iter();
            let tasks = tasks.filter(|task| state.completed.contains(&task.id));
            verdict.completed = tasks.map(|task| task.id.clone()).collect();
        }
        self.state = state;
    }
}

/// A process that says what it should, and our label of each of its own.
fn greet(kind: &CalvinKind) -> Result<(Child, [u8; 256]), WorldError> {
    let failed = || WorldError::failed(NAME, "the environment does not start");
    let (child, greeting): (_, Greeting) =
        Child::start(kind.command(), kind.limit()).map_err(failed())?;
    let info = kind.info();
    let differs = |expected: String, found: &str| failed()(ChildError::garbage(expected, found));
    if greeting.version != VERSION {
        let found = format!("version {}", greeting.version);
        return Err(differs(format!("version {VERSION}"), &found));
    }
    for task in &info.tasks {
        if !greeting.tasks.contains(&task.id) {
            let found = greeting.tasks.join(", ");
            return Err(differs(format!("a task {}", task.id), &found));
        }
    }
    let mut labels = [0; 256];
    for (number, name) in &greeting.labels {
        let mut known = info.labels.iter();
        let (ours, _) = known.find(|(_, known)| known == name).ok_or_else(|| {
            let known = info.labels.iter().map(|(_, name)| &**name);
            let known: Vec<_> = known.collect();
            differs(format!("labels of {}", known.join(", ")), name)
        })?;
        labels[usize::from(*number)] = *ours;
    }
    Ok((child, labels))
}

impl World for CalvinWorld {
    fn kind(&self) -> &dyn WorldKind {
        &self.kind
    }

    /// One task, or none for a free run; seeds to 2^32 - 1. A process that broke is replaced.
    fn reset(&mut self, spec: &EpisodeSpec) -> Result<(), WorldError> {
        let task = match spec.tasks.as_slice() {
            [] => None,
            [task] => Some(&**task),
            tasks => {
                return Err(WorldError::Unsupported {
                    world: NAME,
                    what: format!("episode of {} tasks: expected one or none", tasks.len()),
                });
            }
        };
        if let Some(variation) = &spec.variation {
            return Err(WorldError::Unsupported {
                world: NAME,
                what: format!("departure `{variation}`"),
            });
        }
        if let Some(task) = task {
            self.known(task)?;
        }
        let seed = u32::try_from(spec.seed).map_err(|_| WorldError::Unknown {
            world: NAME,
            kind: "seed",
            expected: format!("0 to {}", u32::MAX),
            found: spec.seed.to_string(),
        })?;
        if self.child.is_none() {
            let (child, labels) = greet(&self.kind)?;
            (self.child, self.labels) = (Some(child), labels);
        }
        let state = self.ask(&Order::Reset { task, seed }, "the episode does not begin")?;
        self.verdict = Verdict {
            tasks: spec.tasks.clone(),
            ..Verdict::default()
        };
        self.setpoint = None;
        self.take(state);
        Ok(())
    }

    fn time_ns(&self) -> u64 {
        self.state.time_ns
    }

    fn arm(&self) -> ArmMeasurement {
        ArmMeasurement {
            reading: ArmReading {
                q_rad: self.state.q_rad,
                dq_rad_s: self.state.dq_rad_s,
                gripper_width_m: self.state.gripper_width_m,
            },
            base_from_tool: kinematics::forward(&self.state.q_rad),
        }
    }

    fn look(
        &mut self,
        camera: &str,
        size: [usize; 2],
        channels: Channels,
        frame: &mut Frame,
    ) -> Result<(), WorldError> {
        let known = CAMERAS.iter().find(|(name, ..)| *name == camera);
        let (_, theirs, _) = known.ok_or_else(|| WorldError::Unknown {
            world: NAME,
            kind: "camera",
            expected: CAMERAS.map(|(name, ..)| name).join(" or "),
            found: camera.to_owned(),
        })?;
        let [side, rows] = size;
        if rows != side || !SIDES.contains(&side) {
            let (least, most) = (SIDES.start(), SIDES.end());
            return Err(WorldError::Unsupported {
                world: NAME,
                what: format!(
                    "picture of {side} x {rows} pixels: expected as many columns as rows, {least} to {most}"
                ),
            });
        }
        let pixels = side * side;
        let wanted = [
            (channels.colour, "rgb", 3 * pixels),
            (channels.depth, "depth_mm", 2 * pixels),
            (channels.segmentation, "segmentation", pixels),
        ];
        let names = wanted.iter().filter(|(is_wanted, ..)| *is_wanted);
        let names: Vec<&str> = names.map(|(_, name, _)| *name).collect();
        let [rgb, depth, segmentation] =
            wanted.map(|(is_wanted, _, bytes)| if is_wanted { bytes } else { 0 });
        let order = Order::Look {
            camera: theirs,
            side,
            channels: &names,
        };
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.resize(rgb + depth + segmentation, 0);
        let seen = self.with_child("cannot look", |child| {
            let seen: Seen = child.ask(&order)?;
            let expected = [rgb, depth, segmentation].into_iter().filter(|n| *n > 0);
            if !seen.raw.iter().copied().eq(expected.clone()) {
                let expected: Vec<_> = expected.collect();
                let found = format!("{:?} bytes", seen.raw);
                return Err(ChildError::garbage(format!("{expected:?} bytes"), &found));
            }
            child.read(&mut bytes)?;
            Ok(seen)
        })?;
        let (colours, rest) = bytes.split_at(rgb);
        let (depths, things) = rest.split_at(depth);
        frame.rgb.clear();
        frame.rgb.extend_from_slice(colours);
        frame.depth_mm.clear();
        let depths = depths.chunks_exact(2);
        frame
            .depth_mm
            .extend(depths.map(|pair| u16::from_le_bytes([pair[0], pair[1]])));
        frame.segmentation.clear();
        let labels = &self.labels;
        frame
            .segmentation
            .extend(things.iter().map(|thing| labels[usize::from(*thing)]));
        (frame.width, frame.height) = (side, side);
        frame.geometry = CameraGeometry {
            focal: seen.focal,
            principal_point: seen.principal_point,
            world_from_camera: seen.base_from_camera,
        };
        frame.stamp_ns = self.state.time_ns;
        self.bytes = bytes;
        self.has_drawn = true;
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
        let setpoint = self.setpoint.unwrap_or(Setpoint {
            q_rad: self.state.q_rad,
            gripper_width_m: self.state.gripper_width_m,
        });
        let order = Order::Run {
            q_rad: setpoint.q_rad,
            gripper_width_m: setpoint.gripper_width_m,
            duration_ms: STEP_NS / 1_000_000,
        };
        let state = self.ask(&order, "the environment does not step")?;
        self.take(state);
        Ok(())
    }

    fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    fn renderer(&self) -> Option<&str> {
        self.has_drawn.then_some(RENDERER)
    }

    fn call_expert(&mut self, task: &str, seed: u64) -> Result<(), WorldError> {
        self.known(task)?;
        let order = Order::CallExpert { task, seed };
        let called =
            self.with_child("cannot call the expert", |child| match child.ask(&order) {
                Ok(Done {}) => Ok(None),
                Err(ChildError::Refused(why)) => Ok(Some(why)),
                Err(error) => Err(error),
            })?;
        called.map_or(Ok(()), |why| {
            Err(WorldError::Unsupported {
                world: NAME,
                what: format!("expert for the task `{task}`: {why}"),
            })
        })
    }

    /// None as well when the environment broke, of which the next step tells.
    fn expert_step(&mut self, anchor: Pose) -> Option<ExpertStep> {
        let order = Order::expert_step(&anchor);
        let advice: Advice = self.ask(&order, "the expert does not answer").ok()?;
        advice.step.map(ExpertStep::from)
    }
}

impl CalvinWorld {
    fn known(&self, task: &str) -> Result<(), WorldError> {
        let info = self.kind.info();
        if info.task(task).is_some() {
            return Ok(());
        }
        let known: Vec<_> = info.tasks.iter().map(|task| &*task.id).collect();
        Err(WorldError::Unknown {
            world: NAME,
            kind: "task",
            expected: format!("one of {}", known.join(", ")),
            found: task.to_owned(),
        })
    }
}
