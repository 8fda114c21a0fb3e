//! A world that is an arm and nothing else: its tasks are to turn the first joint by 0.2 rad, one way
//! or the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tiller_core::Pose;
use tiller_motion::ArmReading;
use tiller_motion::kinematics::{HOME_Q, forward};
use tiller_world::{
    ArmMeasurement, CameraInfo, Channels, Command, CommandLevel, Episode, EpisodeSpec, Frame,
    RobotInfo, Shot, Studio, TaskInfo, Verdict, World, WorldError, WorldInfo, WorldKind,
};

const NAME: &str = "signal";
const STEP_NS: u64 = 20_000_000;
const TURN_RAD: f64 = 0.2;
/// Less than the time between two pictures.
const LATE_NS: u64 = 60_000_000;

struct Kind {
    info: WorldInfo,
    /// The world's time, ns, where pictures are drawn by others and take as long as it takes to get on.
    late: Option<Arc<AtomicU64>>,
}

/// It draws its pictures itself.
pub(super) fn kind() -> impl WorldKind {
    described(None)
}

/// Pictures of it cannot be drawn before it has gone on for [`LATE_NS`]; whoever waits for one meanwhile waits in vain.
pub(super) fn kind_with_late_pictures() -> impl WorldKind {
    described(Some(Arc::default()))
}

fn described(late: Option<Arc<AtomicU64>>) -> Kind {
    let task = |id: &str| TaskInfo {
        id: id.to_owned(),
        instruction: id.to_owned(),
        group: "turns",
        shown: 1,
    };
    let info = WorldInfo {
        name: NAME,
        about: "an arm that turns",
        robot: RobotInfo {
            name: "panda",
            level: CommandLevel::Joints,
            step_ns: STEP_NS,
            turns_hand: false,
            workspace: tiller_motion::Limits::panda().workspace,
        },
        cameras: vec![CameraInfo {
            name: "static",
            size: [4, 4],
            max_size: [4, 4],
            channels: Channels::COLOUR,
        }],
        labels: Vec::new(),
        without_keypoints: Vec::new(),
        keypoint_counts: Vec::new(),
        detector: None,
        tasks: ["signal", "wave", "begin anew"].map(task).to_vec(),
        groups: Vec::new(),
        axes: Vec::new(),
        look_ns: 100_000_000,
        episode_ns: 10 * tiller_core::SECOND_NS,
    };
    Kind { info, late }
}

impl WorldKind for Kind {
    fn info(&self) -> &WorldInfo {
        &self.info
    }

    fn make(&self) -> Result<Box<dyn World>, WorldError> {
        Ok(Box::new(Signal {
            kind: Kind {
                info: self.info.clone(),
                late: self.late.clone(),
            },
            reading: ArmReading::at_rest(HOME_Q, 0.08),
            time_ns: 0,
            episode: Episode::new(Vec::new()),
        }))
    }

    fn interpret(&self, instruction: &str) -> Option<Vec<String>> {
        self.task(instruction).map(|task| vec![task.id])
    }
}

struct Signal {
    kind: Kind,
    reading: ArmReading,
    time_ns: u64,
    episode: Episode,
}

impl World for Signal {
    fn kind(&self) -> &dyn WorldKind {
        &self.kind
    }

    fn reset(&mut self, spec: &EpisodeSpec) -> Result<(), WorldError> {
        self.reading = ArmReading::at_rest(HOME_Q, 0.08);
        self.time_ns = 0;
        self.episode = Episode::new(spec.tasks.clone());
        Ok(())
    }

    fn ask(&mut self, tasks: &[String]) -> Result<(), WorldError> {
        if tasks.iter().any(|task| task == "begin anew") {
            return Err(WorldError::Unsupported {
                world: NAME,
                what: "such task without a reset".to_owned(),
            });
        }
        self.episode = Episode::new(tasks.to_vec());
        Ok(())
    }

    fn time_ns(&self) -> u64 {
        self.time_ns
    }

    fn arm(&self) -> ArmMeasurement {
        let base_from_tool: Pose = forward(&self.reading.q_rad);
        ArmMeasurement {
            reading: self.reading,
            base_from_tool,
        }
    }

    fn look(
        &mut self,
        _camera: &str,
        size: [usize; 2],
        _channels: Channels,
        frame: &mut Frame,
    ) -> Result<(), WorldError> {
        [frame.width, frame.height] = size;
        frame.rgb.clear();
        frame.rgb.resize(size[0] * size[1] * 3, 9);
        frame.stamp_ns = self.time_ns;
        Ok(())
    }

    fn shoot(
        &mut self,
        _camera: &str,
        size: [usize; 2],
        _channels: Channels,
        _used: Option<Box<dyn Shot>>,
    ) -> Option<Result<Box<dyn Shot>, WorldError>> {
        let clock = Arc::clone(self.kind.late.as_ref()?);
        let due_ns = self.time_ns + LATE_NS;
        Some(Ok(Box::new(LateShot {
            clock,
            due_ns,
            size,
        })))
    }

    fn command(&mut self, command: &Command<'_>) -> Result<(), WorldError> {
        let Command::Joints(setpoints) = command else {
            return Ok(());
        };
        if let Some(last) = setpoints.last() {
            self.reading.q_rad = last.q_rad;
            self.reading.gripper_width_m = last.gripper_width_m;
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), WorldError> {
        self.time_ns += STEP_NS;
        if let Some(clock) = &self.kind.late {
            clock.store(self.time_ns, Ordering::Release);
        }
        let turn_rad = self.reading.q_rad[0];
        let wanted = match self.episode.verdict().tasks.first().map(String::as_str) {
            Some("wave") => turn_rad < -TURN_RAD,
            _ => turn_rad > TURN_RAD,
        };
        self.episode.observe(self.time_ns, wanted);
        if self.reading.q_rad[0] > TURN_RAD {
            self.episode.collateral("second joint", "turned".to_owned());
        }
        Ok(())
    }

    fn verdict(&self) -> &Verdict {
        self.episode.verdict()
    }
}

struct LateShot {
    clock: Arc<AtomicU64>,
    due_ns: u64,
    size: [usize; 2],
}

impl Shot for LateShot {
    fn draw(&mut self, _studio: &mut Studio, frame: &mut Frame) -> Result<(), WorldError> {
        let begin = Instant::now();
        while self.clock.load(Ordering::Acquire) < self.due_ns {
            if begin.elapsed() > Duration::from_secs(20) {
                return Err(WorldError::Unsupported {
                    world: NAME,
                    what: "picture while the world stands still".to_owned(),
                });
            }
            sleep(Duration::from_millis(1));
        }
        [frame.width, frame.height] = self.size;
        frame.rgb.clear();
        frame.rgb.resize(self.size[0] * self.size[1] * 3, 8);
        frame.stamp_ns = self.due_ns - LATE_NS;
        Ok(())
    }
}
