//! The traits that a world implements.

use tiller_core::Pose;
use tiller_motion::{ArmReading, Setpoint};

use crate::camera::{Channels, Frame};
use crate::episode::{EpisodeSpec, Variation, Verdict};
use crate::error::WorldError;
use crate::info::{TaskInfo, WorldInfo};
use crate::shot::Shot;

/// Time between two set-points of a [`Command`], ns.
pub const SETPOINT_NS: u64 = 1_000_000;

/// What can be known of a world before it is made, and how it is made.
pub trait WorldKind: Send + Sync {
    /// What it has.
    fn info(&self) -> &WorldInfo;

    /// Makes one, as after a reset with an [`EpisodeSpec`] of no tasks and seed 0. It stays on the thread
    /// that made it.
    ///
    /// # Errors
    /// When the simulator, or what it needs, does not start.
    fn make(&self) -> Result<Box<dyn World>, WorldError>;

    /// The task of that id; worlds whose ids take parameters know more than they list.
    fn task(&self, id: &str) -> Option<TaskInfo> {
        self.info().task(id).cloned()
    }

    /// The tasks that an instruction asks for, first things first; `None` when it is not understood. What
    /// the instruction says beside (a direction, what is to be left alone) is in the ids.
    fn interpret(&self, instruction: &str) -> Option<Vec<String>>;

    /// What is said in an episode that is to end in `task`. Worlds that vary instructions say other words
    /// along that axis.
    fn say(&self, task: &TaskInfo, _variation: Option<&Variation>, _seed: u64) -> Said {
        Said {
            instruction: task.instruction.clone(),
            tasks: vec![task.id.clone()],
        }
    }
}

/// An instruction and what it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What the author is told.
    pub instruction: String,
    /// Ids of the tasks that it asks for, first things first.
    pub tasks: Vec<String>,
}

/// A simulated world with a robot in it.
pub trait World {
    /// What is known of it.
    fn kind(&self) -> &dyn WorldKind;

    /// What it has.
    fn info(&self) -> &WorldInfo {
        self.kind().info()
    }

    /// Starts an episode at time zero, with the arm at rest. The same specification gives the same scene
    /// to the bit, whatever ran before.
    ///
    /// # Errors
    /// [`WorldError::Unknown`] for a task or a variation that it does not have; nothing has changed then.
    fn reset(&mut self, spec: &EpisodeSpec) -> Result<(), WorldError>;

    /// Asks for other tasks from now on, in the scene as it is.
    ///
    /// # Errors
    /// [`WorldError::Unknown`] for a task that it does not have, [`WorldError::Unsupported`] where the
    /// scene has to be reset for that; nothing has changed then.
    fn ask(&mut self, _tasks: &[String]) -> Result<(), WorldError> {
        Err(WorldError::Unsupported {
            world: self.info().name,
            what: "other tasks without a reset".to_owned(),
        })
    }

    /// Time since reset, ns.
    fn time_ns(&self) -> u64;

    /// What the arm's sensors measure now.
    fn arm(&self) -> ArmMeasurement;

    /// Looks through a camera, as it is now; `size` is columns and rows in pixels.
    ///
    /// # Errors
    /// [`WorldError::Unknown`] for a camera, [`WorldError::Unsupported`] for channels or a size that it
    /// does not have, [`WorldError::Failed`] when nothing can be drawn.
    fn look(
        &mut self,
        camera: &str,
        size: [usize; 2],
        channels: Channels,
        frame: &mut Frame,
    ) -> Result<(), WorldError>;

    /// Takes what a camera sees now and leaves the drawing to whoever has the time, on another thread perhaps: a
    /// small part of what [`look`](Self::look) costs. None for worlds that can only look. The memory of a `used` shot
    /// is used again.
    ///
    /// # Errors
    /// As [`World::look`].
    fn shoot(
        &mut self,
        _camera: &str,
        _size: [usize; 2],
        _channels: Channels,
        _used: Option<Box<dyn Shot>>,
    ) -> Option<Result<Box<dyn Shot>, WorldError>> {
        None
    }

    /// What the arm's controller follows from now on: the first set-point at once, each next one a
    /// millisecond later, the last one until another command comes.
    ///
    /// # Errors
    /// [`WorldError::Unsupported`] for a command of another level than the robot's.
    fn command(&mut self, command: &Command<'_>) -> Result<(), WorldError>;

    /// Lets one [step](crate::RobotInfo::step_ns) pass.
    ///
    /// # Errors
    /// When the simulator fails.
    fn step(&mut self) -> Result<(), WorldError>;

    /// How the episode stands.
    fn verdict(&self) -> &Verdict;

    /// What was done since the reset, as one line of JSON, an object without the keys `id` and `success`: what the
    /// referee of a world that stands for another simulator replays there. None for worlds that are the original.
    fn record(&self) -> Option<String> {
        None
    }

    /// What its pictures are drawn on, once it has drawn one.
    fn renderer(&self) -> Option<&str> {
        None
    }

    /// As [`WorldKind::interpret`].
    fn interpret(&self, instruction: &str) -> Option<Vec<String>> {
        self.kind().interpret(instruction)
    }

    /// Commands and lets pass the time that the command is for.
    ///
    /// # Errors
    /// As [`World::command`] and [`World::step`].
    fn run(&mut self, command: &Command<'_>) -> Result<(), WorldError> {
        let end_ns = self.time_ns() + command.period_ns();
        self.command(command)?;
        while self.time_ns() < end_ns {
            self.step()?;
        }
        Ok(())
    }

    /// Calls a scripted expert for a task, which may read the true state of everything; the seed varies
    /// its ways. It proves the judge and makes demonstrations.
    ///
    /// # Errors
    /// [`WorldError::Unsupported`] when there is none.
    fn call_expert(&mut self, task: &str, _seed: u64) -> Result<(), WorldError> {
        Err(WorldError::Unsupported {
            world: self.info().name,
            what: format!("expert for the task `{task}`"),
        })
    }

    /// The expert's next step of 100 ms, given the pose of the tool in the base frame that steps start from;
    /// `None` when it is finished, has given up or was never called.
    fn expert_step(&mut self, _anchor: Pose) -> Option<ExpertStep> {
        None
    }
}

/// What the hand does in a step of 100 ms.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct HandStep {
    /// How the tool moves, metres, in the base frame.
    pub delta_m: [f64; 3],
    /// How it turns: a rotation vector in the base frame, rad, applied from the left (`exp(w) R`). Zero in
    /// worlds that do not [turn the hand](crate::RobotInfo::turns_hand).
    pub rotation_rad: [f64; 3],
    /// The gripper: -1 close to +1 open.
    pub gripper: f64,
}

/// What a scripted expert does next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExpertStep {
    /// What is right to do in the state that is seen.
    pub learned: HandStep,
    /// What is done; differs where experts err on purpose, so that recovering is learned.
    pub executed: HandStep,
}

/// What the arm's sensors measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ArmMeasurement {
    /// Joints and gripper.
    pub reading: ArmReading,
    /// The tool centre point in the robot base frame.
    pub base_from_tool: Pose,
}

/// What an arm is told.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Command<'a> {
    /// Joint positions and gripper openings, one a millisecond; at least one.
    Joints(&'a [Setpoint]),
}

impl Command<'_> {
    /// The time that it is for, ns.
    #[must_use]
    pub fn period_ns(&self) -> u64 {
        match self {
            Self::Joints(setpoints) => setpoints.len() as u64 * SETPOINT_NS,
        }
    }
}

impl std::fmt::Debug for dyn WorldKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.info().name)
    }
}
